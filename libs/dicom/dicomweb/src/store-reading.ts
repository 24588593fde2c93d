/**
 * Reading the whole answer to a STOW-RS request of many instances.
 * Decides what is believed: failures by reason, successes by number.
 * Source: PS3.18 10.5.3 and I.2; F.2 (JSON).
 */
import { DIMSE_STATUS } from '@aifi/dicom-dimse';
import { datasetsOf, itemsOf, numberOf, TAG, textOf, type JsonDataset } from './dicom-json.js';

export interface FailedInstance {
  /** '' when it was not read far enough to have a name. */
  readonly sopInstanceUid: string;
  /** Failure reason; 0110 where none is given. */
  readonly status: number;
}

/** Undefined when the body is no such answer. */
export function readStoreAnswer(
  body: Buffer,
): { readonly stored: number; readonly failed: FailedInstance[] } | undefined {
  let answer: JsonDataset | undefined;
  try {
    [answer] = datasetsOf(body);
  } catch {
    return undefined;
  }
  if (!answer) return undefined;
  const failures = [TAG.failedSopSequence, TAG.otherFailuresSequence].flatMap((tag) =>
    itemsOf(answer, tag),
  );
  const failed = failures.map((item) => ({
    sopInstanceUid: textOf(item, TAG.referencedSopInstanceUid),
    status: numberOf(item, TAG.failureReason) || DIMSE_STATUS.processingFailure,
  }));
  return { stored: itemsOf(answer, TAG.referencedSopSequence).length, failed };
}
