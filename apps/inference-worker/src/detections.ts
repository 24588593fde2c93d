/**
 * Detections: boxes and scores of a model to findings in the stored image.
 * Decides which boxes are told: those at or above the operating point, the best of overlapping
 * ones; and what spoils an output: no number, a score outside 0..1, a box turned inside out.
 * Frame: in, pixels of the letterboxed input; out, pixels of the stored image, both with (0, 0) at
 * the top-left corner of the top-left pixel, x to the right, y down.
 */
import type { DetectionOutput } from '@aifi/contracts-manifests';
import type { FrameSize, LetterboxedPicture } from '@aifi/dicom-pixels';
import { ok, refuse, type Result } from '@aifi/shared-kernel';

/** x1, y1, x2, y2. */
export type Box = [number, number, number, number];
export interface ScoredBox {
  readonly box: Box;
  readonly score: number;
}
export interface RawDetections {
  /** [n, 4] row-major. */
  readonly boxes: Float32Array;
  /** [n]. */
  readonly scores: Float32Array;
}

/** Boxes that are told, in pixels of the letterboxed input, best first; else OUTPUT_INVALID. */
export function selectBoxes(
  { boxes, scores }: RawDetections,
  { operatingPoint, suppression }: DetectionOutput,
): Result<ScoredBox[]> {
  if (boxes.length !== scores.length * 4) {
    return refuse('OUTPUT_INVALID', 'boxes and scores differ in number');
  }
  const found: ScoredBox[] = [];
  for (const [at, score] of scores.entries()) {
    const box = [...boxes.subarray(at * 4, at * 4 + 4)] as Box;
    if (!(score >= 0 && score <= 1) || !isBox(box)) {
      return refuse('OUTPUT_INVALID', 'a box or a score that is none');
    }
    if (score >= operatingPoint.threshold) found.push({ box, score });
  }
  found.sort((a, b) => b.score - a.score);
  const iouMax = suppression?.iouMax;
  if (iouMax === undefined) return ok(found);
  const kept: ScoredBox[] = [];
  for (const one of found) {
    if (kept.every(({ box }) => overlap(box, one.box) <= iouMax)) kept.push(one);
  }
  return ok(kept);
}

/** The box in the stored image, cut at its edges; undefined when it lies in the black around it. */
export function toStoredImage(
  [x1, y1, x2, y2]: Box,
  { inner }: LetterboxedPicture,
  image: FrameSize,
): Box | undefined {
  const x = (at: number): number => place(at - inner.left, inner.columns, image.columns);
  const y = (at: number): number => place(at - inner.top, inner.rows, image.rows);
  const box: Box = [x(x1), y(y1), x(x2), y(y2)];
  return isBox(box) ? box : undefined;
}

function place(at: number, from: number, to: number): number {
  // FP32 is what the answer holds: rounded here, so that later checks see the same number.
  return Math.fround(Math.min(to, Math.max(0, (at * to) / from)));
}

function isBox(box: Box): boolean {
  return box.every(Number.isFinite) && box[0] < box[2] && box[1] < box[3];
}

/** Area of the intersection over that of the union. */
function overlap(a: Box, b: Box): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  const area = (box: Box): number => (box[2] - box[0]) * (box[3] - box[1]);
  return (width * height) / (area(a) + area(b) - width * height);
}
