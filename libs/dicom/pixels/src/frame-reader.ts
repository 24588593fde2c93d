/**
 * Frame reader: the frames of one file, decoded one at a time.
 * Decides which transfer syntaxes are read and what a sample is afterwards: as stored, without bits
 * that are not stored, colour interleaved, shared colour given to both pixels. Palette images stay
 * indices: an index is what is stored, and what has to be written again.
 * Invariants: the header of a codestream is judged before it is decoded; one frame is in memory;
 * what is not read is refused with fixed words; a frame is given whole or not at all.
 * Source: PS3.5 8.2, A.1 to A.5; PS3.3 C.7.6.3.1.
 */
import {
  encodingOf,
  isDeflated,
  isEncapsulated,
  type DicomDataset,
  type Part10File,
} from '@aifi/dicom-core';
import { AifiError, ok, refuse, type Result } from '@aifi/shared-kernel';
import { decodeCodestream, type CodecName } from './codec-module.js';
import { judgeCodestream } from './codestream-header.js';
import { bytesInMemory, openPart10, type OpenedPart10 } from './dataset-bytes.js';
import { frameFragments, type Fragment } from './encapsulated-frames.js';
import {
  fillFromBits,
  fillSamples,
  interleaved,
  samplesFor,
  samplesIn,
  storedSamplesOf,
  withFullColour,
  type FrameSamples,
  type StoredBits,
} from './frame-samples.js';
import { hidesBits } from './hidden-bits.js';
import {
  describeImage,
  FRAME_BYTES_MAX,
  JPEG_2000_COLOURS,
  type FrameSize,
  type ImageDescription,
} from './image-description.js';
import { decodeRle } from './rle.js';

/** The frames of one file; `close` it. */
export interface FrameReader extends FrameSize {
  readonly samplesPerPixel: 1 | 3;
  /** 1-bit pixels come in bytes. */
  readonly bitsAllocated: 8 | 16 | 32;
  readonly bitsStored: number;
  readonly signed: boolean;
  readonly frames: number;
  /** Of the decoded samples: MONOCHROME1, MONOCHROME2, PALETTE COLOR, RGB or YBR_FULL. */
  readonly photometricInterpretation: string;
  /**
   * [y, x, sample] of one frame, counted from 0; the caller's own. Throws DICOM_MALFORMED for a
   * frame that does not decode, INVALID_ARGUMENT for one that there is not.
   */
  readonly frame: (index: number) => Promise<FrameSamples>;
  /**
   * True when a frame that was given had a picture in the bits that are not stored, which its
   * samples do not show (hidden-bits.ts).
   */
  readonly hasHiddenBits: () => boolean;
  readonly close: () => Promise<void>;
}
/** A reader with the attributes it follows. */
export interface OpenedImage {
  readonly reader: FrameReader;
  readonly image: ImageDescription;
  readonly dataset: DicomDataset;
  readonly transferSyntaxUid: string;
  /** Of the value field as received. @unit bytes */
  readonly valueLength: number;
}

type Decoder = CodecName | 'rle';
/** PS3.5 A.4; JPEG 53 and 55 are retired and still in archives. */
const DECODERS: ReadonlyMap<string, Decoder> = new Map(
  (
    [
      ['jpeg', '4.50 4.51 4.53 4.55 4.57 4.70'],
      ['jpeg-ls', '4.80 4.81'],
      ['jpeg-2000', '4.90 4.91'],
      ['ht-jpeg-2000', '4.201 4.202 4.203'],
      ['rle', '5'],
    ] as const
  ).flatMap(([decoder, syntaxes]) =>
    syntaxes.split(' ').map((syntax) => [`1.2.840.10008.1.2.${syntax}`, decoder] as const),
  ),
);
const PIXEL_DATA = 0x7fe00010;

/** True for transfer syntaxes that keep every sample; not for those that may lose some. */
export function isLossless(transferSyntaxUid: string): boolean {
  return (
    !isEncapsulated(transferSyntaxUid) || /\.(4\.(57|70|80|90|201|202)|5)$/.test(transferSyntaxUid)
  );
}

/**
 * Opens the frames of a Part 10 file. Refuses QUARANTINED_PIXELS a kind of image that is not read,
 * MALFORMED a broken file; throws for faults of the disk only.
 */
export async function openFrames(path: string): Promise<Result<FrameReader>> {
  const opened = await openImage(path);
  return opened.ok ? ok(opened.value.reader) : opened;
}

/** A file that somebody has in memory and has walked to its end. */
export interface Part10InMemory {
  readonly file: Part10File;
  /** Its dataset as stored, from its first byte; not of a deflated file. */
  readonly dataset: Uint8Array;
}

/**
 * The same of a file in memory, which is not read again. Refuses as `openFrames`. Samples may be
 * the bytes of `dataset` themselves: they are valid as long as those, and not to be changed.
 */
