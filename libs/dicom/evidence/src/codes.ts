/**
 * Codes: the concepts that our results use, with their meanings.
 * Decides value, scheme and meaning of each; meanings are those of the scheme, in English.
 * Invariant: a concept is spelled once, here. Source: PS3.16 annex D (DCM), CID 100, 6147, 7021,
 * 7150, 7202, 7203, 7551, TID 1001-1004, 1204, 1410, 1411, 1500, 1501, 1600, 4019; results
 * specification 4.2.
 */
import { DicomDataset } from '@aifi/dicom-core';

export interface Code {
  readonly value: string;
  readonly scheme: string;
  readonly meaning: string;
}

const dcm = (value: string, meaning: string): Code => ({ value, scheme: 'DCM', meaning });
const sct = (value: string, meaning: string): Code => ({ value, scheme: 'SCT', meaning });

export const CODES = {
  // Document and its context.
  report: dcm('126000', 'Imaging Measurement Report'),
  language: dcm('121049', 'Language of Content Item and Descendants'),
  observerType: dcm('121005', 'Observer Type'),
  device: dcm('121007', 'Device'),
  deviceUid: dcm('121012', 'Device Observer UID'),
  deviceName: dcm('121013', 'Device Observer Name'),
  deviceManufacturer: dcm('121014', 'Device Observer Manufacturer'),
  deviceModel: dcm('121015', 'Device Observer Model Name'),
  deviceSerial: dcm('121016', 'Device Observer Serial Number'),
  procedureReported: dcm('121058', 'Procedure reported'),
  // Image library.
  imageLibrary: dcm('111028', 'Image Library'),
  imageLibraryGroup: dcm('126200', 'Image Library Group'),
  // Measurements.
  measurements: dcm('126010', 'Imaging Measurements'),
  measurementGroup: dcm('125007', 'Measurement Group'),
  trackingIdentifier: dcm('112039', 'Tracking Identifier'),
  trackingUid: dcm('112040', 'Tracking Unique Identifier'),
  finding: dcm('121071', 'Finding'),
  findingSite: sct('363698007', 'Finding Site'),
  volume: sct('118565006', 'Volume'),
  millilitre: { value: 'mL', scheme: 'UCUM', meaning: 'milliliter' },
  sourceOfMeasurement: dcm('121112', 'Source of Measurement'),
  // Algorithm identification.
  algorithmName: dcm('111001', 'Algorithm Name'),
  algorithmVersion: dcm('111003', 'Algorithm Version'),
  algorithmManufacturer: dcm('122405', 'Algorithm Manufacturer'),
  algorithmParameters: dcm('111002', 'Algorithm Parameters'),
  algorithmFamily: dcm('111000', 'Algorithm Family'),
  artificialIntelligence: dcm('123110', 'Artificial Intelligence'),
  // Segments and regions.
  referencedSegment: dcm('121191', 'Referenced Segment'),
  sourceSeries: dcm('121232', 'Source series for segmentation'),
  anatomicalStructure: sct('123037004', 'Anatomical Structure'),
  segmentation: dcm('113076', 'Segmentation'),
  sourceImage: dcm('121322', 'Source image for image processing operation'),
  imageRegion: dcm('111030', 'Image Region'),
  certainty: dcm('111012', 'Certainty of Finding'),
  percent: { value: '%', scheme: 'UCUM', meaning: 'percent' },
  present: dcm('121053', 'Present'),
  absent: dcm('121054', 'Absent'),
  // Remarks on the whole.
  qualitativeEvaluations: {
    value: 'C0034375',
    scheme: 'UMLS',
    meaning: 'Qualitative Evaluations',
  },
  comment: dcm('121106', 'Comment'),
  // Equipment.
  processingEquipment: dcm('109102', 'Processing Equipment'),
} as const satisfies Record<string, Code>;

/** Languages of TID 1204. */
export const LANGUAGE_CODES = {
  'en-GB': { value: 'en-GB', scheme: 'RFC5646', meaning: 'English (United Kingdom)' },
  'nl-NL': { value: 'nl-NL', scheme: 'RFC5646', meaning: 'Dutch (Netherlands)' },
} as const satisfies Record<string, Code>;

// CID 100 holds few procedures, none by body part for MR; the group's general term covers the rest.
const PROCEDURES: Readonly<Record<string, Code>> = {
  CT: { value: '25045-6', scheme: 'LN', meaning: 'CT unspecified body region' },
  MR: { value: '25056-3', scheme: 'LN', meaning: 'MRI unspecified body region' },
};
const IMAGING_PROCEDURE = sct('363679005', 'Imaging procedure');

/** The procedure reported, a code of CID 100, from the modality of the source. */
export function procedureCode(modality: string | undefined): Code {
  return PROCEDURES[modality ?? ''] ?? IMAGING_PROCEDURE;
}

/** Item of a code sequence (PS3.3 8.8). */
export function codeItem(code: Code): DicomDataset {
  return new DicomDataset()
    .setString('CodeValue', code.value)
    .setString('CodingSchemeDesignator', code.scheme)
    .setString('CodeMeaning', code.meaning);
}
/** True when the item names this concept; the meaning is not compared (PS3.3 8.3). */
export function isCode(item: DicomDataset | undefined, code: Code): boolean {
  return (
    item?.string('CodeValue') === code.value &&
    item.string('CodingSchemeDesignator') === code.scheme
  );
}
