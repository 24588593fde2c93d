/**
 * Reading application/dicom+json: only what the answers of a store and a search hold.
 * Decides that an answer which is no list of objects is no answer.
 * Invariant: only own properties are read, by tag; nothing of the text reaches a message.
 * Source: PS3.18 annex F.2.
 */
import { nonsense } from './web-client.js';

/** One dataset: elements by tag, eight upper-case hexadecimal digits. */
export type JsonDataset = Readonly<Record<string, unknown>>;

export const TAG = {
  retrieveUrl: '00081190',
  warningReason: '00081196',
  failureReason: '00081197',
  failedSopSequence: '00081198',
  referencedSopSequence: '00081199',
  otherFailuresSequence: '0008119A',
  referencedSopClassUid: '00081150',
  referencedSopInstanceUid: '00081155',
  sopInstanceUid: '00080018',
  patientId: '00100020',
  issuerOfPatientId: '00100021',
  patientBirthDate: '00100030',
  patientName: '00100010',
  patientSex: '00100040',
  accessionNumber: '00080050',
  studyInstanceUid: '0020000D',
  seriesInstanceUid: '0020000E',
  sopClassUid: '00080016',
  studyDate: '00080020',
  studyTime: '00080030',
  modalitiesInStudy: '00080061',
  stationName: '00081010',
  studyDescription: '00081030',
} as const;

function isRecord(value: unknown): value is JsonDataset {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw nonsense('answer is not JSON');
  }
}

/** The datasets of an answer: a list, or the one of a store. */
export function datasetsOf(body: Buffer): readonly JsonDataset[] {
  const parsed = parseJson(body);
  const list: readonly unknown[] = Array.isArray(parsed) ? parsed : [parsed];
  if (!list.every(isRecord)) throw nonsense('answer is no list of datasets');
  return list;
}

function valuesOf(dataset: JsonDataset, tag: string): readonly unknown[] {
  const element = Object.hasOwn(dataset, tag) ? dataset[tag] : undefined;
  const value = isRecord(element) ? element['Value'] : undefined;
  return Array.isArray(value) ? value : [];
}
/** First text value; '' when there is none. */
export function textOf(dataset: JsonDataset, tag: string): string {
  const [value] = valuesOf(dataset, tag);
  return typeof value === 'string' ? value : '';
}
/** All text values. */
export function textsOf(dataset: JsonDataset, tag: string): string[] {
  return valuesOf(dataset, tag).filter((value) => typeof value === 'string');
}
/** First name, its groups as in a PN value; '' when there is none. */
export function nameOf(dataset: JsonDataset, tag: string): string {
  const [name] = valuesOf(dataset, tag).filter(isRecord);
  const groups = ['Alphabetic', 'Ideographic', 'Phonetic'].map((group) => {
    const value = name && Object.hasOwn(name, group) ? name[group] : undefined;
    return typeof value === 'string' ? value : '';
  });
  return groups.join('=').replace(/=+$/, '');
}
/** First number, which some services write as text. */
export function numberOf(dataset: JsonDataset, tag: string): number | undefined {
  const [value] = valuesOf(dataset, tag);
  const number = typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) ? number : undefined;
}
export function itemsOf(dataset: JsonDataset, tag: string): readonly JsonDataset[] {
  return valuesOf(dataset, tag).filter(isRecord);
}
