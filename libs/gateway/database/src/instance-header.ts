/**
 * InstanceHeader: the few attributes of a received instance that assemble and select read.
 * Decides what the pipeline database may know of an image: geometry, description, equipment, and of
 * the patient an age, a sex and keyed digests. Invariant: no name, number or date of a patient.
 * Units: mm; frames: patient LPS (PS3.3 C.7.6.2.1.1).
 */
import type { AgeFact } from '@aifi/policy-routing-rules';

/** How an instance came in. */
export type IntakeWay = 'dimse' | 'web' | 'folder' | 'retrieved';

export interface InstanceHeader {
  readonly modality?: string;
  readonly seriesDescription?: string;
  readonly protocolName?: string;
  readonly bodyPartExamined?: string;
  readonly imageType?: readonly string[];
  readonly seriesNumber?: number;
  readonly frameOfReferenceUid?: string;
  /** Direction cosines of row and column, LPS. */
  readonly imageOrientationPatient?: readonly number[];
  /** Centre of the first voxel, LPS. @unit mm */
  readonly imagePositionPatient?: readonly number[];
  /** @unit mm */
  readonly sliceThicknessMm?: number;
  readonly rows?: number;
  readonly columns?: number;
  readonly numberOfFrames?: number;
  /** Image Laterality, or Laterality of the series. */
  readonly laterality?: string;
  readonly viewPosition?: string;
  readonly manufacturer?: string;
  readonly manufacturerModelName?: string;
  readonly convolutionKernel?: readonly string[];
  readonly contrastBolusAgent?: string;
  readonly patientPosition?: string;
  readonly imagesInAcquisition?: number;
  /** `scheme:code` of the procedure, that which was requested first. */
  readonly procedureCodes?: readonly string[];
  readonly sex?: 'F' | 'M' | 'O';
  /** On the day of the study; nothing leads back to a birth date. */
  readonly age?: AgeFact;
  /** Date and time of the study by the hospital's clock. @unit ms */
  readonly acquiredAtMs?: number;
  /** `patientKeyOf`: number and issuer. */
  readonly patientKey?: string;
  /** `accessionKeyOf`. */
  readonly accessionKey?: string;
}
