/**
 * Goal: stored bits become the right numbers, whatever their width, sign, order and rescale.
 * Method: hand-made bytes.
 */
import { describe, expect, it } from '@jest/globals';
import { DicomDataset } from '@aifi/dicom-core';
import {
  decodeFrame,
  pixelEncodingOf,
  voxelArrayFor,
  type PixelEncoding,
} from './native-pixels.js';

const encoding = (part: Partial<PixelEncoding> = {}): PixelEncoding => ({
  bitsAllocated: 16,
  bitsStored: 12,
  highBit: 11,
  signed: false,
  slope: 1,
  intercept: 0,
  photometricInterpretation: 'MONOCHROME2',
  ...part,
});
const decode = (
  bytes: number[],
  size: number,
  part: Partial<PixelEncoding>,
  frame = { littleEndian: true, vr: 'OW' },
): number[] => {
  const out = new Float32Array(size);
  decodeFrame({ bytes: Uint8Array.from(bytes), ...frame }, encoding(part), out);
  return [...out];
};

describe(decodeFrame.name, () => {
  it('cuts off the bits above High Bit', () => {
    expect(decode([0xff, 0xff, 0x01, 0xf0], 2, {})).toEqual([4095, 1]);
  });
  it('extends the sign of signed values', () => {
    expect(decode([0xff, 0x0f, 0x00, 0x08], 2, { signed: true })).toEqual([-1, -2048]);
  });
  it('drops the bits below the stored ones', () => {
    expect(decode([0xf0, 0xff], 1, { highBit: 15 })).toEqual([4095]);
  });
  it('applies rescale slope and intercept', () => {
    expect(decode([0x64, 0x00], 1, { slope: 0.5, intercept: -1024 })).toEqual([-974]);
  });
  it('reads 16 bits in big endian', () => {
    expect(decode([0x01, 0x02], 1, {}, { littleEndian: false, vr: 'OW' })).toEqual([0x102]);
  });
  it('reads 8-bit pixels of OW in big endian in swapped pairs, and of OB in order', () => {
    const bits = { bitsAllocated: 8, bitsStored: 8, highBit: 7 } as const;
    expect(decode([2, 1, 4, 3], 4, bits, { littleEndian: false, vr: 'OW' })).toEqual([1, 2, 3, 4]);
    expect(decode([1, 2, 3, 4], 4, bits, { littleEndian: false, vr: 'OB' })).toEqual([1, 2, 3, 4]);
  });
  it('throws DICOM_MALFORMED for too few bytes', () => {
    expect(() => decode([0, 0], 2, {})).toThrow(
      expect.objectContaining({ code: 'DICOM_MALFORMED' }),
    );
  });
});

describe(voxelArrayFor.name, () => {
  it.each([
    [encoding({ bitsAllocated: 8, bitsStored: 8, highBit: 7 }), Uint8Array],
    [encoding({ intercept: -1024 }), Int16Array],
    [encoding({ bitsStored: 16, highBit: 15 }), Float32Array],
    [encoding({ slope: 0.1 }), Float32Array],
  ])('takes the smallest type without rounding', (one, type) => {
    expect(voxelArrayFor([one], 1)).toBeInstanceOf(type);
  });
});

describe(pixelEncodingOf.name, () => {
  const dataset = () =>
    new DicomDataset()
      .setString('PhotometricInterpretation', 'MONOCHROME1')
      .setNumbers('BitsAllocated', [16])
      .setNumbers('BitsStored', [12]);
  it('notes MONOCHROME1', () => {
    const result = pixelEncodingOf(dataset());
    expect(result).toMatchObject({
      ok: true,
      value: { photometricInterpretation: 'MONOCHROME1', highBit: 11, signed: false },
    });
  });
  it('refuses colour', () => {
    const result = pixelEncodingOf(dataset().setString('PhotometricInterpretation', 'RGB'));
    expect(result).toMatchObject({ ok: false, refusal: { code: 'INPUT_INCOMPLETE' } });
  });
  it('throws DICOM_MALFORMED for more stored than allocated bits', () => {
    expect(() => pixelEncodingOf(dataset().setNumbers('BitsStored', [17]))).toThrow(
      expect.objectContaining({ code: 'DICOM_MALFORMED' }),
    );
  });
});
