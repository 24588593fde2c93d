/**
 * Segment frames: which frames a binary segmentation has, and their bits.
 * Decides that a slice without a voxel of a class has no frame, and that frames follow each other
 * by segment, then by slice, without padding in between: one bit per pixel, lowest bit first.
 * Invariant: every label is a class of the product. Labels are [slice, row, column] uint8.
 * Source: PS3.5 8.1.1 and D (bit order); PS3.3 A.51.4, C.8.20.2.
 */
import { AifiError } from '@aifi/shared-kernel';

/** Labels of a series in the geometry of the images. */
export interface SeriesLabels {
  /** [slice, row, column] uint8 class values. */
  readonly labels: Uint8Array;
  readonly rows: number;
  readonly columns: number;
}
export interface SegmentFrame {
  readonly classValue: number;
  /** Position in the order of the slices. */
  readonly slice: number;
}

/**
 * Frames of one object: at 0.65 kB of header each they stay within LIMITS.headerBytesMax at the
 * gateway, beside the references to 4,096 sources.
 */
export const FRAMES_MAX = 16_384;
/** Largest pixel data, 8,192 frames of 512 x 512: hub and gateway hold it in memory. @unit bytes */
export const SEGMENT_BYTES_MAX = 256 * 1024 ** 2;

/** The frames with a voxel of one of the classes; `known` has the background too. */
export function segmentFrames(
  { labels, rows, columns }: SeriesLabels,
  classValues: readonly number[],
  known: ReadonlySet<number>,
): readonly SegmentFrame[] {
  const slices = labels.length / (rows * columns);
  const present = Array.from({ length: slices }, (_, slice) =>
    classesIn(labels.subarray(slice * rows * columns, (slice + 1) * rows * columns)),
  );
  if (present.some((values) => values.some((value) => !known.has(value)))) {
    throw new AifiError('INVALID_ARGUMENT', 'a label that is no class of the product');
  }
  const frames = classValues.flatMap((classValue) =>
    present.flatMap((values, slice) =>
      values.includes(classValue) ? [{ classValue, slice }] : [],
    ),
  );
  if (frames.length > FRAMES_MAX || (frames.length * rows * columns) / 8 > SEGMENT_BYTES_MAX) {
    throw new AifiError('LIMIT_EXCEEDED', 'too many frames for one segmentation');
  }
  return frames;
}

function classesIn(slice: Uint8Array): readonly number[] {
  const seen = new Uint8Array(256);
  for (let at = 0; at < slice.length; at += 1) seen[slice[at]!] = 1;
  return [...seen.keys()].filter((value) => seen[value] === 1);
}

/** The pixel data of the frames, in their order. */
export function packedFrames(
  { labels, rows, columns }: SeriesLabels,
  frames: readonly SegmentFrame[],
): Uint8Array {
  const size = rows * columns;
  const packed = new Uint8Array(Math.ceil((frames.length * size) / 8));
  let bit = 0;
  for (const { classValue, slice } of frames) {
    const end = (slice + 1) * size;
    for (let at = slice * size; at < end; at += 1) {
      if (labels[at] === classValue) packed[bit >>> 3]! |= 1 << (bit & 7);
      bit += 1;
    }
  }
  return packed;
}
