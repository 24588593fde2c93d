/**
 * The last check of a re-identified object, on its bytes as they will be sent.
 * Decides whether it may go to the PACS: no pseudonym anywhere, not even where no rule looked; the
 * patient and study modules whole; a report that its checker passes.
 * Invariant: what fails is OUTPUT_INVALID, and a refusal says which check, never a value.
 * Source: results specification 4.1.1, 4.1.2; PS3.3 C.7.1.1, C.7.2.1 (types 1 and 2).
 */
import type { DicomDataset } from '@aifi/dicom-core';
import { checkReport, COMPREHENSIVE_3D_SR } from '@aifi/dicom-evidence';
import { ok, refuse, type Result } from '@aifi/shared-kernel';

/** May be empty, may not be absent. */
export const TYPE_2 = [
  ...['PatientName', 'PatientID', 'PatientBirthDate', 'PatientSex'],
  ...['StudyDate', 'StudyTime', 'ReferringPhysicianName', 'StudyID', 'AccessionNumber'],
] as const;
const TYPE_1 = [
  ...['SOPClassUID', 'SOPInstanceUID', 'StudyInstanceUID', 'SeriesInstanceUID', 'Modality'],
] as const;
/** Site code and 128 bits in base32: see the derivation of patient pseudonyms. */
const PATIENT_PSEUDONYM = /[A-Z][A-Z0-9-]{0,31}-[0-9A-HJKMNP-TV-Z]{26}(?![0-9A-Z])/;
/** The arc of every UID that is derived from a key, and of many others. */
const ARC_UIDS = /2\.25\.\d{20,39}/g;
/** Shorter values, such as a letter for the sex, occur by chance. @unit characters */
const TOKEN_MIN = 8;
const PSEUDONYMOUS = ['PatientID', 'PatientName', 'StudyID'] as const;

/** Values of the pseudonymous object that say whose it is at the hub. */
export function pseudonymsOf(source: DicomDataset): string[] {
  return PSEUDONYMOUS.flatMap((keyword) => source.strings(keyword)).filter(
    (text) => text.length >= TOKEN_MIN,
  );
}

export interface CheckedObject {
  readonly bytes: Buffer;
  readonly dataset: DicomDataset;
}

/** `pseudonyms` and the UIDs that `isPseudonymous` knows may be nowhere in the bytes. */
export function checkObject(
  { bytes, dataset }: CheckedObject,
  pseudonyms: readonly string[],
  isPseudonymous: (uid: string) => boolean,
): Result<void> {
  const text = bytes.toString('latin1');
  const hasPseudonym =
    PATIENT_PSEUDONYM.test(text) || pseudonyms.some((pseudonym) => text.includes(pseudonym));
  if (hasPseudonym) return refuse('OUTPUT_INVALID', 'a pseudonym is left');
  for (const [uid] of text.matchAll(ARC_UIDS)) {
    if (isPseudonymous(uid)) return refuse('OUTPUT_INVALID', 'a pseudonymous UID is left');
  }
  const isWhole =
    TYPE_1.every((keyword) => dataset.string(keyword) !== undefined) &&
    TYPE_2.every((keyword) => dataset.has(keyword));
  return isWhole ? ok(undefined) : refuse('OUTPUT_INVALID', 'a module is not complete');
}

/** A report of a product as its template wants it; every other object passes. */
export function checkContent(dataset: DicomDataset): Result<void> {
  if (dataset.string('SOPClassUID') !== COMPREHENSIVE_3D_SR) return ok(undefined);
  return checkReport(dataset).length === 0
    ? ok(undefined)
    : refuse('OUTPUT_INVALID', 'a report does not fit its template');
}