export async function framesInMemory({
  file,
  dataset,
}: Part10InMemory): Promise<Result<FrameReader>> {
  if (isDeflated(file.meta.transferSyntaxUid)) {
    throw new AifiError('INVALID_ARGUMENT', 'a deflated dataset has no bytes in memory');
  }
  const image = await imageOf({ file, bytes: bytesInMemory(dataset) });
  return image.ok ? ok(image.value.reader) : image;
}

export async function openImage(path: string): Promise<Result<OpenedImage>> {
  const opened = await asResult(() => openPart10(path), 'the file does not parse');
  if (!opened.ok) return opened;
  const image = await imageOf(opened.value);
  if (!image.ok) await opened.value.bytes.close();
  return image;
}

/** The result, or MALFORMED for what a sender may have done; a fault of the disk is thrown. */
export async function asResult<T>(work: () => Promise<T>, words: string): Promise<Result<T>> {
  try {
    return ok(await work());
  } catch (error) {
    const { code } = AifiError.from(error);
    if (code !== 'DICOM_MALFORMED' && code !== 'LIMIT_EXCEEDED') throw error;
    return refuse('MALFORMED', words);
  }
}

/** The image of a Part 10 file that is open. */
export async function imageOf(opened: OpenedPart10): Promise<Result<OpenedImage>> {
  const { file, bytes } = opened;
  const { transferSyntaxUid } = file.meta;
  const { dataset, pixelData } = file;
  if (!pixelData) return refuse('QUARANTINED_PIXELS', 'an object without an image');
  if (pixelData.tag !== PIXEL_DATA) {
    return refuse('QUARANTINED_PIXELS', 'pixel data of an unexpected kind');
  }
  if (pixelData.encapsulated !== isEncapsulated(transferSyntaxUid)) {
    return refuse('MALFORMED', 'pixel data has another form than its transfer syntax');
  }
  const described = describeImage(dataset);
  if (!described.ok) return described;
  const image = described.value;
  const decoder = pixelData.encapsulated ? DECODERS.get(transferSyntaxUid) : undefined;
  const refusal = refusalOf(image, pixelData.encapsulated, decoder);
  if (refusal) return refusal;
  const hidden = { padding: paddingOf(dataset), isSeen: false };
  let frame: FrameReader['frame'];
  if (decoder === undefined) {
    frame = (index) => nativeFrame({ opened, image, hidden }, index);
  } else {
    const isRle = decoder === 'rle';
    const question = { dataset, pixelData, frames: image.frames, bytes, isRle };
    const words = 'frames of compressed pixel data cannot be told apart';
    const fragments = await asResult(() => frameFragments(question), words);
    if (!fragments.ok) return fragments;
    if (!fragments.value.ok) return fragments.value;
    const frames = fragments.value.value;
    frame = (index) =>
      compressedFrame({ opened, image, hidden, decoder, fragments: frames[index]! });
  }
  const hasHiddenBits = (): boolean => hidden.isSeen;
  const reader = { ...readerOf(image, frame), hasHiddenBits, close: bytes.close };
  const { valueLength } = pixelData;
  return ok({ reader, image, dataset, transferSyntaxUid, valueLength });
}

function refusalOf(
  image: ImageDescription,
  isCompressed: boolean,
  decoder: Decoder | undefined,
): Result<never> | undefined {
  const { photometricInterpretation, bitsAllocated, columns } = image;
  if (isCompressed && decoder === undefined) {
    return refuse('QUARANTINED_PIXELS', 'a transfer syntax whose pixels are not read');
  }
  const isJpeg2000 = decoder === 'jpeg-2000' || decoder === 'ht-jpeg-2000';
  if (JPEG_2000_COLOURS.has(photometricInterpretation) && !isJpeg2000) {
    return refuse('MALFORMED', 'a colour transform of another transfer syntax');
  }
  const isTooNarrow = decoder !== undefined && bitsAllocated === 1;
  if (isTooNarrow || (decoder !== undefined && decoder !== 'rle' && bitsAllocated === 32)) {
    return refuse('QUARANTINED_PIXELS', 'compressed pixels of 1 or 32 bits are not read');
  }
  if (photometricInterpretation === 'YBR_FULL_422' && !isCompressed && columns % 2 === 1) {
    return refuse('MALFORMED', 'colour shared by two pixels in rows of an odd length');
  }
  return undefined;
}

/** As stored; undefined too when it is no number. */
function paddingOf(dataset: DicomDataset): number | undefined {
  try {
    return dataset.number('PixelPaddingValue');
  } catch (error) {
    if (AifiError.from(error).code !== 'DICOM_MALFORMED') throw error;
    return undefined;
  }
}

