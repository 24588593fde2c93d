/**
 * Markers: what a pseudonymised object says about itself.
 * Decides which options of the standard are claimed, and claims none that is not true of this
 * object. Never claimed: Clean Graphics (113103: graphics are removed), Clean Structured Content
 * (113104: no reports leave), Full Dates (113106), Device (113109), UIDs (113110), Safe Private
 * (113111) and Institution (113112), because nothing of these is retained.
 * Invariant: nothing here depends on the present time; the contribution time is the shifted study
 * date, so that a second run gives the same bytes.
 * Source: PS3.15 E.1.1, PS3.16 CID 7050, PS3.3 C.12.1.1.6, pseudonymisation specification 1.4.
 */
import type { DeidentificationContract } from '@aifi/contracts-manifests';
import { DicomDataset } from '@aifi/dicom-core';

/**
 * Name and version of these rules; one value of De-identification Method, at most 64 characters.
 */
export const DEIDENTIFICATION_METHOD = 'AIFI gateway keep-list profile 2';

/** What was done to one object, as far as an option depends on it. */
export interface ClaimBasis {
  readonly contract: DeidentificationContract;
  readonly isCleaned: boolean;
}
export interface ClaimedOption {
  /** Code Value of coding scheme DCM (CID 7050). */
  readonly code: string;
  readonly meaning: string;
  /** For the conformance statement. */
  readonly when: string;
  readonly isTrue: (basis: ClaimBasis) => boolean;
}

export const CLAIMED_OPTIONS: readonly ClaimedOption[] = [
  {
    code: '113100',
    meaning: 'Basic Application Confidentiality Profile',
    when: 'always',
    isTrue: () => true,
  },
  {
    code: '113101',
    meaning: 'Clean Pixel Data Option',
    when: 'regions of the pixel data were blacked out',
    isTrue: ({ isCleaned }) => isCleaned,
  },
  {
    code: '113105',
    meaning: 'Clean Descriptors Option',
    when: 'always: descriptions are reduced to a vocabulary',
    isTrue: () => true,
  },
  {
    code: '113107',
    meaning: 'Retain Longitudinal Temporal Information Modified Dates Option',
    when: 'the contract has dates shifted, not removed',
    isTrue: ({ contract }) => contract.dates === 'shift',
  },
  {
    code: '113108',
    meaning: 'Retain Patient Characteristics Option',
    when: 'the contract retains age, sex, size, weight or pregnancy',
    isTrue: ({ contract }) => contract.retain.length > 0,
  },
];
/** Options of CID 7050 that are never claimed, and why. */
export const UNCLAIMED_OPTIONS: readonly (readonly [code: string, name: string, why: string])[] = [
  [
    '113102',
    'Clean Recognizable Visual Features',
    'such images do not leave, or leave as they are',
  ],
  ['113103', 'Clean Graphics', 'graphics are removed, not cleaned'],
  ['113104', 'Clean Structured Content', 'reports do not leave; Acquisition Context is emptied'],
  ['113106', 'Retain Longitudinal Temporal Information Full Dates', 'no real date leaves'],
  ['113109', 'Retain Device Identity', 'no serial number or station name leaves'],
  ['113110', 'Retain UIDs', 'every UID is remapped'],
  ['113111', 'Retain Safe Private', 'no private attribute leaves'],
  ['113112', 'Retain Institution Identity', 'no institution leaves'],
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

/** Adds the markers to a dataset whose dates are shifted, emptied or gone already. */
export function addMarkers(
  dataset: DicomDataset,
  basis: ClaimBasis & { readonly isExamined: boolean; readonly hasFeatures: boolean },
): void {
  const { contract, isExamined, hasFeatures } = basis;
  const areDatesKept = contract.dates === 'shift';
  const shiftedStudyDate = areDatesKept ? dataset.string('StudyDate') : undefined;
  dataset
    .setString('PatientIdentityRemoved', 'YES')
    .setString('DeidentificationMethod', DEIDENTIFICATION_METHOD)
    .setItems(
      'DeidentificationMethodCodeSequence',
      CLAIMED_OPTIONS.filter(({ isTrue }) => isTrue(basis)).map(({ code, meaning }) =>
        codeItem(code, meaning),
      ),
    )
    .setString('LongitudinalTemporalInformationModified', areDatesKept ? 'MODIFIED' : 'REMOVED')
    .setString('RecognizableVisualFeatures', hasFeatures ? 'YES' : 'NO')
    .setItems('ContributingEquipmentSequence', [equipmentItem(shiftedStudyDate)]);
  if (isExamined) dataset.setString('BurnedInAnnotation', 'NO');
}
