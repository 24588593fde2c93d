/**
 * Markers: what a pseudonymised object says about itself.
 * Decides which options of the standard are claimed and by which equipment.
 * Invariant: nothing here depends on the present time; the contribution time is the shifted study
 * date, so that a second run gives the same bytes.
 * Source: PS3.15 E.1.1, PS3.16 CID 7050, PS3.3 C.12.1.1.6, pseudonymisation specification 1.4.
 */
import { DicomDataset } from '@aifi/dicom-core';

/**
 * Name and version of these rules; one value of De-identification Method, at most 64 characters.
 */
export const DEIDENTIFICATION_METHOD = 'AIFI gateway keep-list profile 1';

/** Options claimed: CodeValue of coding scheme DCM (CID 7050) and CodeMeaning. */
export const CLAIMED_OPTIONS: readonly (readonly [string, string])[] = [
  ['113100', 'Basic Application Confidentiality Profile'],
  ['113105', 'Clean Descriptors Option'],
  ['113107', 'Retain Longitudinal Temporal Information Modified Dates Option'],
  ['113108', 'Retain Patient Characteristics Option'],
];

function codeItem(value: string, meaning: string): DicomDataset {
  return new DicomDataset()
    .setString('CodeValue', value)
    .setString('CodingSchemeDesignator', 'DCM')
    .setString('CodeMeaning', meaning);
}

function equipmentItem(shiftedStudyDate: string | undefined): DicomDataset {
  const item = new DicomDataset()
    .setString('Manufacturer', 'AIFI')
    .setString('ManufacturerModelName', 'AIFI gateway')
    .setString('SoftwareVersions', DEIDENTIFICATION_METHOD)
    .setItems('PurposeOfReferenceCodeSequence', [codeItem('109104', 'De-identifying Equipment')]);
  if (shiftedStudyDate) item.setString('ContributionDateTime', shiftedStudyDate);
  return item;
}

/** Adds the markers to a dataset whose dates are shifted already. */
export function addMarkers(dataset: DicomDataset): void {
  dataset
    .setString('PatientIdentityRemoved', 'YES')
    .setString('DeidentificationMethod', DEIDENTIFICATION_METHOD)
    .setItems(
      'DeidentificationMethodCodeSequence',
      CLAIMED_OPTIONS.map(([value, meaning]) => codeItem(value, meaning)),
    )
    .setString('LongitudinalTemporalInformationModified', 'MODIFIED')
    .setItems('ContributingEquipmentSequence', [equipmentItem(dataset.string('StudyDate'))]);
}
