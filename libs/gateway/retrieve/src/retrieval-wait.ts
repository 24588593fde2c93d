/**
 * What follows from the reason of a try that did not bring the whole study.
 * Decides which reasons are final, which wait for a person and which for the PACS, and the code of
 * the error catalogue. Pure but for the randomness that is given. Units: milliseconds.
 * Source: reliability specification H15 (full jitter) and P6 (waits by cause).
 */
import { backoffMs, type ErrorCode } from '@aifi/shared-kernel';
import type { RetrievalReason } from './archive.js';

interface Consequence {
  readonly code: ErrorCode;
  /** final: asking again gives the same. setup: somebody has to set up PACS or gateway first. */
  readonly then: 'final' | 'setup' | 'again';
}
const row = (code: ErrorCode, then: Consequence['then']): Consequence => ({ code, then });

const TABLE: Readonly<Record<RetrievalReason, Consequence>> = {
  PARTLY: row('PEER_UNAVAILABLE', 'again'),
  CANNOT_COUNT: row('PEER_UNAVAILABLE', 'again'),
  CANNOT_SEND: row('PEER_UNAVAILABLE', 'again'),
  UNKNOWN_DESTINATION: row('PEER_REFUSED', 'setup'),
  NOT_MATCHING: row('PEER_REFUSED', 'setup'),
  CANNOT_PROCESS: row('PEER_UNAVAILABLE', 'again'),
  CANCELLED: row('PEER_UNAVAILABLE', 'again'),
  NOT_OFFERED: row('PEER_REFUSED', 'setup'),
  NOT_AUTHORISED: row('PEER_REFUSED', 'setup'),
  FAILED: row('PEER_UNAVAILABLE', 'again'),
  SILENT: row('PEER_UNAVAILABLE', 'again'),
  REJECTED: row('CONFIG_INVALID', 'setup'),
  NOT_IN_PACS: row('NOT_FOUND', 'again'),
  TOO_LARGE: row('LIMIT_EXCEEDED', 'final'),
  INCOMPLETE: row('PEER_UNAVAILABLE', 'again'),
  OTHER_STUDY: row('DICOM_SOP_MISMATCH', 'final'),
  NOT_TAKEN: row('DICOM_SOP_CLASS_UNSUPPORTED', 'final'),
  NO_SPACE: row('OUT_OF_RESOURCES', 'again'),
  WITHDRAWN: row('STATE_CONFLICT', 'final'),
  OWN_FAULT: row('INTERNAL', 'again'),
};

export const isFinal = (reason: RetrievalReason): boolean => TABLE[reason].then === 'final';
export const codeOf = (reason: RetrievalReason): ErrorCode => TABLE[reason].code;
/** The PACS, or the way to it, is in trouble: nothing is asked of it for now, whoever waits. */
export const isOutage = (reason: RetrievalReason): boolean =>
  reason === 'SILENT' || reason === 'REJECTED';

/** Wait after try number `attempt`, from 1. */
export function waitMs(reason: RetrievalReason, attempt: number, random: () => number): number {
  const isSlow = TABLE[reason].then === 'setup';
  const [floorMs, baseMs, maxMs] = isSlow ? [60_000, 60_000, 1_800_000] : [0, 10_000, 600_000];
  return floorMs + backoffMs(Math.max(1, attempt), { baseMs, maxMs, random });
}
