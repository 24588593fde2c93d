/**
 * What the answer to a STOW-RS request of one instance means, as the status that a C-STORE of the
 * same instance would have had.
 * Decides by the body where it names the instance, else by the HTTP status. Invariants: success is
 * only what names the instance as stored; a credential that is not taken is no verdict on the
 * object.
 * Source: PS3.18 10.5.3 and I.2 (Failure Reason, Warning Reason); PS3.4 B.2.3.
 */
import { DIMSE_STATUS, storeVerdict } from '@aifi/dicom-dimse';
import { AifiError } from '@aifi/shared-kernel';
import { datasetsOf, itemsOf, numberOf, TAG, textOf, type JsonDataset } from './dicom-json.js';
import { nonsense, type WebAnswer } from './web-client.js';

/** Cause of a fault: the HTTP status that the service gave. */
export class WebStatus extends Error {
  constructor(readonly status: number) {
    super('the DICOMweb service said no');
  }
}

/** PS3.4 B.2.3. */
const OUT_OF_RESOURCES = 0xa700;
const CANNOT_UNDERSTAND = 0xc000;
/** Statuses that are a verdict on the object although nothing in the body says so. */
const VERDICTS: Readonly<Record<number, number>> = {
  400: CANNOT_UNDERSTAND,
  409: DIMSE_STATUS.processingFailure,
  // Content and media type: this object, in this syntax, will not be taken.
  413: CANNOT_UNDERSTAND,
  415: DIMSE_STATUS.sopClassNotSupported,
  429: OUT_OF_RESOURCES,
  503: OUT_OF_RESOURCES,
  507: OUT_OF_RESOURCES,
};
const NAMES_INSTANCES = new Set([200, 202, 400, 409]);

/** A fault for a status that is no verdict on an object. */
export function webFault(status: number): AifiError {
  const cause = new WebStatus(status);
  if (status === 401) {
    return new AifiError('UNAUTHENTICATED', 'the credential of the PACS is not taken', { cause });
  }
  if (status === 403) return new AifiError('FORBIDDEN', 'the PACS forbids this to us', { cause });
  return new AifiError('PEER_UNAVAILABLE', 'the DICOMweb service failed', { cause });
}

/** The DIMSE status; a fault where the answer is no verdict on the instance. */
export function storeStatus(answer: WebAnswer, sopInstanceUid: string): number {
  const named = NAMES_INSTANCES.has(answer.status)
    ? statusInBody(answer, sopInstanceUid)
    : undefined;
  const status = named ?? VERDICTS[answer.status];
  if (status !== undefined) return status;
  throw answer.status < 300 ? nonsense('the instance is not named') : webFault(answer.status);
}

function statusInBody({ status, body }: WebAnswer, sopInstanceUid: string): number | undefined {
  const dataset = readable(body, status);
  if (!dataset) return undefined;
  const isOurs = (item: JsonDataset): boolean =>
    textOf(item, TAG.referencedSopInstanceUid) === sopInstanceUid;
  const failure =
    itemsOf(dataset, TAG.failedSopSequence).find(isOurs) ??
    // Failures without a name: there was one instance, so it is this one.
    itemsOf(dataset, TAG.otherFailuresSequence)[0];
  if (failure) return failureStatus(numberOf(failure, TAG.failureReason));
  const stored = itemsOf(dataset, TAG.referencedSopSequence).find(isOurs);
  // 400 and 409: none was stored, whatever else is said.
  return stored && status < 300 ? warningStatus(numberOf(stored, TAG.warningReason)) : undefined;
}

function readable(body: Buffer, status: number): JsonDataset | undefined {
  try {
    return datasetsOf(body)[0];
  } catch (error) {
    // An error page says nothing of an instance; a success has to.
    if (status < 300) throw error;
    return undefined;
  }
}

/** A failure never counts as stored, whatever number it carries. */
function failureStatus(reason = 0): number {
  return storeVerdict(reason) === 'stored' ? DIMSE_STATUS.processingFailure : reason;
}
/** A warning always counts as stored. */
function warningStatus(reason: number | undefined): number {
  if (reason === undefined) return DIMSE_STATUS.success;
  return storeVerdict(reason) === 'stored' ? reason : DIMSE_STATUS.coercionOfDataElements;
}
