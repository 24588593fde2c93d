/**
 * Frame samples: stored bits of one frame to numbers, and back.
 * Decides how stored bits become values: bits outside of those stored are cut off and told (an
 * overlay may be hidden there), signed values are sign extended; colour is interleaved.
 * Invariant: nothing is rescaled, windowed or inverted. Data is [y, x, sample].
 * Source: PS3.5 8.1 and 8.2; PS3.3 C.7.6.3.1.2 (YBR_FULL_422), C.7.6.3.1.3 (planar configuration).
 */
import type { ImageDescription } from './image-description.js';

export type FrameSamples =
  Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array;

/** Little endian samples of a whole frame, and which of their bits are stored. */
export interface StoredBits {
  readonly bytes: Uint8Array;
  readonly bitsAllocated: 8 | 16 | 32;
  readonly bitsStored: number;
  readonly highBit: number;
  readonly littleEndian: boolean;
}

/** An array of `length` samples: 1-bit pixels take a byte each. */
export function samplesFor(bits: number, signed: boolean, length: number): FrameSamples {
  if (bits <= 8) return signed ? new Int8Array(length) : new Uint8Array(length);
  if (bits <= 16) return signed ? new Int16Array(length) : new Uint16Array(length);
  return signed ? new Int32Array(length) : new Uint32Array(length);
}

/**
 * `out` takes as many samples as it has room for. True when something was cut off that is neither
 * zero nor the sign of its sample: then `hidesBits` knows more.
 */
export function fillSamples(stored: StoredBits, signed: boolean, out: FrameSamples): boolean {
  const { bitsStored, highBit, bitsAllocated } = stored;
  const words = storedWords(stored, out.length);
  // The stored bits go to the top of 32 bits and come back: cut off above, sign extended below.
  const [up, down, low] = [31 - highBit, 32 - bitsStored, highBit + 1 - bitsStored];
  const { length } = out;
  let cut = 0;
  // Two loops: one that asks for every sample takes twice as long.
  if (signed) {
    for (let at = 0; at < length; at += 1) {
      const value = (words[at]! << up) >> down;
      cut |= words[at]! ^ (value << low);
      out[at] = value;
    }
  } else {
    for (let at = 0; at < length; at += 1) {
      const value = (words[at]! << up) >>> down;
      cut |= words[at]! ^ (value << low);
      out[at] = value;
    }
  }
  // The sign goes on above the cell.
  return cut << (32 - bitsAllocated) !== 0;
}

/**
 * The bytes themselves as samples, without a copy; undefined where a bit has to move. `bytes` then
 * are the samples: who changes one changes the other.
 */
export function samplesIn(
  stored: StoredBits,
  signed: boolean,
  length: number,
): FrameSamples | undefined {
  const { bitsStored, highBit } = stored;
  const words = wordsOf(stored, length);
  if (!words || highBit + 1 !== bitsStored) return undefined;
  const { buffer, byteOffset } = words;
  const isFull = bitsStored === stored.bitsAllocated;
  if (signed) {
    const Signed = SIGNED[words.BYTES_PER_ELEMENT]!;
    const samples = new Signed(buffer as ArrayBuffer, byteOffset, length);
    const shift = 32 - bitsStored;
    for (let at = 0; at < length && !isFull; at += 1) {
      if ((samples[at]! << shift) >> shift !== samples[at]) return undefined;
    }
    return samples;
  }
  return isFull || bitsOf(words) >>> bitsStored === 0 ? words : undefined;
}
/** Every bit that is set in any of them; 16 bits are read in pairs. */
function bitsOf(words: Words): number {
  const { buffer, byteOffset, length } = words;
  let any = 0;
  let from = 0;
  if (words.BYTES_PER_ELEMENT === 2) {
    // Pairs lie at multiples of four bytes; one word may be left at either end.
    from = byteOffset % 4 === 0 ? 0 : 1;
    const pairs = new Int32Array(buffer, byteOffset + 2 * from, (length - from) >> 1);
    for (let at = 0; at < pairs.length; at += 1) any |= pairs[at]!;
    any = (any & 0xffff) | (any >>> 16);
    if (from === 1) any |= words[0]!;
    from += 2 * pairs.length;
  }
  for (let at = from; at < length; at += 1) any |= words[at]!;
  return any;
}
const SIGNED = { 1: Int8Array, 2: Int16Array, 4: Int32Array } as Readonly<
  Record<number, typeof Int8Array | typeof Int16Array | typeof Int32Array>
