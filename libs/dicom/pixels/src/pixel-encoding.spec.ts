/**
 * Goal: models get values after rescale, in an array that holds them without rounding.
 * Method: hand-made samples.
 */
import { describe, expect, it } from '@jest/globals';
import { DicomDataset } from '@aifi/dicom-core';
import {
  pixelEncodingOf,
  rescaleInto,
  voxelArrayFor,
  type PixelEncoding,
} from './pixel-encoding.js';

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
describe(rescaleInto.name, () => {
  it('applies rescale slope and intercept', () => {
    const out = new Float32Array(2);
    rescaleInto(Uint16Array.of(100, 0), encoding({ slope: 0.5, intercept: -1024 }), out);
    expect([...out]).toEqual([-974, -1024]);
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
