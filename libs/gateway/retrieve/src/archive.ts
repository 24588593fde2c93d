/**
 * Archive: what retrieval asks of a PACS, over whichever protocol.
 * Decides the reasons for which a fetch is not whole, in fixed words. Invariants: no answer of the
 * PACS is a fault (PEER_UNAVAILABLE, DEADLINE_EXCEEDED, PEER_REFUSED), never an empty list; no
 * patient attribute comes back. Source: PS3.4 C.4.1 to C.4.3; PS3.18 10.4 and 10.6.
 */
import type { FoundStudies, StudySearch } from '@aifi/dicom-dicomweb';
import {
  peerFaultOf,
  PeerStatus,
  retrieveReason,
  type ListedSeries,
  type RetrieveReason,
  type RetrieveTarget,
} from '@aifi/dicom-dimse';
import { AifiError } from '@aifi/shared-kernel';

/** Why a retrieval is not done. */
export type RetrievalReason =
  | RetrieveReason
  /** No answer, or the connection broke. */
  | 'SILENT'
  /** The PACS, or its certificate, does not let us in. */
  | 'REJECTED'
  /** The PACS lists no such study. */
  | 'NOT_IN_PACS'
  /** More images than may be fetched. */
  | 'TOO_LARGE'
  /** The PACS said that it sent everything, and images are missing. */
  | 'INCOMPLETE'
  /** The PACS sent an object of another study: it was refused. */
  | 'OTHER_STUDY'
  /** An object was refused here: it is broken or of a kind that is not taken. */
  | 'NOT_TAKEN'
  /** No room on our disk. */
  | 'NO_SPACE'
  /** Taken back by a person. */
  | 'WITHDRAWN'
  /** A fault of ours. */
  | 'OWN_FAULT';

export interface FetchOrder extends RetrieveTarget {
  readonly objectsMax: number;
  /** As far as the PACS tells. */
  readonly sopClassUids: readonly string[];
  /** Aborts it at the PACS as well. */
  readonly signal: AbortSignal;
}
export interface Archive {
  /** Empty: there is no such study. */
  list(studyInstanceUid: string): Promise<readonly ListedSeries[]>;
  /** Undefined: the PACS says that all was sent. */
  fetch(order: FetchOrder): Promise<RetrievalReason | undefined>;
  findStudies(search: StudySearch, matchesMax: number): Promise<FoundStudies>;
  /** Station names of its series; empty where the PACS does not say. */
  stationsOf(studyInstanceUid: string): Promise<readonly string[]>;
}

/** The reason in a fault. */
export function reasonOf(error: unknown): RetrievalReason {
  const peer = peerFaultOf(error);
  if (peer instanceof PeerStatus) return retrieveReason(peer.status) ?? 'FAILED';
  switch (AifiError.from(error).code) {
    case 'PEER_UNAVAILABLE':
    case 'DEADLINE_EXCEEDED':
      return 'SILENT';
    case 'PEER_REFUSED':
      return 'NOT_OFFERED';
    case 'UNTRUSTED':
    case 'UNAUTHENTICATED':
    case 'FORBIDDEN':
    case 'CONFIG_INVALID':
      return 'REJECTED';
    case 'NOT_FOUND':
      return 'NOT_IN_PACS';
    case 'LIMIT_EXCEEDED':
      return 'TOO_LARGE';
    case 'OUT_OF_RESOURCES':
      return 'NO_SPACE';
    default:
      return 'OWN_FAULT';
  }
}
