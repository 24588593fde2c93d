/**
 * Part 10 files: preamble, file meta information, dataset.
 * Decides that the preamble is zero and that the file meta is ours, on every file we write.
 * Invariant: reading a header needs memory for the header only, never for the pixel data.
 * Source: PS3.10 7.1; reliability specification F11 (polyglots in the preamble).
 */
import { createInflateRaw } from 'node:zlib';
import { Readable } from 'node:stream';
import { AifiError, fileFault, nodeFileSystem, type FileSystem } from '@aifi/shared-kernel';
import { DicomDataset } from './dataset.js';
import { ElementWalker, type WalkResult } from './element-walker.js';
import { encodeDataset } from './encoder.js';
import { encodingOf, EXPLICIT_VR_LITTLE_ENDIAN, isDeflated } from './transfer-syntax.js';

const EXPLICIT_LE = { explicitVr: true, littleEndian: true };
/** Root of our UUID derived UIDs, fixed once for this implementation (PS3.7 D.3.3.2). */
export const IMPLEMENTATION_CLASS_UID = '2.25.276402911379386208419273926455312749027';
export const IMPLEMENTATION_VERSION_NAME = 'AIFI_1';
const META_BYTES_MAX = 64 * 1024;
/** As file streams of Node have it. @unit bytes */
const CHUNK_BYTES = 64 * 1024;
/** Groups 0000 and 0002 are of messages and of the file meta (PS3.5 7.1, PS3.10 7.1). */
const DATASET = { lowestGroup: 0x0004 };

export interface FileMeta {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
}

/** 128 zero bytes, DICM and group 0002: everything that precedes the dataset. */
export function encodeFileMeta(meta: FileMeta): Buffer {
  const group = new DicomDataset()
    .setBytes(0x00020001, Uint8Array.of(0, 1), 'OB')
    .setString(0x00020002, meta.sopClassUid, 'UI')
    .setString(0x00020003, meta.sopInstanceUid, 'UI')
    .setString(0x00020010, meta.transferSyntaxUid, 'UI')
    .setString(0x00020012, IMPLEMENTATION_CLASS_UID, 'UI')
    .setString(0x00020013, IMPLEMENTATION_VERSION_NAME, 'SH');
  const body = encodeDataset(group, EXPLICIT_LE);
  const length = encodeDataset(
    new DicomDataset().setNumbers(0x00020000, [body.length], 'UL'),
    EXPLICIT_LE,
  );
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), length, body]);
}

/** A whole Part 10 file of a dataset without bulk pixel data ranges (results, small objects). */
export function encodePart10(
  dataset: DicomDataset,
  transferSyntaxUid = EXPLICIT_VR_LITTLE_ENDIAN,
): Buffer {
  const sopClassUid = dataset.string('SOPClassUID');
  const sopInstanceUid = dataset.string('SOPInstanceUID');
  if (!sopClassUid || !sopInstanceUid) throw new AifiError('INTERNAL', 'object without UIDs');
  return Buffer.concat([
    encodeFileMeta({ sopClassUid, sopInstanceUid, transferSyntaxUid }),
    encodeDataset(dataset, encodingOf(transferSyntaxUid)),
  ]);
}

export interface Part10Head {
  readonly meta: FileMeta;
  /** Group 0002 as read. */
  readonly metaDataset: DicomDataset;
  /** Offset of the first byte of the dataset. @unit bytes */
  readonly datasetOffset: number;
}

/** Reads preamble and file meta from the first bytes of a file. */
export function decodeFileMeta(start: Uint8Array): Part10Head {
  if (Buffer.from(start.subarray(128, 132)).toString('latin1') !== 'DICM') {
    throw new AifiError('DICOM_MALFORMED', 'no DICM prefix');
  }
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  if (start.length < 144 || view.getUint32(132, true) !== 0x00000002) {
    throw new AifiError('DICOM_MALFORMED', 'file meta without group length');
  }
  const datasetOffset = 144 + view.getUint32(140, true);
  if (datasetOffset > start.length) {
    throw new AifiError('DICOM_MALFORMED', 'file meta is cut short or too long');
  }
  const walker = new ElementWalker(EXPLICIT_LE);
  walker.push(start.subarray(132, datasetOffset));
  const { dataset } = walker.end();
  const meta = {
    sopClassUid: dataset.string(0x00020002) ?? '',
    sopInstanceUid: dataset.string(0x00020003) ?? '',
    transferSyntaxUid: dataset.string(0x00020010) ?? '',
  };
  if (!meta.transferSyntaxUid) throw new AifiError('DICOM_MALFORMED', 'no transfer syntax');
  return { meta, metaDataset: dataset, datasetOffset };
}

