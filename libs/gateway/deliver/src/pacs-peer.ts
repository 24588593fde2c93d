/**
 * PacsPeer: what delivery asks of a PACS, and what it makes of a fault.
 * Decides which faults are the PACS being away, which are a wrong configuration that people must
 * mend, and which are ours. Pure. A result is never a dead letter because of how we are configured.
 * Source: PS3.8 9.3.4 (A-ASSOCIATE-RJ), PS3.7 annex C; reliability specification P6, F6.
 */
import {
  AssociationRejected,
  peerFaultOf,
  PeerStatus,
  TlsFault,
  type CommitmentReport,
  type CommitmentRequest,
  type StoreObject,
  type StudyMatch,
} from '@aifi/dicom-dimse';
import { AifiError } from '@aifi/shared-kernel';
import type { RetryCause } from './retry-policy.js';

/** A PACS: over DIMSE or over DICOMweb. No answer is PEER_UNAVAILABLE. */
export interface PacsPeer {
  /** Resolves when it answers at all. */
  echo(): Promise<void>;
  /** The DIMSE status; PEER_REFUSED when it does not take such an object. */
  store(object: StoreObject): Promise<number>;
  findStudy(studyInstanceUid: string): Promise<StudyMatch[]>;
  findInstance(study: string, series: string, instance: string): Promise<boolean>;
  /**
   * Undefined when the report comes later, on an association of the PACS; PEER_REFUSED when it does
   * not offer storage commitment. `reported` ends the wait when the report has come there. Absent
   * where there is none at all.
   */
  requestCommitment?(
    request: CommitmentRequest,
    waitMs: number,
    reported?: AbortSignal,
  ): Promise<CommitmentReport | undefined>;
}

/** Why a try failed. */
export function causeOf(error: unknown): RetryCause {
  const peer = peerFaultOf(error);
  if (peer instanceof PeerStatus) return causeOfStatus(peer.status);
  if (peer instanceof TlsFault && peer.isUntrusted) return 'misconfigured';
  if (peer instanceof AssociationRejected) {
    return peer.isTransient ? 'rejected-transient' : 'misconfigured';
  }
  switch (AifiError.from(error).code) {
    case 'PEER_UNAVAILABLE':
    case 'DEADLINE_EXCEEDED':
      return 'silent';
    // Queries refused, or nobody may sign in: how the PACS is set up, or how we are.
    case 'PEER_REFUSED':
    case 'CONFIG_INVALID':
    case 'UNAUTHENTICATED':
    case 'FORBIDDEN':
    case 'UNTRUSTED':
      return 'misconfigured';
    default:
      return 'own-fault';
  }
}

/** A7xx: no space (PS3.4 B.2.3); whatever else is not final may be over soon. */
function causeOfStatus(status: number): RetryCause {
  return status >>> 8 === 0xa7 ? 'out-of-resources' : 'processing-failure';
}
