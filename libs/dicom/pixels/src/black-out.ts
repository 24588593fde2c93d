/**
 * Blacking out: regions of every frame to the darkest value, then written again without loss.
 * Decides how cleaned pixels are stored: native input stays native Explicit VR Little Endian,
 * compressed input becomes RLE Lossless. RLE and not JPEG-LS: it has no precision, sign or colour
 * model that two decoders could read in two ways, it takes 32 bits, and equal samples give equal
 * bytes by a few lines of our own; what it costs is size.
 * Invariants: outside of the regions every sample is what the received pixel data decode to; one
 * frame is in memory; every frame has been decoded once before anything is promised.
 * Source: PS3.15 E.3.1, PS3.5 8.1.1, A.2, A.4.2, annex G; pseudonymisation specification 1.5.
 */
import { EXPLICIT_VR_LITTLE_ENDIAN, isEncapsulated } from '@aifi/dicom-core';
import { AifiError, canonicalJson, ok, refuse, sha256Hex, type Result } from '@aifi/shared-kernel';
import { blackOf } from './black-value.js';
import { cleanedAttributes, removedTags } from './cleaned-attributes.js';
import type { CleanedPixels, PixelRegion } from './cleaned-pixels.js';
import { asResult, openImage, type FrameReader, type OpenedImage } from './frame-reader.js';
import { bytesOfSamples, type FrameSamples } from './frame-samples.js';
import { encodeRle, RLE_LOSSLESS } from './rle.js';

/** Tag and length of an item. @unit bytes */
const ITEM_HEADER_BYTES = 8;
/** Offsets of the basic offset table have 32 bits (PS3.5 A.4). @unit bytes */
const OFFSET_MAX = 2 ** 32 - 1;
const [ITEM, SEQUENCE_END] = [0xe000, 0xe0dd];

interface Plan {
  readonly path: string;
  readonly regions: readonly PixelRegion[];
  readonly black: readonly number[];
}

/**
 * The pixels of a file with these regions black on every frame, parts outside of the image ignored.
 * Refuses QUARANTINED_PIXELS what cannot be cleaned or when no region lies in the image, MALFORMED
 * a file or frame that does not decode; throws for faults of the disk only.
 */
export async function blackOut(
  path: string,
  regions: readonly PixelRegion[],
): Promise<Result<CleanedPixels>> {
  const opened = await openImage(path);
  if (!opened.ok) return opened;
  const image = opened.value;
  try {
    const inside = insideOf(regions, image.reader);
    if (inside.length === 0) {
      return refuse('QUARANTINED_PIXELS', 'no region lies in the image');
    }
    const black = await asResult(
      () => Promise.resolve(blackOf(image)),
      'no valid pixel attributes',
    );
    if (!black.ok) return black;
    if (!black.value.ok) return black.value;
    const plan: Plan = { path, regions: inside, black: black.value.value };
    const parts = isEncapsulated(image.transferSyntaxUid)
      ? await encapsulated(plan, image)
      : ok(native(plan, image));
    if (!parts.ok) return parts;
    return ok({
      ...parts.value,
      attributes: cleanedAttributes(image),
      removed: removedTags(),
      regionsSha256: sha256Hex(canonicalJson(inside)),
    });
  } finally {
    await image.reader.close();
  }
}

/** The regions cut to the image, each once and in one order, so that the same ones are the same. */
function insideOf(regions: readonly PixelRegion[], image: FrameReader): PixelRegion[] {
  const cut = regions.map(({ x, y, width, height }) => {
    const [left, top] = [Math.max(0, Math.floor(x)), Math.max(0, Math.floor(y))];
    const right = Math.min(image.columns, Math.ceil(x + width));
    const bottom = Math.min(image.rows, Math.ceil(y + height));
    return { x: left, y: top, width: right - left, height: bottom - top };
  });
  const inside = cut.filter(({ width, height }) => width > 0 && height > 0);
  const byText = new Map(inside.map((region) => [canonicalJson(region), region]));
  return [...byText.keys()].sort().map((text) => byText.get(text)!);
}

type Parts = Pick<CleanedPixels, 'transferSyntaxUid' | 'vr' | 'length' | 'chunks'>;

function native(plan: Plan, { image }: OpenedImage): Parts {
  const { rows, columns, samplesPerPixel, bitsAllocated, frames } = image;
  const bytes = Math.ceil((rows * columns * samplesPerPixel * bitsAllocated * frames) / 8);
  return {
    transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
    vr: bitsAllocated > 8 ? 'OW' : 'OB',
    length: bytes + (bytes % 2),
    chunks: () => nativeChunks(plan, bitsAllocated === 1),
  };
}

