/**
 * Refusals: which instances may not leave at all, whatever the keep-list says.
 * Decides before any rewriting; the codes are those that hospital staff read.
 * Invariant: a detail is fixed words, never a value of the dataset.
 * Source: pseudonymisation specification 1.6; PS3.3 C.8.6.1 (Secondary Capture), C.9.2 (overlays).
 */
import { isUid, refuse, type Result } from '@aifi/shared-kernel';
import type { DicomDataset } from '@aifi/dicom-core';
import { patientKey } from './derivations.js';
import { KEEP_LISTS } from './keep-list.js';

// Secondary Capture and its multi-frame forms: pixels of unknown origin (PS3.4 B.5).
const SECONDARY_CAPTURE = /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.7(\.[1-4])?$/;
// ImageType words of screens and reports that carry the patient's name in the pixels.
const SCREEN_WORDS = /\b(SAVE|SCREEN|REPORT)\b/;
const UID_KEYWORDS = ['SOPInstanceUID', 'SeriesInstanceUID', 'StudyInstanceUID'] as const;

/** The refusal of this instance, or undefined when it may be pseudonymised. */
export function refusalOf(dataset: DicomDataset): Result<never> | undefined {
  const sopClassUid = dataset.string('SOPClassUID') ?? '';
  if (SECONDARY_CAPTURE.test(sopClassUid)) {
    return refuse('QUARANTINED_PIXELS', 'secondary capture');
  }
  if (!KEEP_LISTS.has(sopClassUid)) {
    return refuse('QUARANTINED_IDENTIFIER', 'no keep-list for this SOP class');
  }
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
  return pixelRefusalOf(dataset);
}

function pixelRefusalOf(dataset: DicomDataset): Result<never> | undefined {
  if (dataset.string('BurnedInAnnotation')?.toUpperCase() === 'YES') {
    return refuse('QUARANTINED_PIXELS', 'burned-in annotation is declared');
  }
  if (dataset.strings('ImageType').some((word) => SCREEN_WORDS.test(word.toUpperCase()))) {
    return refuse('QUARANTINED_PIXELS', 'screen or report image');
  }
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
