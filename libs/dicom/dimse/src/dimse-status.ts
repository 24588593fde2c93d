/**
 * DIMSE statuses that this platform tells apart, and what a C-STORE answer means for a sender.
 * Decides which answers are success, which are worth a retry and which are final.
 * Source: PS3.4 B.2.3, PS3.7 annex C; reliability specification P6.
 */
export const DIMSE_STATUS = {
  success: 0x0000,
  processingFailure: 0x0110,
  duplicateSopInstance: 0x0111,
  sopClassNotSupported: 0x0122,
  notAuthorised: 0x0124,
  coercionOfDataElements: 0xb000,
  elementsDiscarded: 0xb006,
  datasetDoesNotMatchSopClass: 0xb007,
} as const;

export type StoreVerdict = 'stored' | 'duplicate' | 'retry' | 'refused';

const STORED: ReadonlySet<number> = new Set([
  DIMSE_STATUS.success,
  DIMSE_STATUS.coercionOfDataElements,
  DIMSE_STATUS.elementsDiscarded,
  DIMSE_STATUS.datasetDoesNotMatchSopClass,
]);
const REFUSED: ReadonlySet<number> = new Set([
  DIMSE_STATUS.sopClassNotSupported,
  DIMSE_STATUS.notAuthorised,
]);

/** What a C-STORE status means for the sender: A9xx and Cxxx are final, A7xx and the rest not. */
export function storeVerdict(status: number): StoreVerdict {
  if (STORED.has(status)) return 'stored';
  if (status === DIMSE_STATUS.duplicateSopInstance) return 'duplicate';
  const [range, family] = [status >>> 8, status >>> 12];
  return range === 0xa9 || family === 0xc || REFUSED.has(status) ? 'refused' : 'retry';
}
