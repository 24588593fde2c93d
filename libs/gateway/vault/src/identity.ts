/**
 * Identity: the Patient and Study module of a study, byte for byte.
 * Decides which attributes come back on a result, how they are kept, and how two identities are
 * compared without showing them. Invariants: value bytes are never transcoded here; an HMAC reveals
 * nothing without the site's key.
 * Source: results specification 4.1.2; reliability specification C4, C5; PS3.3 C.7.1.1, C.7.2.1.
 */
import { createHmac } from 'node:crypto';
import { DicomDataset, ElementWalker, encodeDataset } from '@aifi/dicom-core';
import { IDENTITY_KEYWORDS } from '@aifi/dicom-deidentification';

/** Attributes that the envelope and the linkage row compare (guard C5). */
const COMPARED_KEYWORDS = [
  'PatientName',
  'PatientID',
  'IssuerOfPatientID',
  'PatientBirthDate',
  'PatientSex',
  'StudyInstanceUID',
  'StudyDate',
  'AccessionNumber',
] as const;
export type ComparedKeyword = (typeof COMPARED_KEYWORDS)[number];

export interface Identity {
  /**
   * The attributes with tag, VR and value bytes: a dataset in Explicit VR Little Endian, base64.
   */
  readonly elements: string;
  /** Decoded and normalised text of the compared attributes; '' when absent. */
  readonly fields: Readonly<Record<ComparedKeyword, string>>;
}

const EXPLICIT_LE = { explicitVr: true, littleEndian: true };

/** Reads the identity of a received instance. Throws DICOM_MALFORMED when text does not decode. */
export function identityOf(dataset: DicomDataset): Identity {
  const elements = new DicomDataset();
  for (const keyword of IDENTITY_KEYWORDS) {
    const element = dataset.get(keyword);
    if (element) elements.put(element);
  }
  const fields = Object.fromEntries(
    COMPARED_KEYWORDS.map((keyword) => [keyword, normalised(dataset.strings(keyword))]),
  ) as Record<ComparedKeyword, string>;
  return { elements: encodeDataset(elements, EXPLICIT_LE).toString('base64'), fields };
}

function normalised(values: readonly string[]): string {
  return values.join('\\').normalize('NFC').trim().replace(/\s+/g, ' ');
}

/** The attributes of an identity as a dataset, values byte-equal to the original. */
export function identityElements(identity: Identity): DicomDataset {
  const walker = new ElementWalker(EXPLICIT_LE);
  walker.push(Buffer.from(identity.elements, 'base64'));
  return walker.end().dataset;
}

/** One HMAC-SHA-256 (hex) per compared attribute; what travels sealed instead of the identity. */
export function identityHmacs(
  identity: Identity,
  key: Uint8Array,
): Readonly<Record<ComparedKeyword, string>> {
  return Object.fromEntries(
    COMPARED_KEYWORDS.map((keyword) => [
      keyword,
      createHmac('sha256', key).update(`${keyword}\0${identity.fields[keyword]}`).digest('hex'),
    ]),
  ) as Record<ComparedKeyword, string>;
}
