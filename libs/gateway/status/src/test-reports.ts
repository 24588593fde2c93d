/**
 * Test reports: what a product left in the PACS, for the suite of this library; not exported.
 * Decides the least that a report needs to be read as a result, or as an explicit negative of one
 * image. Source: results specification 4.2.
 */
import { DicomDataset } from '@aifi/dicom-core';
import { COMPREHENSIVE_3D_SR } from '@aifi/dicom-evidence';

export const MR_IMAGE_STORAGE = '1.2.840.10008.5.1.4.1.1.4';

const code = (value: string, scheme: string, meaning: string): DicomDataset =>
  new DicomDataset()
    .setString('CodeValue', value)
    .setString('CodingSchemeDesignator', scheme)
    .setString('CodeMeaning', meaning);
const reference = (): DicomDataset =>
  new DicomDataset()
    .setString('ReferencedSOPClassUID', MR_IMAGE_STORAGE)
    .setString('ReferencedSOPInstanceUID', '1.2.3.9.1');

/** A report that evaluates nothing. */
export function plainReport(): DicomDataset {
  return new DicomDataset()
    .setString('SOPClassUID', COMPREHENSIVE_3D_SR)
    .setString('SOPInstanceUID', '1.2.3.8');
}

/** A report with a fracture as absent on one image. */
export function negativeReport(): DicomDataset {
  const image = new DicomDataset()
    .setString('ValueType', 'IMAGE')
    .setItems('ReferencedSOPSequence', [reference()]);
  const evaluation = new DicomDataset()
    .setItems('ConceptNameCodeSequence', [code('125605004', 'SCT', 'Fracture of bone')])
    .setItems('ConceptCodeSequence', [code('121054', 'DCM', 'Absent')])
    .setItems('ContentSequence', [image]);
  const evaluations = new DicomDataset()
    .setItems('ConceptNameCodeSequence', [code('C0034375', 'UMLS', 'Qualitative Evaluations')])
    .setItems('ContentSequence', [evaluation]);
  const series = new DicomDataset()
    .setString('SeriesInstanceUID', '1.2.3.1')
    .setItems('ReferencedSOPSequence', [reference()]);
  const study = new DicomDataset().setItems('ReferencedSeriesSequence', [series]);
  return plainReport()
    .setItems('CurrentRequestedProcedureEvidenceSequence', [study])
    .setItems('ContentSequence', [evaluations]);
}

/** The images that a status object refers to, in its order. */
export function imagesOf(object: DicomDataset): (string | undefined)[] {
  const [library] = object.items('ContentSequence').at(-2)!.items('ContentSequence');
  return library!
    .items('ContentSequence')
    .map((item) => item.items('ReferencedSOPSequence')[0]!.string('ReferencedSOPInstanceUID'));
}
