/**
 * A note with which the hospital rejects images of one of its studies, as a modality sends it.
 * Decides nothing; it names images that came, that are still to come, and that never do.
 * Source: IHE RAD TF-3 4.66; PS3.16 TID 2010.
 */
import { DicomDataset, encodePart10, KEY_OBJECT_SELECTION } from '@aifi/dicom-core';
import { sha256Hex } from '@aifi/shared-kernel';
import { studyUidOf, type Instance, type Patient } from './hospital.js';

export interface NotePlan {
  readonly number: number;
  readonly patient: Patient;
  /** How many notes of the study there are by now. */
  readonly count: number;
  readonly rejected: readonly Pick<Instance, 'sopClassUid' | 'sopInstanceUid'>[];
}

export function noteOf({ number, patient, count, rejected }: NotePlan): Instance {
  const studyUid = studyUidOf(number);
  const [seriesUid, sopInstanceUid] = [`${studyUid}.9`, `${studyUid}.9.${count}`];
  const reference = (of: NotePlan['rejected'][number]): DicomDataset =>
    new DicomDataset()
      .setString('ReferencedSOPClassUID', of.sopClassUid)
      .setString('ReferencedSOPInstanceUID', of.sopInstanceUid);
  const series = new DicomDataset()
    .setString('SeriesInstanceUID', `${studyUid}.1`)
    .setItems('ReferencedSOPSequence', rejected.map(reference));
  const dataset = new DicomDataset()
    .setString('SOPClassUID', KEY_OBJECT_SELECTION)
    .setString('SOPInstanceUID', sopInstanceUid)
    .setString('Modality', 'KO')
    .setString('PatientName', patient.name)
    .setString('PatientID', patient.id)
    .setString('StudyInstanceUID', studyUid)
    .setString('SeriesInstanceUID', seriesUid)
    .setItems('ConceptNameCodeSequence', [
      new DicomDataset()
        .setString('CodeValue', '113001')
        .setString('CodingSchemeDesignator', 'DCM'),
    ])
    .setItems('CurrentRequestedProcedureEvidenceSequence', [
      new DicomDataset()
        .setString('StudyInstanceUID', studyUid)
        .setItems('ReferencedSeriesSequence', [series]),
    ])
    .setItems(
      'ContentSequence',
      rejected.map((of) =>
        new DicomDataset()
          .setString('RelationshipType', 'CONTAINS')
          .setItems('ReferencedSOPSequence', [reference(of)]),
      ),
    );
  const bytes = encodePart10(dataset);
  const [sopClassUid, sha256] = [KEY_OBJECT_SELECTION, sha256Hex(bytes)];
  return { sopInstanceUid, sopClassUid, seriesUid, studyUid, modality: 'KO', bytes, sha256 };
}
