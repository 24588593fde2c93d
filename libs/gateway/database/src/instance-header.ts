/**
 * InstanceHeader: the few attributes of a received instance that assemble and select read.
 * Decides what the pipeline database may know of an image: geometry and description, no patient.
 * Units: mm; frames: patient LPS (PS3.3 C.7.6.2.1.1).
 */
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
}
