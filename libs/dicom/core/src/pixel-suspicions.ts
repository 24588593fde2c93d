/**
 * Pixel suspicions: what a header itself says about text in its pixels.
 * Decides three questions that the de-identification engine and the pixel gate both ask, so that
 * they cannot answer them differently; what follows from an answer is theirs.
 * Invariant: an absent Burned In Annotation says nothing.
 * Source: PS3.3 C.7.6.1.1.5 (Burned In Annotation), C.8.6.1, C.9.2 (overlay planes);
 * pseudonymisation specification 1.5, 1.6.
 */
import type { DicomDataset } from './dataset.js';

/** Image Type of saved screens and reports: anywhere in a value, as in SCREEN_SAVE. */
const SCREEN_WORDS = /SAVE|SCREEN|REPORT/;

/** Overlay bits inside the pixel values (60xx,0102): not removable without touching pixels. */
export function hasOverlayInPixels(dataset: DicomDataset): boolean {
  for (const { tag } of dataset) {
    const isBitPosition = tag >>> 24 === 0x60 && (tag & 0xffff) === 0x0102;
    // In Implicit VR a repeating group has VR UN, so the bytes are looked at.
    if (isBitPosition && dataset.bytes(tag)?.some((byte) => byte !== 0)) return true;
  }
  return false;
}

export function isScreenImage(dataset: DicomDataset): boolean {
  return dataset.strings('ImageType').some((word) => SCREEN_WORDS.test(word.toUpperCase()));
}

/** YES, or anything else that is not NO. */
export function declaresBurnedInText(dataset: DicomDataset): boolean {
  const isNo = (value: string): boolean => value === '' || value.toUpperCase() === 'NO';
  return !dataset.strings('BurnedInAnnotation').every(isNo);
}
