/**
 * Entry of the child process that runs one model once and ends.
 * Decides which reason a fault becomes; its message goes to the parent as a code, never as text.
 * Invariant: it ends when its parent ends, also in the middle of a run (session.run blocks the
 * event loop, so a thread keeps watch).
 * Source: architecture 3; reliability specification H13, H19 (no state from one run to the next).
 */
import { Worker } from 'node:worker_threads';
import { AifiError, processEntry, type ReasonCode } from '@aifi/shared-kernel';
import { runModel } from './model-session.js';
import { runOrderSchema, type RunReport } from './run-protocol.js';

/** Faults of the input; every other fault is the model's. */
const MALFORMED_CODES: readonly string[] = ['DICOM_MALFORMED', 'LIMIT_EXCEEDED'];

async function report(message: unknown): Promise<RunReport> {
  try {
    const result = await runModel(runOrderSchema.parse(message));
    return result.ok ? result.value : { kind: 'refusal', code: result.refusal.code };
  } catch (error) {
    const isMalformed = MALFORMED_CODES.includes(AifiError.from(error).code);
    const code: ReasonCode = isMalformed ? 'MALFORMED' : 'MODEL_FAILED';
    return { kind: 'refusal', code };
  }
}

new Worker(processEntry(import.meta.url, 'parent-watch-thread'), { workerData: process.ppid });
process.once('disconnect', () => process.exit(1));
process.once('message', (message) => {
  void report(message).then((answer) => process.send!(answer, () => process.exit(0)));
});
