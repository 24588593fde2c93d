/**
 * Entry of the thread that pseudonymises: one job at a time, with a pixel gate of its own.
 * Decides nothing; asks back whether two identities are of one patient, which the hospital's
 * database knows. Invariant: every order is answered once, by its images or its fault.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { createPixelGate } from '@aifi/dicom-pixel-gate';
import { AifiError, systemClock } from '@aifi/shared-kernel';
import type { FromThread, ThreadFault, ThreadOptions, ToThread } from './series-thread-messages.js';
import { seriesWork, type SeriesClient, type SeriesRequest } from './series-work.js';

const port = parentPort!;
const gate = createPixelGate({ clock: systemClock, ...(workerData as ThreadOptions) });
const work = seriesWork(gate);
const tell = (message: FromThread): void => port.postMessage(message);

function faultOf(error: unknown): ThreadFault {
  const { code, message: words, cause } = AifiError.from(error);
  return { code, words, stack: cause instanceof Error ? cause.stack : undefined };
}

const questions = new Map<number, (areOne: boolean) => void>();
let lastQuestion = 0;
const client: SeriesClient = {
  areOnePatient: (a, b) =>
    new Promise((resolve) => {
      lastQuestion += 1;
      questions.set(lastQuestion, resolve);
      tell({ kind: 'are-one', question: lastQuestion, identities: [a, b] });
    }),
  onGateFault: (error) => tell({ kind: 'gate-fault', fault: faultOf(error) }),
};

async function write(request: SeriesRequest): Promise<void> {
  try {
    tell({ kind: 'done', result: await work(request, client) });
  } catch (error) {
    tell({ kind: 'failed', fault: faultOf(error) });
  }
}

port.on('message', (message: ToThread) => {
  if (message.kind === 'write') {
    void write(message.request);
  } else if (message.kind === 'are-one') {
    questions.get(message.question)?.(message.areOne);
    questions.delete(message.question);
  } else {
    void gate.close().then(() => port.close());
  }
});
