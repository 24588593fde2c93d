/**
 * Goal: a person sees the frame as a display would show it, and the file holds nothing but pixels.
 * Method: phantoms of a few pixels, the PNG read back; its chunks are listed.
 */
import { afterAll, describe, expect, it } from '@jest/globals';
import { decode } from 'fast-png';
import { join } from 'node:path';
import { temporaryFolder } from '@aifi/shared-testing';
import { encapsulatedFile, nativeFile, type Phantom } from '../test/phantom-image.js';
import { previewOf as sut } from './preview.js';

const folder = temporaryFolder('preview');
afterAll(() => folder.remove());
let files = 0;
const next = (): string => join(folder.path, `${(files += 1)}.dcm`);

async function pngOf(
  phantom: Phantom,
  pixels: number[],
  columnsMax = 100,
  frame = 0,
): Promise<Buffer> {
  const result = await sut(nativeFile(next(), phantom, pixels), frame, { columnsMax });
  if (!result.ok) throw new Error(result.refusal.detail);
  return result.value;
}
const greysOf = async (...[phantom, pixels]: Parameters<typeof pngOf>): Promise<number[]> => [
  ...decode(await pngOf(phantom, pixels)).data,
];
const windowed: Phantom['change'] = (dataset) =>
  dataset.setNumbers('WindowCenter', [20]).setNumbers('WindowWidth', [20]);

describe('previewOf', () => {
  it('applies the window of the object, after rescale', async () => {
    const phantom = { rows: 1, columns: 4, change: windowed };
    expect(await greysOf(phantom, [0, 10, 20, 30])).toEqual([0, 0, 128, 255]);
    const rescaled: Phantom = {
      ...phantom,
      change: (dataset) => {
        windowed(dataset);
        dataset.setNumbers('RescaleIntercept', [10]).setNumbers('RescaleSlope', [1]);
      },
    };
    expect(await greysOf(rescaled, [0, 10, 20, 30])).toEqual([0, 128, 255, 255]);
  });
  it('shows high values of MONOCHROME1 dark', async () => {
    const phantom = { rows: 1, columns: 3, photometric: 'MONOCHROME1', change: windowed };
    expect(await greysOf(phantom, [0, 20, 40])).toEqual([255, 128, 0]);
  });
  it('takes the values of the frame without padding where no window is told', async () => {
    const change: Phantom['change'] = (dataset) =>
      dataset.setNumbers('PixelPaddingValue', [250], 'US');
    const phantom = { rows: 1, columns: 4, change };
    expect(await greysOf(phantom, [100, 151, 202, 250])).toEqual([0, 128, 255, 255]);
  });
  it.each<[string, number[], number[]]>([
    ['RGB', [255, 0, 10, 1, 2, 3], [255, 0, 10, 1, 2, 3]],
    ['YBR_FULL', [76, 85, 255, 0, 128, 128], [254, 0, 0, 0, 0, 0]],
  ])('keeps the colour of %s', async (photometric, pixels, expected) => {
    const png = decode(await pngOf({ rows: 1, columns: 2, samples: 3, photometric }, pixels));
    expect(png.channels).toBe(3);
    expect([...png.data]).toEqual(expected);
  });
  it('makes wide frames smaller, aspect kept, and never enlarges', async () => {
    const pixels = Array.from({ length: 32 }, (_, i) => i);
    const small = decode(await pngOf({ rows: 4, columns: 8 }, pixels, 4));
    expect([small.width, small.height]).toEqual([4, 2]);
    const same = decode(await pngOf({ rows: 4, columns: 8 }, pixels, 400));
    expect([same.width, same.height]).toEqual([8, 4]);
  });
  it('holds no chunk but header, pixels and end', async () => {
    const png = await pngOf(
      { rows: 4, columns: 8 },
      Array.from({ length: 32 }, (_, i) => i),
    );
    const chunks: string[] = [];
    for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
      chunks.push(png.toString('latin1', at + 4, at + 8));
    }
    expect(chunks).toEqual(['IHDR', 'IDAT', 'IEND']);
  });
  it('refuses what does not decode and throws for a frame that there is not', async () => {
    const phantom = { rows: 1, columns: 2, transferSyntaxUid: '1.2.840.10008.1.2.5' };
    const path = encapsulatedFile(next(), phantom, new Uint8Array(0), [new Uint8Array(70)]);
    expect(await sut(path, 0, { columnsMax: 10 })).toMatchObject({
      refusal: { code: 'MALFORMED' },
    });
    await expect(pngOf({ rows: 1, columns: 2 }, [1, 2], 10, 7)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });
});
