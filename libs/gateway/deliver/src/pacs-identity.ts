/**
 * Guard C7, the last look: is the study in the PACS still of the patient that the result names?
 * Decides "same", "renamed", "absent", "different" or "mixed"; never "probably". Pure.
 * Invariants: study, patient number and issuer decide; birth date and accession number only where
 * this PACS returns them; a name never makes it somebody else, as PACS spell names differently; a
 * study that the PACS lists under two patients is mixed.
 * Source: reliability specification, guard C7; PS3.4 C.6.2 (study level keys).
 */
import type { StudyMatch } from '@aifi/dicom-dimse';

/** The identity that the re-identified object carries. */
export type ResultIdentity = StudyMatch;
export type IdentityVerdict =
  /** This patient. */
  | 'same'
  /** This patient, whom the PACS calls by another name. */
  | 'renamed'
  /** The study is not there. */
  | 'absent'
  /** Somebody else. */
  | 'different'
  /** Under two patients: nobody can say whose it is. */
  | 'mixed';

/** LO: leading and trailing spaces are padding (PS3.5 6.2); case is significant. */
function normalised(value: string): string {
  return value.normalize('NFC').trim();
}
/** Optional keys count only where both sides have a value. */
function agrees(ours: string, theirs: string): boolean {
  const [a, b] = [normalised(ours), normalised(theirs)];
  return a === '' || b === '' || a === b;
}
/** A study of grouped orders has several accession numbers. */
function shareAccession(ours: string, theirs: string): boolean {
  const [a, b] = [ours, theirs].map((value) =>
    value
      .split('\\')
      .map(normalised)
      .filter((each) => each !== ''),
  ) as [string[], string[]];
  return a.length === 0 || b.length === 0 || a.some((each) => b.includes(each));
}
/** The alphabetic group; case, repeated spaces and empty components at the end are no name. */
function nameOf(value: string): string {
  const [alphabetic = ''] = value.split('=');
  return normalised(alphabetic)
    .replace(/[\s^]+$/, '')
    .replace(/\s+/g, ' ')
    .toUpperCase();
}

/** True when both are of one patient. */
function isSamePatient(ours: StudyMatch, theirs: StudyMatch): boolean {
  return (
    normalised(theirs.patientId) === normalised(ours.patientId) &&
    agrees(ours.issuerOfPatientId, theirs.issuerOfPatientId) &&
    agrees(ours.patientBirthDate, theirs.patientBirthDate)
  );
}

export function compareIdentity(
  result: ResultIdentity,
  matches: readonly StudyMatch[],
): IdentityVerdict {
  const ofStudy = matches.filter((m) => m.studyInstanceUid === result.studyInstanceUid);
  const [first, ...others] = ofStudy;
  if (!first) return 'absent';
  if (!others.every((other) => isSamePatient(first, other))) return 'mixed';
  const isSame = ofStudy.every(
    (match) =>
      isSamePatient(result, match) && shareAccession(result.accessionNumber, match.accessionNumber),
  );
  if (!isSame) return 'different';
  const hasName = ofStudy.every((m) => agrees(nameOf(result.patientName), nameOf(m.patientName)));
  return hasName ? 'same' : 'renamed';
}
