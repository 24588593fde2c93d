/**
 * Refusals: which instances may not leave at all, whatever the keep-list says.
 * Decides before any rewriting; the codes are those that hospital staff read. Whether pixels may
 * leave is the pixel gate's to say; what it has not looked at, and may show text, is refused here,
 * so that nothing passes by a way around it.
 * Invariant: a detail is fixed words, never a value of the dataset.
 * Source: pseudonymisation specification 1.6; PS3.3 C.8.6.1 (Secondary Capture), C.9.2 (overlays).
 */
import type { DeidentificationContract } from '@aifi/contracts-manifests';
import { isUid, refuse, type Result } from '@aifi/shared-kernel';
import {
  declaresBurnedInText,
  hasOverlayInPixels,
  isScreenImage,
  type DicomDataset,
} from '@aifi/dicom-core';
import type { DeidentificationContext, PixelClearance } from './deidentification-context.js';
import { patientKey } from './derivations.js';
import type { ClassFamily } from './keep-list.js';
import { hasRecognisableFeatures } from './visual-features.js';

const UID_KEYWORDS = ['SOPInstanceUID', 'SeriesInstanceUID', 'StudyInstanceUID'] as const;

/** The refusal of an instance of this family, or undefined when it may be pseudonymised. */
export function refusalOf(
  dataset: DicomDataset,
  family: ClassFamily | undefined,
  clearance: PixelClearance,
  { identityRemovedElsewhere }: Pick<DeidentificationContext, 'identityRemovedElsewhere'> = {},
): Result<never> | undefined {
  if (!family) return refuse('QUARANTINED_IDENTIFIER', 'no keep-list for this SOP class');
  for (const keyword of UID_KEYWORDS) {
    if (dataset.get(keyword)?.vr !== 'UI' || !isUid(dataset.string(keyword) ?? '')) {
      return refuse('QUARANTINED_IDENTIFIER', `${keyword} is missing or not a UID`);
    }
  }
  if (patientKey(dataset) === undefined) {
    return refuse('QUARANTINED_IDENTIFIER', 'no Patient ID');
  }
  const isRemoved = dataset.string('PatientIdentityRemoved')?.toUpperCase() === 'YES';
  if (isRemoved && identityRemovedElsewhere !== 'allow') {
    return refuse('QUARANTINED_IDENTIFIER', 'the identity was removed elsewhere already');
  }
  if (hasOverlayInPixels(dataset)) {
    return refuse('QUARANTINED_PIXELS', 'overlay inside the pixel data');
  }
  return unexaminedRefusalOf(dataset, family, clearance);
}

/** The refusal of an image that shows more than the product's contract allows. */
export function featureRefusalOf(
  dataset: DicomDataset,
  family: ClassFamily,
  contract: DeidentificationContract,
): Result<never> | undefined {
  const isAllowed = contract.recognisableVisualFeatures === 'allow';
  if (isAllowed || !hasRecognisableFeatures(dataset, family)) return undefined;
  return refuse('QUARANTINED_PIXELS', 'a face may be recognisable and the product allows none');
}

function unexaminedRefusalOf(
  dataset: DicomDataset,
  family: ClassFamily,
  { isExamined }: PixelClearance,
): Result<never> | undefined {
  if (isExamined) return undefined;
  if (family.needsExamination) {
    return refuse('QUARANTINED_PIXELS', 'pixels of this SOP class were not examined');
  }
  if (declaresBurnedInText(dataset)) {
    return refuse('QUARANTINED_PIXELS', 'burned-in annotation is declared');
  }
  if (isScreenImage(dataset)) {
    return refuse('QUARANTINED_PIXELS', 'screen or report image');
  }
  return undefined;
}
