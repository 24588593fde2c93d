/**
 * Goal: regions become what is shown darkest, on every frame, and the attributes tell the truth.
 * Method: phantoms of a few pixels, looked at byte by byte.
 */
import { afterAll, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import type { DicomDataset } from '@aifi/dicom-core';
import { temporaryFolder } from '@aifi/shared-testing';
import { encapsulatedFile, nativeFile, type Phantom } from '../test/phantom-image.js';
import { blackOut as sut } from './black-out.js';
import type { CleanedPixels, PixelRegion } from './cleaned-pixels.js';
import { encodeRle } from './rle.js';

const folder = temporaryFolder('black-out');
afterAll(() => folder.remove());
let files = 0;
const next = (): string => join(folder.path, `${(files += 1)}.dcm`);
const FIRST: PixelRegion = { x: 0, y: 0, width: 1, height: 1 };
const RLE = '1.2.840.10008.1.2.5';

async function cleanedOf(path: string, ...regions: PixelRegion[]): Promise<CleanedPixels> {
  const result = await sut(path, regions);
  if (!result.ok) throw new Error(`${result.refusal.code} ${result.refusal.detail}`);
  return result.value;
}
async function valueOf(cleaned: CleanedPixels): Promise<number[]> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of cleaned.chunks()) chunks.push(chunk);
  return [...Buffer.concat(chunks)];
}
/** The bytes of a row of two pixels whose first is blacked out. */
const blackened = async (phantom: Partial<Phantom>, pixels: number[]): Promise<number[]> =>
  valueOf(await cleanedOf(nativeFile(next(), { rows: 1, columns: 2, ...phantom }, pixels), FIRST));
const changing = (change: (dataset: DicomDataset) => unknown) => ({ change });

describe('blackOut: the darkest value', () => {
  it.each<[string, Partial<Phantom>, number[], number[]]>([
    ['0 of MONOCHROME2', {}, [9, 8], [0, 8]],
    ['the highest of MONOCHROME1', { photometric: 'MONOCHROME1', stored: 7 }, [9, 8], [127, 8]],
    ['the lowest of signed values', { signed: true }, [9, 8], [0x80, 8]],
    [
      'the highest where rescale falls',
      changing((dataset) => dataset.setNumbers('RescaleSlope', [-1])),
      [9, 8],
      [255, 8],
    ],
    [
      'the next to padding',
      changing((dataset) =>
        dataset
          .setNumbers('PixelPaddingValue', [0], 'US')
          .setNumbers('PixelPaddingRangeLimit', [3], 'US'),
      ),
      [9, 8],
      [4, 8],
    ],
    ['0 of RGB', { samples: 3, photometric: 'RGB' }, [9, 8, 7, 6, 5, 4], [0, 0, 0, 6, 5, 4]],
    [
      'no light and no colour of YBR_FULL',
      { samples: 3, photometric: 'YBR_FULL' },
      [9, 8, 7, 6, 5, 4],
      [0, 128, 128, 6, 5, 4],
    ],
    ['0 of 1 bit', { bits: 1 }, [0b11], [0b10, 0]],
  ])('is %s', async (_, phantom, pixels, expected) => {
    expect(await blackened(phantom, pixels)).toEqual(expected);
  });
  it('is the darkest entry of a palette', async () => {
    const palette = changing((dataset) => {
      for (const [i, colour] of ['Red', 'Green', 'Blue'].entries()) {
        const data = Uint16Array.of(40_000, 30_000 + i, 200, 50_000);
        dataset
          .setNumbers(`${colour}PaletteColorLookupTableDescriptor`, [4, 10, 16], 'US')
          .setBytes(`${colour}PaletteColorLookupTableData`, new Uint8Array(data.buffer), 'OW');
      }
    });
    expect(await blackened({ ...palette, photometric: 'PALETTE COLOR' }, [10, 13])).toEqual([
      12, 13,
    ]);
  });
  it('refuses a palette that is not read', async () => {
    const path = nativeFile(next(), { rows: 1, columns: 2, photometric: 'PALETTE COLOR' }, [1, 2]);
    expect(await sut(path, [FIRST])).toMatchObject({ refusal: { code: 'QUARANTINED_PIXELS' } });
  });
});

