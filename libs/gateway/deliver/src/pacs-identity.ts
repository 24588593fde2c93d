/**
 * Guard C7, the last look: is the study in the PACS still of the patient that the result names?
 * Decides "same", "absent" or "different"; never "probably". Pure.
 * Invariant: a study that the PACS lists under two patients is different.
 * Source: reliability specification, guard C7; PS3.4 C.6.2 (study level keys).
 */
import type { StudyMatch } from '@aifi/dicom-dimse';

/** The identity that the re-identified object carries. */
export type ResultIdentity = StudyMatch;
export type IdentityVerdict = 'same' | 'absent' | 'different';

/** LO: leading and trailing spaces are padding (PS3.5 6.2); case is significant. */
function normalised(value: string): string {
  return value.normalize('NFC').trim();
}
/** Optional keys count only where both sides have a value. */
function agrees(ours: string, theirs: string): boolean {
  const [a, b] = [normalised(ours), normalised(theirs)];
  return a === '' || b === '' || a === b;
}

export function compareIdentity(
  result: ResultIdentity,
  matches: readonly StudyMatch[],
): IdentityVerdict {
  const ofStudy = matches.filter((m) => m.studyInstanceUid === result.studyInstanceUid);
  if (ofStudy.length === 0) return 'absent';
  const isSame = ofStudy.every(
    (match) =>
      normalised(match.patientId) === normalised(result.patientId) &&
      agrees(result.issuerOfPatientId, match.issuerOfPatientId) &&
      agrees(result.patientBirthDate, match.patientBirthDate),
  );
  return isSame ? 'same' : 'different';
}
