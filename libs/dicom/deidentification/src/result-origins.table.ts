/**
 * Where the attributes of a result come from: what re-identification runs by.
 * Decides which attributes are the patient's own, which dates are shifted back and which are true
 * already, and what the de-identifier left that a result may not carry. Data only: the vault, the
 * re-identifier and the conformance statement read the same lists.
 * Invariant: a date that is in no list is of unknown origin, and no result with one is believed.
 * Source: results specification 4.1.2; PS3.3 C.7.1.1, C.7.2.1; PS3.6 (attributes of VR DA and DT).
 */

/** Attributes copied byte-equal from the original to every result of the study. */
export const IDENTITY_KEYWORDS = [
  'SpecificCharacterSet',
  'StudyDate',
  'StudyTime',
  'AccessionNumber',
  'IssuerOfAccessionNumberSequence',
  'ReferringPhysicianName',
  'StudyDescription',
  'PatientName',
  'PatientID',
  'IssuerOfPatientID',
  'IssuerOfPatientIDQualifiersSequence',
  'PatientBirthDate',
  'PatientSex',
  'StudyInstanceUID',
  'StudyID',
] as const;

/** A result is a clinical object: the markers of de-identification go. */
export const DEIDENTIFICATION_TAGS: readonly number[] = [
  0x00120062, // PatientIdentityRemoved
  0x00120063, // DeidentificationMethod
  0x00120064, // DeidentificationMethodCodeSequence
  0x00280303, // LongitudinalTemporalInformationModified
];
/** Purpose of the item of Contributing Equipment that goes: De-identifying Equipment (DCM). */
export const DEIDENTIFYING_EQUIPMENT = '109104';
/** No attribute of this group that the hub wrote survives. */
export const PATIENT_GROUP = 0x0010;
/** What follows pixel data is padding, or a signature that no longer holds (PS3.3 C.12.1.1.3). */
export const LAST_TAG_OF_A_RESULT = 0x7fe00010;

/** Of the images, so shifted with the patient's offset. */
export const SOURCE_DATES: ReadonlySet<number> = new Set([
  0x00080020, // StudyDate, below the top level: of a study that is referred to
  0x00080022, // AcquisitionDate
  0x0008002a, // AcquisitionDateTime
  0x00189074, // FrameAcquisitionDateTime
  0x00189151, // FrameReferenceDateTime
  0x00400244, // PerformedProcedureStepStartDate
  0x00400250, // PerformedProcedureStepEndDate
]);

/** Made with the result, so real. */
export const MADE_DATES: ReadonlySet<number> = new Set([
  0x00080012, // InstanceCreationDate
  0x00080021, // SeriesDate
  0x00080023, // ContentDate
  0x0018a002, // ContributionDateTime
  0x0040a032, // ObservationDateTime
  0x00700082, // PresentationCreationDate
]);

/** Made date and its time of day, which are in the zone that the object declares. */
export const MADE_PAIRS: readonly (readonly [string, string])[] = [
  ['InstanceCreationDate', 'InstanceCreationTime'],
  ['SeriesDate', 'SeriesTime'],
  ['ContentDate', 'ContentTime'],
];