export interface Part10File extends Part10Head, WalkResult {}

/** The bytes of the (inflated) dataset. DICOM_MALFORMED when they do not inflate. */
async function* datasetChunks(
  path: string,
  head: Part10Head,
  files: FileSystem = nodeFileSystem,
): AsyncGenerator<Uint8Array> {
  const raw = files.chunks(path, head.datasetOffset, CHUNK_BYTES);
  const isPlain = !isDeflated(head.meta.transferSyntaxUid);
  try {
    for await (const chunk of isPlain ? raw : inflated(raw)) yield chunk;
  } catch (error) {
    // zlib names its codes Z_*; anything else is a fault of the disk, which a retry may heal.
    if (!String((error as NodeJS.ErrnoException).code).startsWith('Z_')) throw fileFault(error);
    throw new AifiError('DICOM_MALFORMED', 'dataset does not inflate', { cause: error });
  }
}

async function* inflated(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const raw = Readable.from(chunks);
  const closed = new Promise<void>((resolve) => raw.once('close', () => resolve()));
  const stream = createInflateRaw();
  raw.on('error', (error) => stream.destroy(error));
  raw.pipe(stream);
  try {
    for await (const chunk of stream) yield chunk as Buffer;
  } finally {
    stream.destroy();
    raw.destroy();
    // The file is closed before the caller goes on: it may delete or replace it next.
    await closed;
  }
}

/**
 * Streams a range of the (inflated) dataset, such as the pixel data that `readPart10` located.
 * Throws DICOM_MALFORMED when the file ends before the range does. Unit: bytes.
 */
export async function* readDatasetRange(
  path: string,
  head: Part10Head,
  { offset, length }: { readonly offset: number; readonly length: number },
): AsyncGenerator<Uint8Array> {
  let at = 0;
  let left = length;
  for await (const bytes of datasetChunks(path, head)) {
    const from = Math.max(0, offset - at);
    at += bytes.length;
    const wanted = bytes.subarray(from, from + left);
    left -= wanted.length;
    if (wanted.length > 0) yield wanted;
    if (left === 0) return;
  }
  throw new AifiError('DICOM_MALFORMED', 'the file ends inside its pixel data');
}

/**
 * Walks the whole file strictly. Pixel ranges count from the first byte of the (inflated) dataset.
 */
export async function readPart10(path: string): Promise<Part10File> {
  const head = decodeFileMeta(await nodeFileSystem.start(path, META_BYTES_MAX));
  const walker = new ElementWalker(encodingOf(head.meta.transferSyntaxUid), DATASET);
  for await (const chunk of datasetChunks(path, head)) walker.push(chunk);
  return { ...head, ...walker.end() };
}

/** Reads the header only and stops where pixel data begins. */
export async function readPart10Header(
  path: string,
  files: FileSystem = nodeFileSystem,
): Promise<Part10Head & { readonly dataset: DicomDataset }> {
  const head = decodeFileMeta(await files.start(path, META_BYTES_MAX));
  const walker = new ElementWalker(encodingOf(head.meta.transferSyntaxUid), DATASET);
  for await (const chunk of datasetChunks(path, head, files)) {
    walker.push(chunk);
    if (walker.inPixelData) return { ...head, dataset: walker.dataset };
  }
  return { ...head, dataset: walker.end().dataset };
}

/** Parses a whole Part 10 object in memory (results: small objects only). */
export function decodePart10(bytes: Uint8Array): Part10File {
  const head = decodeFileMeta(bytes);
  const walker = new ElementWalker(encodingOf(head.meta.transferSyntaxUid), DATASET);
  walker.push(bytes.subarray(head.datasetOffset));
  return { ...head, ...walker.end() };
}