async function* nativeChunks(plan: Plan, isBits: boolean): AsyncGenerator<Uint8Array> {
  const bits = new BitPacker();
  let size = 0;
  for await (const samples of blackFrames(plan)) {
    const bytes = isBits ? bits.add(samples) : bytesOfSamples(samples);
    size += bytes.length;
    yield bytes;
  }
  const rest = bits.rest();
  size += rest.length;
  yield rest;
  if (size % 2 === 1) yield Uint8Array.of(0);
}

/** Frames of 1-bit pixels follow each other without a gap (PS3.5 8.1.1). */
class BitPacker {
  #byte = 0;
  #bits = 0;

  add(samples: FrameSamples): Uint8Array {
    const out = new Uint8Array((this.#bits + samples.length) >> 3);
    let at = 0;
    for (const sample of samples) {
      this.#byte |= sample << this.#bits;
      this.#bits += 1;
      if (this.#bits < 8) continue;
      out[at] = this.#byte;
      at += 1;
      [this.#byte, this.#bits] = [0, 0];
    }
    return out;
  }

  rest(): Uint8Array {
    return this.#bits > 0 ? Uint8Array.of(this.#byte) : new Uint8Array(0);
  }
}

/** Encodes every frame once to know their lengths: the offset table comes before the frames. */
async function encapsulated(plan: Plan, { reader }: OpenedImage): Promise<Result<Parts>> {
  const lengths: number[] = [];
  const measured = await asResult(async () => {
    for (let index = 0; index < reader.frames; index += 1) {
      const samples = blackened(await reader.frame(index), plan, reader);
      lengths.push(encodedFrame(samples, reader).length);
    }
  }, 'a frame does not decode');
  if (!measured.ok) return measured;
  const offsets: number[] = [];
  let end = 0;
  for (const length of lengths) {
    offsets.push(end);
    end += ITEM_HEADER_BYTES + length;
  }
  if (end > OFFSET_MAX) return refuse('QUARANTINED_PIXELS', 'cleaned pixels beyond all use');
  return ok({
    transferSyntaxUid: RLE_LOSSLESS,
    vr: 'OB',
    length: undefined,
    chunks: () => encapsulatedChunks(plan, offsets, lengths),
  });
}

async function* encapsulatedChunks(
  plan: Plan,
  offsets: readonly number[],
  lengths: readonly number[],
): AsyncGenerator<Uint8Array> {
  yield itemHeader(ITEM, offsets.length * 4);
  const table = Buffer.alloc(offsets.length * 4);
  offsets.forEach((offset, i) => table.writeUInt32LE(offset, i * 4));
  yield table;
  let index = 0;
  for await (const [samples, reader] of blackFramesOf(plan)) {
    const encoded = encodedFrame(samples, reader);
    if (encoded.length !== lengths[index]) {
      throw new AifiError('DICOM_MALFORMED', 'the file has changed while it was read');
    }
    yield itemHeader(ITEM, encoded.length);
    yield encoded;
    index += 1;
  }
  yield itemHeader(SEQUENCE_END, 0);
}

function itemHeader(element: number, length: number): Uint8Array {
  const header = Buffer.alloc(ITEM_HEADER_BYTES);
  header.writeUInt16LE(0xfffe, 0);
  header.writeUInt16LE(element, 2);
  header.writeUInt32LE(length, 4);
  return header;
}

function encodedFrame(samples: FrameSamples, reader: FrameReader): Uint8Array {
  const { rows, columns, samplesPerPixel, bitsAllocated } = reader;
  const layout = { rows, columns, samplesPerPixel, bytesPerSample: bitsAllocated / 8 };
  return encodeRle(bytesOfSamples(samples), layout);
}

async function* blackFrames(plan: Plan): AsyncGenerator<FrameSamples> {
  for await (const [samples] of blackFramesOf(plan)) yield samples;
}

/** Opens the file again: the value is written when its writer asks, once or twice. */
async function* blackFramesOf(plan: Plan): AsyncGenerator<[FrameSamples, FrameReader]> {
  const opened = await openImage(plan.path);
  if (!opened.ok) throw new AifiError('DICOM_MALFORMED', 'the file has changed while it was read');
  const { reader } = opened.value;
  try {
    for (let index = 0; index < reader.frames; index += 1) {
      yield [blackened(await reader.frame(index), plan, reader), reader];
    }
  } finally {
    await reader.close();
  }
}

function blackened(samples: FrameSamples, plan: Plan, reader: FrameReader): FrameSamples {
  const { columns, samplesPerPixel } = reader;
  for (const { x, y, width, height } of plan.regions) {
    for (let row = y; row < y + height; row += 1) {
      const start = (row * columns + x) * samplesPerPixel;
      const end = start + width * samplesPerPixel;
      for (const [sample, value] of plan.black.entries()) {
        for (let at = start + sample; at < end; at += samplesPerPixel) samples[at] = value;
      }
    }
  }
  return samples;
}
