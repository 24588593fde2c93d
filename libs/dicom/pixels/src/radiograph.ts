/**
 * Radiograph: one file with one monochrome frame to stored values.
 * Decides what is read: single frame, 8 or 16 bits, any transfer syntax that is decoded. Which SOP
 * classes a product takes is for the rules of its manifest.
 * Invariants: the digest is of exactly the bytes whose pixels are given (guard C6); the header is
 * judged before anything is allocated or decoded.
 * Source: PS3.5 8.2; PS3.3 C.7.5.1.1.2 (pixel padding); reliability
 * specification C6.
 */
import { readFile, stat } from 'node:fs/promises';
import { readPart10Header, type DicomDataset } from '@aifi/dicom-core';
import { AifiError, LIMITS, ok, refuse, sha256Hex, type Result } from '@aifi/shared-kernel';
import type { Sha256 } from '@aifi/shared-kernel';
import { paddingOf } from './black-value.js';
import type { FrameSize } from './image-description.js';
import { pixelEncodingOf, voxelArrayFor, type PixelEncoding } from './pixel-encoding.js';
import { singleFrameOf } from './single-frame.js';
import type { VoxelArray } from './volume.js';

/** 5,792 × 5,792 pixels: more than mammography detectors and stitched legs have. */
const RADIOGRAPH_PIXELS_MAX = 2 ** 25;
/** @unit bytes */
const RADIOGRAPH_FILE_BYTES_MAX = RADIOGRAPH_PIXELS_MAX * 2 + LIMITS.headerBytesMax;

export interface Radiograph extends FrameSize {
  readonly sopInstanceUid: string;
  /** SHA-256 of the bytes of the file (guard C6). */
  readonly objectDigest: Sha256;
  /** [y, x]; as stored: neither rescaled nor inverted. */
  readonly stored: VoxelArray;
  readonly encoding: PixelEncoding;
  /** Stored values, both ends included, that mark pixels outside the image. */
  readonly padding: readonly [number, number] | undefined;
}
type Header = Pick<Radiograph, 'sopInstanceUid' | 'rows' | 'columns' | 'encoding' | 'padding'>;

/**
 * Reads one Part 10 file. Refuses with INPUT_INCOMPLETE an image of a kind that is not read here;
 * throws DICOM_MALFORMED for a broken file and LIMIT_EXCEEDED for a size beyond all use.
 */
export async function readRadiograph(path: string): Promise<Result<Radiograph>> {
  const { dataset } = await readPart10Header(path);
  const judged = judgeHeader(dataset);
  if (!judged.ok) return judged;
  if ((await stat(path)).size > RADIOGRAPH_FILE_BYTES_MAX) throw tooLarge();
  const bytes = await readFile(path);
  const frame = await singleFrameOf(bytes, RADIOGRAPH_FILE_BYTES_MAX);
  if (!frame.ok) return frame;
  // Judged again: what was read now is what counts.
  const again = judgeHeader(frame.value.dataset);
  if (!again.ok) return again;
  const header = again.value;
  const asStored = { ...header.encoding, slope: 1, intercept: 0 };
  const stored = voxelArrayFor([asStored], header.rows * header.columns);
  stored.set(frame.value.samples);
  return ok({ ...header, stored, objectDigest: sha256Hex(bytes) });
}

function judgeHeader(dataset: DicomDataset): Result<Header> {
  const sopInstanceUid = dataset.string('SOPInstanceUID');
  const rows = dataset.number('Rows') ?? 0;
  const columns = dataset.number('Columns') ?? 0;
  if (!sopInstanceUid) throw new AifiError('DICOM_MALFORMED', 'object without UID');
  if (rows < 1 || columns < 1) return refuse('INPUT_INCOMPLETE', 'an object without an image');
  if (rows * columns > RADIOGRAPH_PIXELS_MAX) throw tooLarge();
  if ((dataset.number('NumberOfFrames') ?? 1) !== 1) {
    return refuse('INPUT_INCOMPLETE', 'multi-frame images are not read');
  }
  const encoding = pixelEncodingOf(dataset);
  if (!encoding.ok) return encoding;
  const padding = paddingOf(dataset, encoding.value.signed);
  return ok({ sopInstanceUid, rows, columns, encoding: encoding.value, padding });
}

function tooLarge(): AifiError {
  return new AifiError('LIMIT_EXCEEDED', 'the image is larger than is read here');
}
