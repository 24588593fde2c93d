/**
 * Own rules: what a header says about text in its pixels, beyond the shared filter file.
 * Decides what is refused for good (overlay bits inside the pixel values cannot be taken out),
 * what a person has to look at, and what the shared file suspects without knowing. A Burned In
 * Annotation that is absent says nothing. Invariant: reasons are fixed words, never a value.
 * Source: pseudonymisation specification 1.5 (the filter of CTP), 1.6; PS3.3 C.8.6.1, C.9.2.
 */
import {
  declaresBurnedInText,
  hasOverlayInPixels,
  isScreenImage,
  type DicomDataset,
} from '@aifi/dicom-core';

export type HeaderVerdict =
  { readonly kind: 'refuse'; readonly reason: string } | { readonly kind: 'hold'; reason: string };

/** Secondary Capture and its multi-frame forms (PS3.4 B.5). */
const SECONDARY_CAPTURE = /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.7(\.[1-4])?$/;
/** The Secondary Capture device: a screen was photographed, whatever the SOP class says. */
const CAPTURE_DEVICE = [
  ...['DateOfSecondaryCapture', 'SecondaryCaptureDeviceID'],
  ...['SecondaryCaptureDeviceManufacturer', 'SecondaryCaptureDeviceManufacturerModelName'],
  'SecondaryCaptureDeviceSoftwareVersions',
];

/**
 * What a match on the blacklist of the shared file means here. A person decides unless named:
 * pages of text never leave; a derived image of a known scanner is a suspicion, and the whole
 * picture is examined instead of its borders (a lossy copy is derived too, PS3.3 C.7.6.1.1.2).
 */
export const BLACKLIST_MEANING: Readonly<Record<string, 'refuse' | 'examine'>> = {
  'Any REPORTDATA': 'refuse',
  'Any DEMOGRAPHICDATA, INVALID': 'refuse',
  'Stanford Blacklist Missing ImageType': 'examine',
  'Stanford Blacklist secondary or derived catchall': 'examine',
};

export function isSecondaryCapture(header: DicomDataset): boolean {
  return SECONDARY_CAPTURE.test(header.string('SOPClassUID') ?? '');
}

/** Undefined when these rules have no objection. */
export function ownVerdictOf(header: DicomDataset): HeaderVerdict | undefined {
  if (hasOverlayInPixels(header)) {
    return { kind: 'refuse', reason: 'overlay inside the pixel data' };
  }
  const hold = (reason: string): HeaderVerdict => ({ kind: 'hold', reason });
  if (declaresBurnedInText(header)) return hold('burned-in annotation is declared');
  if (isSecondaryCapture(header)) return hold('secondary capture');
  if (isScreenImage(header)) return hold('screen or report image');
  if (header.strings('SeriesDescription').some((value) => value.toUpperCase().includes('SAVE'))) {
    return hold('the series is named as a saved screen');
  }
  if (CAPTURE_DEVICE.some((keyword) => header.string(keyword) !== undefined)) {
    return hold('a secondary capture device is named');
  }
  return undefined;
}
