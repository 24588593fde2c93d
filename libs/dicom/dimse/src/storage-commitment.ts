/**
 * Storage Commitment Push Model: what we ask a PACS to vouch for, and what it says.
 * Decides what a report means for each object that was asked about.
 * Invariant: we are the SCU of this class only; as SCP it is never offered (hazard H10). A report
 * that contradicts itself is no report.
 * Source: PS3.4 annex J.3; PS3.3 C.14 (Failure Reason).
 */
import { DicomDataset } from '@aifi/dicom-core';
import { AifiError } from '@aifi/shared-kernel';

export const STORAGE_COMMITMENT_SOP_CLASS = '1.2.840.10008.1.20.1';
/** Well-known SOP Instance of the class, PS3.4 J.3.5. */
export const STORAGE_COMMITMENT_SOP_INSTANCE = '1.2.840.10008.1.20.1.1';
/** Event Type ID of a report, PS3.4 J.3.3.1. */
export const COMMITMENT_EVENT = { success: 1, failuresExist: 2 } as const;

export interface ObjectReference {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
}
export interface CommitmentRequest {
  readonly transactionUid: string;
  readonly objects: readonly ObjectReference[];
}
export interface CommitmentReport {
  readonly transactionUid: string;
  readonly committed: readonly ObjectReference[];
  /** `reason`: Failure Reason (0008,1197), PS3.4 J.3.3. */
  readonly failed: readonly (ObjectReference & { readonly reason: number })[];
}

/** PS3.5 9.1: digits and dots, at most 64 characters. */
const UID = /^[0-9]+(\.[0-9]+)*$/;
const UID_CHARACTERS_MAX = 64;

function malformed(what: string): AifiError {
  return new AifiError('DICOM_MALFORMED', what);
}
function uidIn(dataset: DicomDataset, keyword: string): string {
  const [uid = '', ...others] = dataset.strings(keyword);
  if (others.length > 0 || uid.length > UID_CHARACTERS_MAX || !UID.test(uid)) {
    throw malformed('commitment report without a UID');
  }
  return uid;
}
function referenceIn(item: DicomDataset): ObjectReference {
  return {
    sopClassUid: uidIn(item, 'ReferencedSOPClassUID'),
    sopInstanceUid: uidIn(item, 'ReferencedSOPInstanceUID'),
  };
}

/** The Action Information of an N-ACTION-RQ of action type 1 (PS3.4 J.3.2.1). */
export function encodeCommitmentRequest(request: CommitmentRequest): DicomDataset {
  if (request.objects.length === 0) throw new AifiError('INVALID_ARGUMENT', 'nothing to commit');
  const references = request.objects.map(({ sopClassUid, sopInstanceUid }) =>
    new DicomDataset()
      .setString('ReferencedSOPClassUID', sopClassUid)
      .setString('ReferencedSOPInstanceUID', sopInstanceUid),
  );
  return new DicomDataset()
    .setString('TransactionUID', request.transactionUid)
    .setItems('ReferencedSOPSequence', references);
}

/**
 * The Event Information of an N-EVENT-REPORT-RQ (PS3.4 J.3.3.1). DICOM_MALFORMED when it names no
 * object, names one twice, or says something else than its event type.
 */
export function decodeCommitmentReport(
  dataset: DicomDataset,
  eventTypeId?: number | undefined,
): CommitmentReport {
  const committed = dataset.items('ReferencedSOPSequence').map(referenceIn);
  const failed = dataset.items('FailedSOPSequence').map((item) => {
    const reason = item.number('FailureReason');
    if (reason === undefined) throw malformed('commitment failure without a reason');
    return { ...referenceIn(item), reason };
  });
  const uids = new Set([...committed, ...failed].map((object) => object.sopInstanceUid));
  if (uids.size === 0) throw malformed('commitment report without objects');
  if (uids.size < committed.length + failed.length) {
    throw malformed('commitment report names an object twice');
  }
  const { success, failuresExist } = COMMITMENT_EVENT;
  const isKnown =
    eventTypeId === undefined || [success, failuresExist].some((known) => known === eventTypeId);
  const isContradiction =
    eventTypeId === success
      ? failed.length > 0
      : eventTypeId === failuresExist && failed.length === 0;
  if (!isKnown || isContradiction) throw malformed('commitment report of another event type');
  return { transactionUid: uidIn(dataset, 'TransactionUID'), committed, failed };
}
