/**
 * Series volume: the files of one single-frame series to one volume in memory.
 * Decides what is read at all: transfer syntaxes without loss, monochrome, 8 or 16 bits, one
 * regular grid.
 * Invariants: each digest is of exactly the bytes whose pixels are in the volume (guard C6);
 * headers are judged before the volume is allocated.
 * Source: PS3.10 7.1, PS3.5 annex A; reliability specification C6.
 */
import { readFile, stat } from 'node:fs/promises';
import { readPart10Header } from '@aifi/dicom-core';
import { AifiError, LIMITS, ok, refuse, sha256Hex, type Result } from '@aifi/shared-kernel';
import type { Sha256 } from '@aifi/shared-kernel';
import { isLossless } from './frame-reader.js';
import {
  pixelEncodingOf,
  rescaleInto,
  voxelArrayFor,
  type PixelEncoding,
} from './pixel-encoding.js';
import { singleFrameOf } from './single-frame.js';
import { orderSlices, sliceGeometryOf, type SliceGeometry } from './slice-order.js';
import type { SeriesVolume, VoxelArray } from './volume.js';

/** 2,048 slices of 512 × 512, the longest CT in use; 2 GiB as float32. */
const VOLUME_VOXELS_MAX = 2 ** 29;
/** One slice: 4,096 × 4,096 pixels of 16 bits, and the longest header. @unit bytes */
const SLICE_FILE_BYTES_MAX = 32 * 1024 ** 2 + LIMITS.headerBytesMax;

interface SliceFile extends SliceGeometry {
  readonly path: string;
  readonly sopInstanceUid: string;
  readonly encoding: PixelEncoding;
}

/**
 * Reads the Part 10 files of one series, in any order, into a volume with slices ascending along
 * row × column. Refuses with INPUT_INCOMPLETE what is no regular grid or not read here; throws
 * DICOM_MALFORMED for broken files and LIMIT_EXCEEDED for sizes beyond all use.
 */
export async function readSeriesVolume(paths: readonly string[]): Promise<Result<SeriesVolume>> {
  if (paths.length > LIMITS.instancesPerStudyMax) throw tooLarge();
  const files: SliceFile[] = [];
  for (const path of paths) {
    const file = await readSliceHeader(path);
    if (!file.ok) return file;
    files.push(file.value);
  }
  const ordered = orderSlices(files);
  if (!ordered.ok) return ordered;
  const { slices, ...geometry } = ordered.value;
  const photometric = slices[0]!.encoding.photometricInterpretation;
  if (slices.some(({ encoding }) => encoding.photometricInterpretation !== photometric)) {
    return refuse('INPUT_INCOMPLETE', 'slices differ in photometric interpretation');
  }
  const [depth, rows, columns] = geometry.shape;
  if (depth * rows * columns > VOLUME_VOXELS_MAX) throw tooLarge();
  const encodings = slices.map((slice) => slice.encoding);
  const data = voxelArrayFor(encodings, depth * rows * columns);
  const objectDigests: Sha256[] = [];
  for (const [k, slice] of slices.entries()) {
    const plane = data.subarray(k * rows * columns, (k + 1) * rows * columns);
    const digest = await readSlicePixels(slice, plane);
    if (!digest.ok) return digest;
    objectDigests.push(digest.value);
  }
  return ok({
    ...geometry,
    data,
    sopInstanceUids: slices.map((slice) => slice.sopInstanceUid),
    objectDigests,
    photometricInterpretation: photometric,
  });
}

/** A value that a lossy codec has changed is no measurement: such slices make no volume. */
async function readSliceHeader(path: string): Promise<Result<SliceFile>> {
  const { meta, dataset } = await readPart10Header(path);
  if (!isLossless(meta.transferSyntaxUid)) {
    return refuse('INPUT_INCOMPLETE', 'slices that may be compressed with loss are not read');
  }
  const sopInstanceUid = dataset.string('SOPInstanceUID');
  if (!sopInstanceUid) throw new AifiError('DICOM_MALFORMED', 'object without UID');
  const geometry = sliceGeometryOf(dataset);
  if (!geometry.ok) return geometry;
  const encoding = pixelEncodingOf(dataset);
  if (!encoding.ok) return encoding;
  return ok({ ...geometry.value, path, sopInstanceUid, encoding: encoding.value });
}

async function readSlicePixels(slice: SliceFile, plane: VoxelArray): Promise<Result<Sha256>> {
  if ((await stat(slice.path)).size > SLICE_FILE_BYTES_MAX) throw tooLarge();
  const bytes = await readFile(slice.path);
  const frame = await singleFrameOf(bytes, SLICE_FILE_BYTES_MAX);
  if (!frame.ok) return frame;
  const { dataset, samples } = frame.value;
  const isSame = dataset.string('SOPInstanceUID') === slice.sopInstanceUid;
  if (!isSame || samples.length !== plane.length) {
    throw new AifiError('DICOM_MALFORMED', 'an image has changed while it was read');
  }
  rescaleInto(samples, slice.encoding, plane);
  return ok(sha256Hex(bytes));
}

function tooLarge(): AifiError {
  return new AifiError('LIMIT_EXCEEDED', 'the series is larger than is read here');
}
