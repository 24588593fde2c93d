/**
 * Slice placement: where the frames of a segmentation lie, from the headers of the source images.
 * Decides that position is the frame's own, and that orientation, spacing and frame of reference
 * are one for all, as in any volume that a product reads. Invariant: numbers are those of the
 * source header, never computed, except the distance of slices. Frame: patient LPS, mm.
 * Source: PS3.3 C.7.6.2 (image plane), C.7.6.16.2.1, .3, .4 (pixel measures, plane position, plane
 * orientation).
 */
import { DicomDataset } from '@aifi/dicom-core';
import { AifiError } from '@aifi/shared-kernel';

/** What a header says of its plane; lists are empty where it says nothing. */
export interface SlicePlane {
  readonly rows: number | undefined;
  readonly columns: number | undefined;
  /** Centre of the first pixel, [x, y, z]. @unit mm */
  readonly position: readonly number[];
  /** Direction cosines of a row, then of a column. */
  readonly orientation: readonly number[];
  /** [between rows, between columns]. @unit mm */
  readonly pixelSpacingMm: readonly number[];
  readonly sliceThicknessMm: number | undefined;
  readonly frameOfReferenceUid: string | undefined;
}

/** Direction cosines and spacings are printed with five digits or more. */
const TOLERANCE = 1e-4;
/** A slice may lie this part of the distance off its place and the stack is still even. */
const SPACING_TOLERANCE = 0.01;

/** Keeps the plane of a header, so that hundreds of headers need not stay in memory. */
export function slicePlane(dataset: DicomDataset): SlicePlane {
  return {
    rows: dataset.number('Rows'),
    columns: dataset.number('Columns'),
    position: dataset.numbers('ImagePositionPatient'),
    orientation: dataset.numbers('ImageOrientationPatient'),
    pixelSpacingMm: dataset.numbers('PixelSpacing'),
    sliceThicknessMm: dataset.number('SliceThickness'),
    frameOfReferenceUid: dataset.string('FrameOfReferenceUID'),
  };
}

/** Throws INVALID_ARGUMENT unless the planes are one stack of `rows` x `columns` images. */
export function assertOneStack(
  planes: readonly SlicePlane[],
  { rows, columns }: { readonly rows: number; readonly columns: number },
): void {
  const model = planes[0];
  const isAlike = (plane: SlicePlane): boolean =>
    plane.rows === rows &&
    plane.columns === columns &&
    plane.position.length === 3 &&
    plane.frameOfReferenceUid === model?.frameOfReferenceUid &&
    isNear(plane.orientation, model?.orientation, 6) &&
    isNear(plane.pixelSpacingMm, model?.pixelSpacingMm, 2);
  if (!planes.every(isAlike)) {
    throw new AifiError('INVALID_ARGUMENT', 'source images are not one stack of this size');
  }
}

function isNear(a: readonly number[], b: readonly number[] = [], length: number): boolean {
  const isWhole = a.length === length && b.length === length;
  return isWhole && a.every((value, i) => Math.abs(value - b[i]!) <= TOLERANCE);
}

/** Shared functional groups: pixel measures and orientation. */
export function sharedGroups(planes: readonly SlicePlane[]): DicomDataset {
  const { pixelSpacingMm, sliceThicknessMm, orientation } = planes[0]!;
  const measures = new DicomDataset().setNumbers('PixelSpacing', pixelSpacingMm);
  const distanceMm = sliceDistanceMm(planes);
  const thicknessMm = sliceThicknessMm ?? distanceMm;
  if (thicknessMm !== undefined) measures.setNumbers('SliceThickness', [thicknessMm]);
  if (distanceMm !== undefined) measures.setNumbers('SpacingBetweenSlices', [distanceMm]);
  const plane = new DicomDataset().setNumbers('ImageOrientationPatient', orientation);
  return new DicomDataset()
    .setItems('PixelMeasuresSequence', [measures])
    .setItems('PlaneOrientationSequence', [plane]);
}

/**
 * Distance between neighbours along the normal, undefined when there is none that holds for all:
 * the attribute of the source is often wrong or signed.
 */
function sliceDistanceMm(planes: readonly SlicePlane[]): number | undefined {
  const [rx, ry, rz, cx, cy, cz] = planes[0]!.orientation as unknown as Six;
  const normal = [ry * cz - rz * cy, rz * cx - rx * cz, rx * cy - ry * cx];
  const heights = planes.map(({ position }) =>
    position.reduce((sum, value, axis) => sum + value * normal[axis]!, 0),
  );
  if (heights.length < 2) return undefined;
  const mean = (heights.at(-1)! - heights[0]!) / (heights.length - 1);
  const isEven = heights.every(
    (height, k) => Math.abs(height - heights[0]! - k * mean) <= SPACING_TOLERANCE * Math.abs(mean),
  );
  // Micrometres: what lies below is rounding of the positions.
  const distance = Math.round(Math.abs(mean) * 1e6) / 1e6;
  return isEven && distance > 0 ? distance : undefined;
}
type Six = [number, number, number, number, number, number];
