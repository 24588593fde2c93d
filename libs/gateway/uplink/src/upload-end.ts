/**
 * What follows from the way in which an upload ended.
 * Decides which refusals are for good, which wait until a person has mended something, and which
 * are tried again; pure, so that the table is read and tested in one place.
 * Invariants: what can be mended is never given up; what the hub will never take does not wait for
 * the deadline. Source: reliability specification P2; hazard H5; ADR 0005.
 */
import type { ErrorCode } from '@aifi/shared-kernel';
import type { UploadEnd } from './upload.js';

export type UploadVerdict =
  | 'done'
  /** Goes on as soon as the link allows. */
  | 'again'
  /** The hub is not there: all jobs wait for it together. */
  | 'link-down'
  /** This job waits, the others go on. */
  | 'later'
  /** The hub refuses this gateway: all wait, and people are told. */
  | 'link-refused'
  /** The rules that selected it are too old: it is selected by newer ones, when there are. */
  | 'select-again'
  /** The hub will never take this study. */
  | 'never';

/** The hub does not know us, or not any more: enrolment may be mended. */
const OF_ENROLMENT: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'FORBIDDEN',
  'UNTRUSTED',
  'UNAUTHENTICATED',
]);
/** What the study says about itself is wrong, and will be wrong the next time. */
const OF_THE_STUDY: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'INVALID_ARGUMENT',
  'INVALID_IDENTIFIER',
  'DICOM_MALFORMED',
]);
/** Faults of the link itself, as opposed to those of a file or a row here. */
const OF_THE_LINK: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'PEER_UNAVAILABLE',
  'DEADLINE_EXCEEDED',
]);
/**
 * Refusals of objects before it is for good: a bit that flipped on the way, or a hub that was set
 * back to a backup, is mended by asking again; a file that has changed on our disk is not.
 */
export const REFUSALS_MAX = 3;

/** `refusals` are those that were recorded before this end. */
export function judgeEnd(end: UploadEnd, refusals: number): UploadVerdict {
  if (end.kind === 'uploaded') return 'done';
  if (end.kind === 'put-back') return 'again';
  if (end.kind === 'failed') return OF_THE_LINK.has(end.error.code) ? 'link-down' : 'later';
  const { code, asked } = end;
  if (OF_ENROLMENT.has(code)) return 'link-refused';
  if (code === 'RULES_OUTDATED') return 'select-again';
  // At OpenStudy: other bytes under this job. At CloseStudy: an object is missing, so ask again.
  if (asked === 'open' && (OF_THE_STUDY.has(code) || code === 'STATE_CONFLICT')) return 'never';
  const isOfObjects = asked === 'send' || OF_THE_STUDY.has(code);
  return isOfObjects && refusals + 1 >= REFUSALS_MAX ? 'never' : 'later';
}
