/**
 * SeriesThread: the pseudonymising of a job's images in a thread of its own.
 * Decides that receiving never waits for it: the thread of the gateway answers the listener, which
 * answers the sender. Invariants: one job at a time; a thread that dies fails the job in hand,
 * which is tried again, and the next job has a new one; one that does not end is ended; nothing is
 * kept in it between jobs.
 * Source: performance specification B2.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import {
  AifiError,
  processEntry,
  reportNoSpace,
  type Clock,
  type Result,
} from '@aifi/shared-kernel';
import type { FromThread, ThreadFault, ThreadOptions, ToThread } from './series-thread-messages.js';
import type { Image, SeriesClient, SeriesRequest, SeriesWork } from './series-work.js';

/** The largest study with the text detector at every frame takes a third of it. @unit ms */
const JOB_MS_MAX = 60 * 60_000;
/** The end of a gateway does not hang on it. @unit ms */
const CLOSE_MS_MAX = 10_000;
/** JavaScript of the thread: headers; pixels are outside of it. @unit MiB */
const HEAP_MB = 512;

interface InHand {
  readonly client: SeriesClient;
  /** Aborted when the job has ended. */
  readonly ended: AbortController;
  readonly resolve: (result: Result<readonly Image[]>) => void;
  readonly reject: (error: AifiError) => void;
}

export class SeriesThread {
  #worker: Worker | undefined;
  #inHand: InHand | undefined;
  #isClosed = false;

  constructor(
    private readonly options: ThreadOptions,
    private readonly clock: Pick<Clock, 'sleep'>,
  ) {}

  readonly work: SeriesWork = (request: SeriesRequest, client: SeriesClient) =>
    new Promise((resolve, reject) => {
      if (this.#inHand || this.#isClosed) {
        reject(
          new AifiError('STATE_CONFLICT', 'the pseudonymising thread takes one job at a time'),
        );
        return;
      }
      const ended = new AbortController();
      this.#inHand = { client, ended, resolve, reject };
      this.#worker ??= this.#start();
      void this.#watch(this.#worker, ended.signal);
      this.#worker.postMessage({ kind: 'write', request } satisfies ToThread);
    });

  /** Resolves when the thread and the text detector of its gate are gone. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const worker = this.#worker;
    if (!worker) return;
    const patience = new AbortController();
    const tooLong = this.clock.sleep(CLOSE_MS_MAX, patience.signal).then(() => worker.terminate());
    const gone = once(worker, 'exit');
    worker.postMessage({ kind: 'close' } satisfies ToThread);
    await Promise.race([gone, tooLong]);
    patience.abort();
  }

  #start(): Worker {
    const worker = new Worker(processEntry(import.meta.url, 'series-thread-main'), {
      workerData: this.options,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    });
    worker.on('message', (message: FromThread) => this.#hear(message));
    const lost = (cause?: unknown): void => {
      if (this.#worker === worker) this.#worker = undefined;
      const words = 'the pseudonymising thread is gone';
      this.#take()?.reject(new AifiError('INTERNAL', words, { cause }));
    };
    worker.on('error', lost);
    worker.on('exit', () => lost());
    return worker;
  }

  async #watch(worker: Worker, ended: AbortSignal): Promise<void> {
    await this.clock.sleep(JOB_MS_MAX, ended);
    if (!ended.aborted) await worker.terminate();
  }
  #take(): InHand | undefined {
    const inHand = this.#inHand;
    inHand?.ended.abort();
    this.#inHand = undefined;
    return inHand;
  }

  #hear(message: FromThread): void {
    if (message.kind === 'done') {
      this.#take()?.resolve(message.result);
    } else if (message.kind === 'failed') {
      this.#take()?.reject(errorOf(message.fault));
    } else if (message.kind === 'gate-fault') {
      this.#inHand?.client.onGateFault(errorOf(message.fault));
    } else {
      void this.#answer(message);
    }
  }
  async #answer({ question, identities }: FromThread & { kind: 'are-one' }): Promise<void> {
    let areOne = false;
    try {
      areOne = (await this.#inHand?.client.areOnePatient(...identities)) ?? false;
    } catch (error) {
      this.#take()?.reject(AifiError.from(error));
    }
    // A thread that is gone waits for nothing.
    this.#worker?.postMessage({ kind: 'are-one', question, areOne } satisfies ToThread);
  }
}

/** The fault as this thread throws it; the bell for a full disk rings here. */
function errorOf({ code, words, stack }: ThreadFault): AifiError {
  if (code === 'OUT_OF_RESOURCES') reportNoSpace();
  const cause = stack === undefined ? undefined : Object.assign(new Error(words), { stack });
  return new AifiError(code, words, { cause });
}
