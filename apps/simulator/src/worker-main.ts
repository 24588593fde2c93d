/**
 * One worker process of `npm run simulate`: runs the seeds that it is told.
 * Decides nothing: the verdicts go to whoever started it, a share at a time.
 */
import { isBug } from './bugs.js';
import { simulate, type Verdict } from './simulation.js';

/** Seeds from `from`, below `to`. */
export interface Share {
  readonly from: number;
  readonly to: number;
  readonly bug: string | undefined;
}
export interface Progress {
  readonly done: number;
  readonly events: number;
  readonly results: number;
  readonly failed: readonly Verdict[];
}
/** Seeds between two reports. */
const REPORT_EVERY = 50;

process.on('message', (share: Share) => void work(share));

async function work({ from, to, bug }: Share): Promise<void> {
  let progress = { done: 0, events: 0, results: 0, failed: [] as Verdict[] };
  const report = (): void => {
    process.send?.(progress satisfies Progress);
    progress = { done: 0, events: 0, results: 0, failed: [] };
  };
  for (let seed = from; seed < to; seed += 1) {
    const verdict = await simulate(seed, { bug: bug && isBug(bug) ? bug : undefined });
    progress.done += 1;
    progress.events += verdict.events;
    progress.results += verdict.results;
    if (verdict.violations.length > 0) progress.failed.push(verdict);
    if (progress.done >= REPORT_EVERY) report();
  }
  report();
  process.disconnect();
}
