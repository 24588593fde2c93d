/**
 * RLE Lossless: frames to segments of packed bytes and back.
 * Decides that a frame is read whole or not at all, and how cleaned frames are written: this codec
 * knows no colour model, precision or sign, so every image is written with the same few lines and
 * is read back bit by bit, whatever it is.
 * Invariant: equal samples give equal bytes. Source: PS3.5 annex G.
 */
import { AifiError } from '@aifi/shared-kernel';

export const RLE_LOSSLESS = '1.2.840.10008.1.2.5';
/** Number of segments and 15 offsets, 32 bits each (PS3.5 G.5). @unit bytes */
const HEADER_BYTES = 64;
const SEGMENTS_MAX = 15;
/** Longest run and longest literal of one packet (PS3.5 G.3.1). */
const PACKET_MAX = 128;

export interface RleLayout {
  readonly rows: number;
  readonly columns: number;
  readonly samplesPerPixel: number;
  readonly bytesPerSample: number;
}

/** Interleaved samples, little endian. Throws DICOM_MALFORMED for anything but a whole frame. */
export function decodeRle(encoded: Uint8Array, layout: RleLayout): Uint8Array {
  const { rows, columns, samplesPerPixel, bytesPerSample } = layout;
  const segments = samplesPerPixel * bytesPerSample;
  const offsets = segmentOffsets(encoded, segments);
  const pixels = rows * columns;
  const out = new Uint8Array(pixels * segments);
  for (const [index, start] of offsets.entries()) {
    const segment = encoded.subarray(start, offsets[index + 1] ?? encoded.length);
    // Segments hold the most significant byte first.
    const byte = bytesPerSample - 1 - (index % bytesPerSample);
    const first = Math.floor(index / bytesPerSample) * bytesPerSample + byte;
    unpack(segment, out, first, segments);
  }
  return out;
}

function segmentOffsets(encoded: Uint8Array, segments: number): number[] {
  if (encoded.length < HEADER_BYTES) throw malformed();
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  if (view.getUint32(0, true) !== segments || segments > SEGMENTS_MAX) throw malformed();
  const offsets = Array.from({ length: segments }, (_, i) => view.getUint32(4 + i * 4, true));
  const isAscending = offsets.every((offset, i) => offset > (offsets[i - 1] ?? HEADER_BYTES - 1));
  if (!isAscending || offsets.at(-1)! >= encoded.length) throw malformed();
  return offsets;
}

/** Packed bytes to every `step`-th byte of `out` from `first` on; what follows them is padding. */
function unpack(packed: Uint8Array, out: Uint8Array, first: number, step: number): void {
  let [from, to] = [0, first];
  while (to < out.length) {
    const control = packed[from]!;
    from += 1;
    // 128 is no operation; above it a run of 257 − n, below it n + 1 literal bytes.
    const length = control > 128 ? 257 - control : control < 128 ? control + 1 : 0;
    const isRun = control > 128;
    if (from + (isRun ? 1 : length) > packed.length) throw malformed();
    if (to + (length - 1) * step >= out.length) throw malformed();
    for (let k = 0; k < length; k += 1, to += step) out[to] = packed[isRun ? from : from + k]!;
    from += isRun ? 1 : length;
  }
}

/** One frame, of even length. `samples`: interleaved, little endian. */
export function encodeRle(samples: Uint8Array, layout: RleLayout): Uint8Array {
  const { rows, columns, samplesPerPixel, bytesPerSample } = layout;
  const segments = samplesPerPixel * bytesPerSample;
  const header = new Uint8Array(HEADER_BYTES);
  const view = new DataView(header.buffer);
  view.setUint32(0, segments, true);
  const parts: Uint8Array[] = [header];
  let offset = HEADER_BYTES;
  const row = new Uint8Array(columns);
  for (let index = 0; index < segments; index += 1) {
    const byte = bytesPerSample - 1 - (index % bytesPerSample);
    const first = Math.floor(index / bytesPerSample) * bytesPerSample + byte;
    const packed = new PackedBytes(rows * columns);
    for (let y = 0; y < rows; y += 1) {
      const start = y * columns * segments + first;
      for (let x = 0; x < columns; x += 1) row[x] = samples[start + x * segments]!;
      // A packet never runs over the end of its row (PS3.5 G.3.1).
      packed.add(row);
    }
    view.setUint32(4 + index * 4, offset, true);
    const segment = packed.even();
    parts.push(segment);
    offset += segment.length;
  }
  return Buffer.concat(parts);
}

class PackedBytes {
  #bytes: Uint8Array;
  #length = 0;

  constructor(expected: number) {
    this.#bytes = new Uint8Array(Math.max(64, expected >> 1));
  }

  add(row: Uint8Array): void {
    // No packet is longer than twice its bytes.
    this.#reserve(2 * row.length);
    for (let at = 0; at < row.length;) {
      const run = runLength(row, at);
      // A run of two costs as much as two literals; from three on it is shorter.
      const literal = run >= 3 ? 0 : literalLength(row, at);
      if (literal === 0) {
        this.#bytes[this.#length] = 257 - run;
        this.#bytes[this.#length + 1] = row[at]!;
        this.#length += 2;
        at += run;
        continue;
      }
      this.#bytes[this.#length] = literal - 1;
      this.#bytes.set(row.subarray(at, at + literal), this.#length + 1);
      this.#length += literal + 1;
      at += literal;
    }
  }

  /** The packed bytes, a zero behind them when their number is odd. */
  even(): Uint8Array {
    this.#reserve(1);
    this.#bytes[this.#length] = 0;
    return this.#bytes.slice(0, this.#length + (this.#length % 2));
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(2 * (this.#length + more));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

function runLength(row: Uint8Array, at: number): number {
  const end = Math.min(row.length, at + PACKET_MAX);
  let next = at + 1;
  while (next < end && row[next] === row[at]) next += 1;
  return next - at;
}
/** Bytes up to the next run of three. */
function literalLength(row: Uint8Array, at: number): number {
  const end = Math.min(row.length, at + PACKET_MAX);
  let next = at + 1;
  while (next < end && !(row[next] === row[next + 1] && row[next] === row[next + 2])) next += 1;
  return next - at;
}

function malformed(): AifiError {
  return new AifiError('DICOM_MALFORMED', 'an RLE frame does not decode');
}
