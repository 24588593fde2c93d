/**
 * Time per stage of one study, from the gateway's journal.
 * Decides what a stage's time is: from the end of the one before it to its own last entry. What
 * lies between the last upload and the first result is the hub's. Pure; unit: milliseconds.
 * Invariant: the parts add up to `total`; a stage without an entry has no time.
 */
import type { JournalRow } from '../stack/gateway-client.js';
import { STEPS } from './study-run.js';

/** Milliseconds by step, and `total`. @param sentAtMs when the PACS was asked to send */
export function timingsOf(
  journal: readonly JournalRow[],
  sentAtMs: number,
): Readonly<Record<string, number>> {
  const timings: Record<string, number> = {};
  let endMs = sentAtMs;
  for (const step of STEPS) {
    const rowsMs = (step === 'hub' ? downlinkStart(journal) : journal.filter(isOf(step))).map(
      (row) => row.atMs,
    );
    if (rowsMs.length === 0) continue;
    const stepEndMs = Math.max(endMs, ...rowsMs);
    timings[step] = stepEndMs - endMs;
    endMs = stepEndMs;
  }
  return { ...timings, total: endMs - sentAtMs };
}

const isOf =
  (stage: string) =>
  (row: JournalRow): boolean =>
    row.stage === stage;

function downlinkStart(journal: readonly JournalRow[]): JournalRow[] {
  return journal.filter(isOf('downlink')).slice(0, 1);
}
