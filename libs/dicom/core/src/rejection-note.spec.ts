/**
 * Goal: a note rejects what it selects in its own study, and nothing else ever is one.
 * Method: documents built as TID 2010 has them, through the encoder and back.
 */
import { describe, expect, it } from '@jest/globals';
import {
  decodePart10,
  DicomDataset,
  encodePart10,
  KEY_OBJECT_SELECTION,
  REJECTION_TITLES,
  rejectionNoteOf,
  type RejectionTitle,
} from './index.js';

const STUDY = '1.2.3';
const CT = '1.2.840.10008.5.1.4.1.1.2';

interface NoteParts {
  readonly title?: string;
  readonly scheme?: string;
  readonly selected?: readonly string[];
  /** Study in the evidence of each. */
  readonly evidence?: Readonly<Record<string, string>>;
  readonly sopClass?: string;
}

function aNote(parts: NoteParts = {}): DicomDataset {
  const { title = '113001', scheme = 'DCM', selected = ['1.2.3.1'], sopClass } = parts;
  const evidence = parts.evidence ?? Object.fromEntries(selected.map((uid) => [uid, STUDY]));
  const reference = (uid: string): DicomDataset =>
    new DicomDataset()
      .setString('ReferencedSOPClassUID', CT)
      .setString('ReferencedSOPInstanceUID', uid);
  const series = (uid: string): DicomDataset =>
    new DicomDataset()
      .setString('SeriesInstanceUID', '1.2.3.0')
      .setItems('ReferencedSOPSequence', [reference(uid)]);
  const code = new DicomDataset()
    .setString('CodeValue', title)
    .setString('CodingSchemeDesignator', scheme)
    .setString('CodeMeaning', 'Title');
  const dataset = new DicomDataset()
    .setString('SOPClassUID', sopClass ?? KEY_OBJECT_SELECTION)
    .setString('SOPInstanceUID', '1.2.3.9')
    .setString('StudyInstanceUID', STUDY)
    .setString('SeriesInstanceUID', '1.2.3.8')
    .setItems('ConceptNameCodeSequence', [code])
    .setItems(
      'CurrentRequestedProcedureEvidenceSequence',
      Object.entries(evidence).map(([uid, study]) =>
        new DicomDataset()
          .setString('StudyInstanceUID', study)
          .setItems('ReferencedSeriesSequence', [series(uid)]),
      ),
    )
    .setItems(
      'ContentSequence',
      selected.map((uid) =>
        new DicomDataset()
          .setString('RelationshipType', 'CONTAINS')
          .setString('ValueType', 'IMAGE')
          .setItems('ReferencedSOPSequence', [reference(uid)]),
      ),
    );
  return decodePart10(encodePart10(dataset)).dataset;
}

describe(rejectionNoteOf.name, () => {
  it.each(Object.keys(REJECTION_TITLES) as RejectionTitle[])('reads title %s', (title) => {
    const note = rejectionNoteOf(aNote({ title, selected: ['1.2.3.1', '1.2.3.2', '1.2.3.1'] }));
    expect(note).toEqual({ title, instances: ['1.2.3.1', '1.2.3.2'] });
  });
  it.each([
    ['another title', { title: '113000' }],
    ['another coding scheme', { scheme: '99LOCAL' }],
    ['another kind of document', { sopClass: CT }],
  ])('reads no rejection in %s', (_, parts) => {
    expect(rejectionNoteOf(aNote(parts))).toBeUndefined();
  });
  it('leaves out images of another study, and those that the evidence does not name', () => {
    const evidence = { '1.2.3.1': STUDY, '1.2.3.2': '1.2.4' };
    const note = aNote({ selected: ['1.2.3.1', '1.2.3.2', '1.2.3.3'], evidence });
    expect(rejectionNoteOf(note)?.instances).toEqual(['1.2.3.1']);
  });
  it('rejects nothing that is only evidence', () => {
    const note = aNote({ selected: [], evidence: { '1.2.3.1': STUDY } });
    expect(rejectionNoteOf(note)?.instances).toEqual([]);
  });
  it('takes no reference that is not a UID', () => {
    const note = aNote({ selected: ['1.2..3'], evidence: { '1.2..3': STUDY } });
    expect(rejectionNoteOf(note)?.instances).toEqual([]);
  });
});
