/**
 * Rejection note: a Key Object Selection Document whose title says that images must not be used.
 * Decides which images it rejects: those that its content selects and that its evidence places in
 * the note's own study. Invariants: another title rejects nothing; a note says nothing about
 * images of another study; what is not a valid UID is no image.
 * Source: IHE RAD TF-3 4.66; PS3.3 A.35.4, C.17.6.2; PS3.16 TID 2010, CID 7011.
 */
import { AifiError, isUid, LIMITS } from '@aifi/shared-kernel';
import type { DicomDataset } from './dataset.js';

export const KEY_OBJECT_SELECTION = '1.2.840.10008.5.1.4.1.1.88.59';
/** Titles (scheme DCM) under which images are withdrawn. */
export const REJECTION_TITLES = {
  '113001': 'rejected for quality reasons',
  '113037': 'rejected for patient safety reasons',
  '113038': 'incorrect modality worklist entry',
  '113039': 'data retention policy expired',
} as const;
export type RejectionTitle = keyof typeof REJECTION_TITLES;

export interface RejectionNote {
  readonly title: RejectionTitle;
  /** SOP Instance UIDs, each once. */
  readonly instances: readonly string[];
}

/** Undefined when it rejects nothing; LIMIT_EXCEEDED when it names more than a study can hold. */
export function rejectionNoteOf(document: DicomDataset): RejectionNote | undefined {
  if (document.string('SOPClassUID') !== KEY_OBJECT_SELECTION) return undefined;
  const concept = document.items('ConceptNameCodeSequence')[0];
  const title = concept?.string('CodeValue');
  const isDcm = concept?.string('CodingSchemeDesignator') === 'DCM';
  if (!isDcm || title === undefined || !isRejection(title)) return undefined;
  const own = inEvidence(document);
  const selected = document
    .items('ContentSequence')
    .filter((item) => item.string('RelationshipType') === 'CONTAINS')
    .flatMap((item) => item.items('ReferencedSOPSequence'))
    .flatMap((reference) => uidOf(reference, 'ReferencedSOPInstanceUID'));
  const instances = [...new Set(selected)].filter((uid) => own.has(uid));
  if (instances.length > LIMITS.instancesPerStudyMax) {
    throw new AifiError('LIMIT_EXCEEDED', 'a rejection note names too many images');
  }
  return { title, instances };
}

const isRejection = (title: string): title is RejectionTitle =>
  Object.hasOwn(REJECTION_TITLES, title);

/** What the note says to lie in its own study. */
function inEvidence(document: DicomDataset): ReadonlySet<string> {
  const study = document.string('StudyInstanceUID');
  const uids = document
    .items('CurrentRequestedProcedureEvidenceSequence')
    .filter((item) => study !== undefined && item.string('StudyInstanceUID') === study)
    .flatMap((item) => item.items('ReferencedSeriesSequence'))
    .flatMap((series) => series.items('ReferencedSOPSequence'))
    .flatMap((reference) => uidOf(reference, 'ReferencedSOPInstanceUID'));
  return new Set(uids);
}

function uidOf(item: DicomDataset, keyword: string): string[] {
  const uid = item.string(keyword);
  return uid !== undefined && isUid(uid) ? [uid] : [];
}
