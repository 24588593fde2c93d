/**
 * Goal: RLE gives back every byte, is written as the standard says, and takes nothing damaged.
 * Method: frames from a fixed generator of numbers, and headers and packets by hand.
 */
import { describe, expect, it } from '@jest/globals';
import { decodeRle, encodeRle, type RleLayout } from './rle.js';

const layout = (part: Partial<RleLayout> = {}): RleLayout => ({
  ...{ rows: 7, columns: 300, samplesPerPixel: 1, bytesPerSample: 1 },
  ...part,
});
/** Runs and noise: `least` equal bytes in a row every now and then. */
function bytesFor({ rows, columns, samplesPerPixel, bytesPerSample }: RleLayout): Uint8Array {
  let seed = 12_345;
  const next = (): number => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) >> 16;
  const bytes = new Uint8Array(rows * columns * samplesPerPixel * bytesPerSample);
  for (let at = 0; at < bytes.length;) {
    const length = next() % 5 === 0 ? (next() % 400) + 1 : 1;
    bytes.fill(next() & 0xff, at, at + length);
    at += length;
  }
  return bytes;
}
const frame = (segments: number[][], offsets?: number[]): Uint8Array => {
  const header = new Uint8Array(64);
  const view = new DataView(header.buffer);
  view.setUint32(0, segments.length, true);
  let at = 64;
  segments.forEach((segment, i) => {
    view.setUint32(4 + i * 4, offsets?.[i] ?? at, true);
    at += segment.length;
  });
  return Buffer.concat([header, ...segments.map((segment) => Uint8Array.from(segment))]);
};
const small = layout({ rows: 1, columns: 4 });

describe('RLE Lossless', () => {
  it.each([
    layout(),
    layout({ samplesPerPixel: 3 }),
    layout({ bytesPerSample: 2 }),
    layout({ samplesPerPixel: 3, bytesPerSample: 4 }),
    layout({ rows: 1, columns: 1 }),
  ])('gives back every byte (%j)', (one) => {
    const bytes = bytesFor(one);
    const encoded = encodeRle(bytes, one);
    expect(encoded.length % 2).toBe(0);
    expect(Buffer.compare(decodeRle(encoded, one), bytes)).toBe(0);
  });
  it('puts the most significant byte of a sample into the first segment', () => {
    const two = layout({ rows: 1, columns: 2, bytesPerSample: 2 });
    const encoded = encodeRle(Uint8Array.of(0x01, 0xa0, 0x02, 0xa0), two);
    expect([...encoded.subarray(64)]).toEqual([1, 0xa0, 0xa0, 0, 1, 0x01, 0x02, 0]);
  });
  it('ends every packet with its row', () => {
    const rows = layout({ rows: 2, columns: 4 });
    const encoded = encodeRle(new Uint8Array(8), rows);
    expect([...encoded.subarray(64)]).toEqual([253, 0, 253, 0]);
  });
  it('reads a packet that says nothing, and lets padding behind the last byte pass', () => {
    expect([...decodeRle(frame([[128, 254, 7, 0, 9, 0, 0]]), small)]).toEqual([7, 7, 7, 9]);
  });
  it.each<[string, Uint8Array]>([
    ['no header', new Uint8Array(10)],
    [
      'another number of segments',
      frame([
        [253, 0],
        [253, 0],
      ]),
    ],
    ['a segment before the end of the header', frame([[253, 0]], [10])],
    ['a segment beyond the end', frame([[253, 0]], [400])],
    ['too few bytes', frame([[254, 0]])],
    ['a run of more than the frame', frame([[252, 0]])],
    ['a literal that is cut short', frame([[3, 1, 2]])],
    ['nothing at all', frame([[]])],
  ])('throws DICOM_MALFORMED for %s', (_, encoded) => {
    expect(() => decodeRle(encoded, small)).toThrow(
      expect.objectContaining({ code: 'DICOM_MALFORMED' }),
    );
  });
});