describe('blackOut: regions', () => {
  const path = nativeFile(next(), { rows: 2, columns: 3 }, [1, 2, 3, 4, 5, 6]);
  it('are cut to the image', async () => {
    const cleaned = await cleanedOf(path, { x: 2, y: -5, width: 90, height: 6 });
    expect(await valueOf(cleaned)).toEqual([1, 2, 0, 4, 5, 6]);
  });
  it.each<[string, PixelRegion[]]>([
    ['none', []],
    ['one beside the image', [{ x: 3, y: 0, width: 5, height: 5 }]],
    ['one without area', [{ x: 0, y: 0, width: 0, height: 5 }]],
    ['one that is no number', [{ x: Number.NaN, y: 0, width: 1, height: 1 }]],
  ])('are refused when there is %s in the image', async (_, regions) => {
    expect(await sut(path, regions)).toMatchObject({ refusal: { code: 'QUARANTINED_PIXELS' } });
  });
  it('are told apart by their digest, whatever their order', async () => {
    const other = { ...FIRST, x: 1 };
    const digests = await Promise.all(
      [[FIRST, other], [other, FIRST, FIRST], [other]].map(
        async (regions) => (await cleanedOf(path, ...regions)).regionsSha256,
      ),
    );
    expect(digests[0]).toBe(digests[1]);
    expect(digests[0]).not.toBe(digests[2]);
  });
  it('are black on every frame, 1-bit frames packed without a gap', async () => {
    const bits = nativeFile(next(), { rows: 1, columns: 5, bits: 1, frames: 2 }, [0xff, 0x03]);
    expect(await valueOf(await cleanedOf(bits, FIRST))).toEqual([0b1101_1110, 0b11]);
  });
});

describe('blackOut: what is written', () => {
  it('is native Explicit VR Little Endian for native input, of even length', async () => {
    const cleaned = await cleanedOf(nativeFile(next(), { rows: 1, columns: 3 }, [1, 2, 3]), FIRST);
    expect(cleaned).toMatchObject({
      transferSyntaxUid: '1.2.840.10008.1.2.1',
      vr: 'OB',
      length: 4,
    });
    expect(await valueOf(cleaned)).toEqual([0, 2, 3, 0]);
  });
  it('loses bits that were hidden beside the stored ones', async () => {
    const wide = { rows: 1, columns: 2, bits: 16, stored: 12 };
    const cleaned = await cleanedOf(nativeFile(next(), wide, [0xf001, 0xf002]), FIRST);
    expect(cleaned.vr).toBe('OW');
    expect(await valueOf(cleaned)).toEqual([0, 0, 2, 0]);
    expect(cleaned.attributes.number('HighBit')).toBe(11);
  });
  const frames = [Uint8Array.of(1, 2), Uint8Array.of(3, 3)].map((bytes) =>
    encodeRle(bytes, { rows: 1, columns: 2, samplesPerPixel: 1, bytesPerSample: 1 }),
  );
  const phantom = { rows: 1, columns: 2, frames: 2, transferSyntaxUid: RLE };
  it('is RLE with offset table for compressed input', async () => {
    const cleaned = await cleanedOf(
      encapsulatedFile(next(), phantom, new Uint8Array(0), frames),
      FIRST,
    );
    expect(cleaned).toMatchObject({ transferSyntaxUid: RLE, vr: 'OB', length: undefined });
    const value = Buffer.from(await valueOf(cleaned));
    expect(value.subarray(0, 16).toString('hex')).toBe('feff00e008000000000000004c000000');
    expect(value.readUInt32LE(16 + 4)).toBe(68);
    expect([...value.subarray(16 + 8 + 64, 16 + 8 + 68)]).toEqual([1, 0, 2, 0]);
    expect(value.subarray(-8).toString('hex')).toBe('feffdde000000000');
  });
  it('is nothing when one frame does not decode', async () => {
    const path = encapsulatedFile(next(), phantom, new Uint8Array(0), [
      frames[0]!,
      new Uint8Array(70),
    ]);
    expect(await sut(path, [FIRST])).toMatchObject({ refusal: { code: 'MALFORMED' } });
  });
  it('describes the new pixels, and takes back what was true of the old ones only', async () => {
    const planar: Phantom = {
      ...{ rows: 1, columns: 2, samples: 3, photometric: 'RGB', frames: 1 },
      change: (dataset) => dataset.setNumbers('PlanarConfiguration', [1]),
    };
    const cleaned = await cleanedOf(nativeFile(next(), planar, [1, 2, 3, 4, 5, 6]), FIRST);
    expect(await valueOf(cleaned)).toEqual([0, 0, 0, 2, 4, 6]);
    expect(cleaned.attributes.number('PlanarConfiguration')).toBe(0);
    expect(cleaned.attributes.number('NumberOfFrames')).toBe(1);
    expect(cleaned.attributes.has('LossyImageCompression')).toBe(false);
    expect(cleaned.removed).toEqual(
      expect.arrayContaining([0x00280106, 0x00280107, 0x7fe00001, 0x7fe00002]),
    );
  });
});