>;

type Words = Uint8Array | Uint16Array | Uint32Array;

/** Allocated bits as numbers, whatever their order and place. */
export function storedWords(stored: StoredBits, length: number): Words {
  return wordsOf(stored, length) ?? copiedWords(stored, length);
}

/** Allocated bits as numbers of the machine, which is little endian, where they lie so. */
function wordsOf(stored: StoredBits, length: number): Words | undefined {
  const { bytes, bitsAllocated, littleEndian } = stored;
  const width = bitsAllocated / 8;
  const { buffer, byteOffset, byteLength } = bytes;
  if (byteLength < length * width) return undefined;
  // Never a Buffer, whose slices are no copies.
  if (bitsAllocated === 8) return new Uint8Array(buffer, byteOffset, length);
  if (!littleEndian || byteOffset % width !== 0) return undefined;
  return bitsAllocated === 16
    ? new Uint16Array(buffer, byteOffset, length)
    : new Uint32Array(buffer, byteOffset, length);
}

function copiedWords(stored: StoredBits, length: number): Words {
  const { bytes, bitsAllocated, littleEndian } = stored;
  if (bitsAllocated === 8) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = bitsAllocated === 16 ? new Uint16Array(length) : new Uint32Array(length);
  for (let at = 0; at < length; at += 1) {
    out[at] =
      bitsAllocated === 16
        ? view.getUint16(at * 2, littleEndian)
        : view.getUint32(at * 4, littleEndian);
  }
  return out;
}

/** Colour planes to pixels. */
export function interleaved<T extends FrameSamples>(planes: T, samplesPerPixel: number): T {
  const out = planes.slice() as T;
  const pixels = planes.length / samplesPerPixel;
  for (let sample = 0; sample < samplesPerPixel; sample += 1) {
    for (let pixel = 0; pixel < pixels; pixel += 1) {
      out[pixel * samplesPerPixel + sample] = planes[sample * pixels + pixel]!;
    }
  }
  return out;
}

/** Y1 Y2 Cb Cr of two neighbours to Y Cb Cr each: the shared colour is given to both. */
export function withFullColour<T extends FrameSamples>(half: T, out: T): T {
  for (let [from, to] = [0, 0]; from < half.length; from += 4, to += 6) {
    const [first, second, blue, red] = [
      half[from]!,
      half[from + 1]!,
      half[from + 2]!,
      half[from + 3]!,
    ];
    out.set([first, blue, red, second, blue, red], to);
  }
  return out;
}

/** Bits of a frame of 1-bit pixels, the first at the lowest bit of its byte (PS3.5 8.1.1). */
export function fillFromBits(bytes: Uint8Array, firstBit: number, out: FrameSamples): void {
  for (let at = 0; at < out.length; at += 1) {
    const bit = firstBit + at;
    out[at] = (bytes[bit >> 3]! >> (bit & 7)) & 1;
  }
}

/** The bytes of samples, little endian, those of a signed sample in two's complement. */
export function bytesOfSamples(samples: FrameSamples): Uint8Array {
  // Typed arrays have the byte order of the machine; every one that Node runs on is little endian.
  return new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
}

/** How many samples of a frame are stored: shared colour is stored once for two pixels. */
export function storedSamplesOf(image: ImageDescription, isEncapsulated: boolean): number {
  const pixels = image.rows * image.columns;
  const isHalf = image.photometricInterpretation === 'YBR_FULL_422' && !isEncapsulated;
  return isHalf ? pixels * 2 : pixels * image.samplesPerPixel;
}
