/**
 * Where the dates of a result come from, by attribute.
 * Decides which dates are shifted back and which are true already: the hub makes some of them now,
 * and copies others from the pseudonymised images. Invariant: a date that is in neither list is of
 * unknown origin, and no result with one is believed.
 * Source: results specification 4.1.2; PS3.6 (attributes of VR DA and DT).
 */

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
