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
import type { DicomDataset } from '@aifi/dicom-core';
import type { PixelClearance } from './deidentification-context.js';
import { patientKey } from './derivations.js';
import type { ClassFamily } from './keep-list.js';
import { hasRecognisableFeatures } from './visual-features.js';

// ImageType words of screens and reports that carry the patient's name in the pixels.
const SCREEN_WORDS = /\b(SAVE|SCREEN|REPORT)\b/;
const UID_KEYWORDS = ['SOPInstanceUID', 'SeriesInstanceUID', 'StudyInstanceUID'] as const;

/** The refusal of an instance of this family, or undefined when it may be pseudonymised. */
export function refusalOf(
  dataset: DicomDataset,
  family: ClassFamily | undefined,
  clearance: PixelClearance,
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
  if (dataset.string('PatientIdentityRemoved')?.toUpperCase() === 'YES') {
    return refuse('QUARANTINED_IDENTIFIER', 'the identity was removed elsewhere already');
  }
  return overlayRefusalOf(dataset) ?? unexaminedRefusalOf(dataset, family, clearance);
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

function overlayRefusalOf(dataset: DicomDataset): Result<never> | undefined {
  for (const { tag } of dataset) {
    // Overlay bits inside the pixel values (60xx,0102): not removable without touching pixels.
    const isBitPosition = tag >>> 24 === 0x60 && (tag & 0xffff) === 0x0102;
    // In Implicit VR a repeating group has VR UN, so the bytes are looked at.
    if (isBitPosition && dataset.bytes(tag)?.some((byte) => byte !== 0)) {
      return refuse('QUARANTINED_PIXELS', 'overlay inside the pixel data');
    }
  }
  return undefined;
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
  if (dataset.string('BurnedInAnnotation')?.toUpperCase() === 'YES') {
    return refuse('QUARANTINED_PIXELS', 'burned-in annotation is declared');
  }
  if (dataset.strings('ImageType').some((word) => SCREEN_WORDS.test(word.toUpperCase()))) {
    return refuse('QUARANTINED_PIXELS', 'screen or report image');
  }
  return undefined;
}