function readerOf(
  image: ImageDescription,
  frame: FrameReader['frame'],
): Omit<FrameReader, 'hasHiddenBits' | 'close'> {
  const { rows, columns, samplesPerPixel, bitsStored, signed, frames } = image;
  const photometric = image.photometricInterpretation;
  return {
    ...{ rows, columns, samplesPerPixel, bitsStored, signed, frames },
    bitsAllocated: image.bitsAllocated === 1 ? 8 : image.bitsAllocated,
    photometricInterpretation: JPEG_2000_COLOURS.has(photometric)
      ? 'RGB'
      : photometric === 'YBR_FULL_422'
        ? 'YBR_FULL'
        : photometric,
    frame: (index) => {
      if (Number.isInteger(index) && index >= 0 && index < frames) return frame(index);
      return Promise.reject(new AifiError('INVALID_ARGUMENT', 'there is no such frame'));
    },
  };
}

/** What the frames of one file have in common. */
interface Source {
  readonly opened: OpenedPart10;
  readonly image: ImageDescription;
  /** Of the bits that are not stored. */
  readonly hidden: { readonly padding: number | undefined; isSeen: boolean };
}

async function nativeFrame(source: Source, index: number): Promise<FrameSamples> {
  const { opened, image } = source;
  const { file, bytes } = opened;
  const { bitsAllocated, bitsStored, highBit, signed, samplesPerPixel } = image;
  const { vr, valueOffset, valueLength } = file.pixelData!;
  const { littleEndian } = encodingOf(file.meta.transferSyntaxUid);
  const count = storedSamplesOf(image, false);
  const firstBit = index * count * bitsAllocated;
  // 8-bit pixels in OW are swapped in pairs in big endian (PS3.5 8.2), also over a frame's edge.
  const isSwapped = !littleEndian && vr === 'OW' && bitsAllocated <= 8;
  const start = Math.floor(firstBit / (isSwapped ? 16 : 8)) * (isSwapped ? 2 : 1);
  const end = Math.ceil((firstBit + count * bitsAllocated) / (isSwapped ? 16 : 8));
  const length = Math.min(valueLength, end * (isSwapped ? 2 : 1)) - start;
  let value = await bytes.read(valueOffset + start, length);
  if (isSwapped) value = Uint8Array.from(value, (_, at) => value[at ^ 1] ?? 0);
  const skippedBits = firstBit - start * 8;
  if (bitsAllocated === 1) {
    const bits = samplesFor(bitsAllocated, false, count);
    fillFromBits(value, skippedBits, bits);
    return bits;
  }
  const samples = value.subarray(skippedBits / 8);
  const stored = { bytes: samples, bitsAllocated, bitsStored, highBit, littleEndian };
  const out = samplesIn(stored, signed, count) ?? filled(stored, source, count);
  if (image.isPlanar && image.photometricInterpretation !== 'YBR_FULL_422') {
    return interleaved(out, samplesPerPixel);
  }
  const whole = image.rows * image.columns * samplesPerPixel;
  return count === whole ? out : withFullColour(out, samplesFor(bitsAllocated, signed, whole));
}

function filled(stored: StoredBits, { image, hidden }: Source, length: number): FrameSamples {
  const out = samplesFor(image.bitsAllocated, image.signed, length);
  const hasCut = fillSamples(stored, image.signed, out);
  if (hasCut && !hidden.isSeen) hidden.isSeen = hidesBits(stored, length, hidden.padding);
  return out;
}

interface CompressedFrame extends Source {
  readonly decoder: Decoder;
  readonly fragments: readonly Fragment[];
}

async function compressedFrame(question: CompressedFrame): Promise<FrameSamples> {
  const { opened, image, decoder, fragments } = question;
  const size = fragments.reduce((sum, { length }) => sum + length, 0);
  if (size > FRAME_BYTES_MAX) throw new AifiError('DICOM_MALFORMED', 'a frame beyond all use');
  const parts: Uint8Array[] = [];
  for (const { offset, length } of fragments) parts.push(await opened.bytes.read(offset, length));
  const encoded = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  const { samplesPerPixel, rows, columns } = image;
  const stored =
    decoder === 'rle' ? fromRle(encoded, image) : await fromCodestream(decoder, encoded, image);
  return filled(stored, question, rows * columns * samplesPerPixel);
}

function fromRle(encoded: Uint8Array, image: ImageDescription): StoredBits {
  const { bitsStored, highBit } = image;
  const bitsAllocated = image.bitsAllocated as 8 | 16 | 32;
  const bytes = decodeRle(encoded, { ...image, bytesPerSample: bitsAllocated / 8 });
  return { bytes, bitsAllocated, bitsStored, highBit, littleEndian: true };
}

async function fromCodestream(
  codec: CodecName,
  codestream: Uint8Array,
  image: ImageDescription,
): Promise<StoredBits> {
  const frame = judgeCodestream(codec, codestream, image);
  const bytes = await decodeCodestream(codec, codestream, frame);
  const bitsAllocated = frame.precision > 8 ? 16 : 8;
  // Decoded samples are aligned at bit 0, whatever High Bit says; a codestream with fewer bits than
  // the attributes say has its sign, if any, at its own highest bit.
  const bitsStored = Math.min(frame.precision, image.bitsStored);
  return { bytes, bitsAllocated, bitsStored, highBit: bitsStored - 1, littleEndian: true };
}
