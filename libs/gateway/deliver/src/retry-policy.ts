/**
 * Retry policy: how long a row waits, by the cause of its wait.
 * Decides the table below: full jitter over a ceiling that doubles, on top of a floor where asking
 * sooner is useless. Pure; randomness is given. Units: milliseconds.
 * Source: reliability specification P6 and 3 (slow, full, absent PACS); PS3.8 9.3.4 (rejections).
 */
import { backoffMs } from '@aifi/shared-kernel';

/** Why a row is tried again. */
export type RetryCause =
  /** No connection, no answer, an abort: the outcome may be unknown. */
  | 'silent'
  /** The association was rejected for now (PS3.8: result 2). */
  | 'rejected-transient'
  /** Rejected for good: an AE title or a class that the PACS was not told of. People must act. */
  | 'misconfigured'
  /** A7xx, and 0213 of a storage commitment: the PACS is full. */
  | 'out-of-resources'
  /** 0110 and every other status that is not final. */
  | 'processing-failure'
  /** The PACS accepted the object and does not have it any more. */
  | 'lost'
  /** A fault on our side, such as a disk that is full. */
  | 'own-fault';

interface Backoff {
  readonly floorMs: number;
  readonly baseMs: number;
  readonly maxMs: number;
}
const TABLE: Readonly<Record<RetryCause, Backoff>> = {
  silent: { floorMs: 0, baseMs: 2_000, maxMs: 120_000 },
  'rejected-transient': { floorMs: 0, baseMs: 5_000, maxMs: 120_000 },
  misconfigured: { floorMs: 60_000, baseMs: 60_000, maxMs: 900_000 },
  'out-of-resources': { floorMs: 5_000, baseMs: 15_000, maxMs: 300_000 },
  'processing-failure': { floorMs: 0, baseMs: 5_000, maxMs: 120_000 },
  lost: { floorMs: 0, baseMs: 5_000, maxMs: 60_000 },
  'own-fault': { floorMs: 0, baseMs: 1_000, maxMs: 60_000 },
};

/** Wait before try number `attempt` + 1 (`attempt`: tries so far, from 1). */
export function retryDelayMs(cause: RetryCause, attempt: number, random: () => number): number {
  const { floorMs, baseMs, maxMs } = TABLE[cause];
  return floorMs + backoffMs(Math.max(1, attempt), { baseMs, maxMs, random });
}

/** Times between the looks for an object that was stored; about 4 to 8 minutes in all. */
const LOOK_CEILINGS_MS = [5_000, 15_000, 30_000, 60_000, 120_000, 240_000] as const;

/**
 * Wait after look number `look` (from 1) that did not find the object; undefined when that was the
 * last one. Half of it is fixed: looks that fall together say nothing about a slow index.
 */
export function lookDelayMs(look: number, random: () => number): number | undefined {
  const ceilingMs = LOOK_CEILINGS_MS[look - 1];
  if (ceilingMs === undefined) return undefined;
  return ceilingMs / 2 + backoffMs(1, { baseMs: ceilingMs / 2, maxMs: ceilingMs / 2, random });
}

/** @unit ms */
const ABSENT_FLOOR_MS = 15_000;
/** @unit ms */
const ABSENT_JITTER_MAX_MS = 60_000;

/**
 * Wait for a study that comes from the modality by itself: soon at first, then less often, so that
 * the short lane is not missed and the long one costs few questions. `waitedMs`: since the job.
 */
export function absentDelayMs(waitedMs: number, random: () => number): number {
  const ceilingMs = Math.min(ABSENT_JITTER_MAX_MS, Math.max(5_000, waitedMs / 8));
  return ABSENT_FLOOR_MS + backoffMs(1, { baseMs: ceilingMs, maxMs: ceilingMs, random });
}
