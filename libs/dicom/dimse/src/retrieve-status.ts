/**
 * What the final status of a C-MOVE or C-GET means.
 * Decides the words in which it is told further: a fixed one each, so that a page can say what to
 * ask of who looks after the PACS. Pure. Invariant: a status that is not known is a failure.
 * Source: PS3.4 C.4.2.1.5 (C-MOVE), C.4.3.1.4 (C-GET); PS3.7 annex C.
 */
export type RetrieveReason =
  /** B000, or sub-operations that failed: some objects were not sent. */
  | 'PARTLY'
  /** A701: the PACS cannot say how many objects there are. */
  | 'CANNOT_COUNT'
  /** A702: the PACS cannot send: often its connection to us. */
  | 'CANNOT_SEND'
  /** A801: the PACS does not know our AE title as a destination. */
  | 'UNKNOWN_DESTINATION'
  /** A900: the question does not fit the class. */
  | 'NOT_MATCHING'
  /** Cxxx: the PACS cannot process it. */
  | 'CANNOT_PROCESS'
  /** FE00: ended by our own cancel. */
  | 'CANCELLED'
  /** 0122, or the presentation context was refused. */
  | 'NOT_OFFERED'
  /** 0124. */
  | 'NOT_AUTHORISED'
  /** Everything else. */
  | 'FAILED';

const REASONS: Readonly<Record<number, RetrieveReason>> = {
  0xb000: 'PARTLY',
  0xa701: 'CANNOT_COUNT',
  0xa702: 'CANNOT_SEND',
  0xa801: 'UNKNOWN_DESTINATION',
  0xa900: 'NOT_MATCHING',
  0xfe00: 'CANCELLED',
  0x0122: 'NOT_OFFERED',
  0x0124: 'NOT_AUTHORISED',
};

/** Undefined for success. */
export function retrieveReason(status: number): RetrieveReason | undefined {
  if (status === 0) return undefined;
  return REASONS[status] ?? (status >>> 12 === 0xc ? 'CANNOT_PROCESS' : 'FAILED');
}
