/**
 * Radiograph: one file with one monochrome frame to stored values.
 * Decides what is read: native transfer syntaxes and JPEG 2000, single frame, 8 or 16 bits. Which
 * SOP classes a product takes is for the rules of its manifest.
 * Invariants: the digest is of exactly the bytes whose pixels are given (guard C6); the header is
 * judged before anything is allocated or decoded.
 * Source: PS3.5 8.2, A.4 and A.4.4; PS3.3 C.7.5.1.1.2 (pixel padding); reliability
 * specification C6.
 */
import { readFile, stat } from 'node:fs/promises';
import {
  decodePart10,
  encodingOf,
  isDeflated,
  isEncapsulated,
  readPart10Header,
  type DicomDataset,
  type Part10File,
} from '@aifi/dicom-core';
import { AifiError, LIMITS, ok, refuse, sha256Hex, type Result } from '@aifi/shared-kernel';
import type { Sha256 } from '@aifi/shared-kernel';
import { decodeJpeg2000, type FrameSize } from './jpeg2000.js';
import {
  decodeFrame,
  pixelEncodingOf,
  voxelArrayFor,
  type PixelEncoding,
} from './native-pixels.js';
import type { VoxelArray } from './volume.js';

const JPEG_2000 = new Set(['1.2.840.10008.1.2.4.90', '1.2.840.10008.1.2.4.91']);
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
  const { meta, dataset } = await readPart10Header(path);
  const { transferSyntaxUid } = meta;
  const isOtherCodec = isEncapsulated(transferSyntaxUid) && !JPEG_2000.has(transferSyntaxUid);
  if (isOtherCodec || isDeflated(transferSyntaxUid)) {
    return refuse('INPUT_INCOMPLETE', 'a transfer syntax that is not read');
  }
  const judged = judgeHeader(dataset);
  if (!judged.ok) return judged;
  if ((await stat(path)).size > RADIOGRAPH_FILE_BYTES_MAX) throw tooLarge();
  const bytes = await readFile(path);
  const file = decodePart10(bytes);
  // Judged again: what was read now is what counts.
  const again = judgeHeader(file.dataset);
  if (!again.ok) return again;
  const header = again.value;
  const stored = await decodePixels(bytes, file, header);
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
  const padding = paddingOf(dataset, encoding.value);
  return ok({ sopInstanceUid, rows, columns, encoding: encoding.value, padding });
}

/** Without a VR (implicit) the sign of these values is that of the pixels, not of a dictionary. */
function paddingOf(dataset: DicomDataset, { signed }: PixelEncoding): Radiograph['padding'] {
  const value = dataset.number('PixelPaddingValue');
  if (value === undefined) return undefined;
  const limit = dataset.number('PixelPaddingRangeLimit') ?? value;
  const [a, b] = [value, limit].map((v) => (signed ? (v << 16) >> 16 : v & 0xffff));
  return [Math.min(a!, b!), Math.max(a!, b!)];
}

async function decodePixels(
  bytes: Uint8Array,
  file: Part10File,
  header: Header,
): Promise<VoxelArray> {
  const { meta, datasetOffset, pixelData } = file;
  if (!pixelData) throw new AifiError('DICOM_MALFORMED', 'an image has no pixel data');
  const asStored = { ...header.encoding, slope: 1, intercept: 0 };
  const out = voxelArrayFor([asStored], header.rows * header.columns);
  const at = ({ offset, length }: { offset: number; length: number }): Uint8Array =>
    bytes.subarray(datasetOffset + offset, datasetOffset + offset + length);
  if (!JPEG_2000.has(meta.transferSyntaxUid)) {
    const value = at({ offset: pixelData.valueOffset, length: pixelData.valueLength });
    const { littleEndian } = encodingOf(meta.transferSyntaxUid);
    decodeFrame({ bytes: value, littleEndian, vr: pixelData.vr }, asStored, out);
    return out;
  }
  // The first item is the offset table; all others together are the one frame.
  const codestream = Buffer.concat(pixelData.fragments.slice(1).map(at));
  const { bytes: samples, bitsAllocated } = await decodeJpeg2000(codestream, header);
  // Decoded samples are aligned at bit 0, whatever High Bit says.
  const aligned = { ...asStored, bitsAllocated, highBit: asStored.bitsStored - 1 };
  decodeFrame({ bytes: samples, littleEndian: true, vr: 'OW' }, aligned, out);
  return out;
}

function tooLarge(): AifiError {
  return new AifiError('LIMIT_EXCEEDED', 'the image is larger than is read here');
}
