/**
 * Reception of storage commitment reports: N-EVENT-REPORT of a PACS that we asked.
 * Decides who may report, and what a report is answered with. Invariants: only the two events of
 * the class are taken; 0000 only after the report is durable; we never are SCP of this class (H10).
 * Source: PS3.4 J.3.3, PS3.7 10.1.1 and annex C, D.3.3.4; hazard H10.
 */
import { ElementWalker, encodingOf } from '@aifi/dicom-core';
import { AifiError } from '@aifi/shared-kernel';
import type { AssociateRequest } from './associate-request.js';
import { DIMSE_STATUS } from './dimse-status.js';
import type { EventReportEvent } from './pdu-normaliser.js';
import {
  COMMITMENT_EVENT,
  decodeCommitmentReport,
  STORAGE_COMMITMENT_SOP_CLASS,
  STORAGE_COMMITMENT_SOP_INSTANCE,
  type CommitmentReport,
} from './storage-commitment.js';

/** Storage commitment: who may tell us what became of our objects (PS3.4 J.3.3). */
export interface CommitmentReception {
  /** Calling AE titles whose N-EVENT-REPORT is taken. */
  readonly from: readonly string[];
  /** Resolves when the report is durable; the peer is answered 0000 only then. */
  onReport(report: CommitmentReport, callingAeTitle: string): Promise<void>;
}

const EVENT_TYPES: ReadonlySet<number> = new Set(Object.values(COMMITMENT_EVENT));
/** PS3.7 annex C. */
const NO_SUCH_INSTANCE = 0x0112;
const NO_SUCH_EVENT_TYPE = 0x0113;
const INVALID_ARGUMENT_VALUE = 0x0115;
const NO_SUCH_CLASS = 0x0118;

/** The peer is one that may report, and proposes to be SCP of the class (PS3.7 D.3.3.4). */
export function mayReport(
  { callingAeTitle, roles }: AssociateRequest,
  reception: CommitmentReception | undefined,
): boolean {
  const isScp = roles.some(
    ({ sopClassUid, isScp: proposed }) => sopClassUid === STORAGE_COMMITMENT_SOP_CLASS && proposed,
  );
  return isScp && reception !== undefined && reception.from.includes(callingAeTitle);
}

/** The status that answers a report. */
export async function receiveReport(
  { command, transferSyntaxUid, dataset }: EventReportEvent,
  callingAeTitle: string,
  reception: CommitmentReception,
): Promise<number> {
  const { affectedSopClassUid, affectedSopInstanceUid, eventTypeId } = command;
  if (affectedSopClassUid !== STORAGE_COMMITMENT_SOP_CLASS) return NO_SUCH_CLASS;
  if (affectedSopInstanceUid !== STORAGE_COMMITMENT_SOP_INSTANCE) return NO_SUCH_INSTANCE;
  if (eventTypeId === undefined || !EVENT_TYPES.has(eventTypeId)) return NO_SUCH_EVENT_TYPE;
  let report: CommitmentReport;
  try {
    const walker = new ElementWalker(encodingOf(transferSyntaxUid));
    walker.push(dataset);
    report = decodeCommitmentReport(walker.end().dataset, eventTypeId);
  } catch {
    return INVALID_ARGUMENT_VALUE;
  }
  try {
    await reception.onReport(report, callingAeTitle);
    return DIMSE_STATUS.success;
  } catch (error) {
    return AifiError.from(error).dimseStatus;
  }
}
