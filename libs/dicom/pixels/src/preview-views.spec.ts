/**
 * Goal: text that one view hides is plain in another one, whatever the pixels are.
 * Method: letters of a few stored values above or below their background, outside of the object's
 * window; the PNG read back, and how far the letters are from what lies beside them.
 */
import { afterAll, describe, expect, it } from '@jest/globals';
import { decode } from 'fast-png';
import { join } from 'node:path';
import { temporaryFolder } from '@aifi/shared-testing';
import { nativeFile, type Phantom } from '../test/phantom-image.js';
import { previewOf as sut, type PreviewView } from './preview.js';

const folder = temporaryFolder('preview-views');
afterAll(() => folder.remove());
let files = 0;

const [ROWS, COLUMNS] = [80, 120];
/** Two letters of 10 pixels and more. */
const LETTERS = ['X...X.XXXXX', 'XX..X.X....', 'X.X.X.XXXX.', 'X..XX.X....', 'X...X.XXXXX'];
const [TOP, LEFT, SIZE] = [30, 40, 3];
const isInk = (at: number): boolean => {
  const [y, x] = [Math.floor(at / COLUMNS) - TOP, (at % COLUMNS) - LEFT];
  return y >= 0 && x >= 0 && LETTERS[Math.floor(y / SIZE)]?.[Math.floor(x / SIZE)] === 'X';
};
/** Beside the letters: their box, with a margin. */
const isPaper = (at: number): boolean => {
  const [y, x] = [Math.floor(at / COLUMNS) - TOP, (at % COLUMNS) - LEFT];
  return y >= -3 && y < 5 * SIZE + 3 && x >= -3 && x < 11 * SIZE + 3 && !isInk(at);
};
const painted = (paint: (at: number) => number[]): number[] =>
  Array.from({ length: ROWS * COLUMNS }, (_, at) => paint(at)).flat();

async function pictureOf(phantom: Partial<Phantom>, pixels: number[], view: PreviewView) {
  const whole = { rows: ROWS, columns: COLUMNS, ...phantom };
  const path = nativeFile(join(folder.path, `${(files += 1)}.dcm`), whole, pixels);
  const png = await sut(path, 0, { columnsMax: 1_000, view });
  if (!png.ok) throw new Error(png.refusal.detail);
  return decode(png.value);
}
/** Of 255: the channel in which letters and background differ most. */
async function contrastOf(...question: Parameters<typeof pictureOf>): Promise<number> {
  const { data, channels } = await pictureOf(...question);
  const mean = (isOne: (at: number) => boolean, channel: number): number => {
    const values = [...data].filter(
      (_, at) => at % channels === channel && isOne(Math.floor(at / channels)),
    );
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  const differences = Array.from({ length: channels }, (_, channel) =>
    Math.abs(mean(isInk, channel) - mean(isPaper, channel)),
  );
  return Math.max(...differences);
}
const windowed = (center: number, width: number): Pick<Phantom, 'change'> => ({
  change: (dataset) =>
    dataset.setNumbers('WindowCenter', [center]).setNumbers('WindowWidth', [width]),
});
/** What nobody sees, and what everybody does. */
const [HIDDEN, PLAIN] = [1, 60];

describe('previewOf, text outside of the window of the object', () => {
  const deep = { bits: 16, stored: 12 };
  it.each<[string, Partial<Phantom>, (at: number) => number]>([
    ['8 bits', windowed(50, 40), (at) => (isInk(at) ? 250 : 200)],
    ['12 bits', { ...deep, ...windowed(500, 400) }, (at) => (isInk(at) ? 3_900 : 2_500)],
    [
      'signed values',
      { ...deep, signed: true, ...windowed(0, 200) },
      (at) => (isInk(at) ? -1_900 : -700) & 0xffff,
    ],
    [
      'MONOCHROME1',
      { ...deep, photometric: 'MONOCHROME1', ...windowed(500, 400) },
      (at) => (isInk(at) ? 3_900 : 2_500),
    ],
  ])('of %s shows in full and in detail only', async (_, phantom, value) => {
    // A ramp at the top, so that the frame has a range of its own.
    const pixels = painted((at) => [at < COLUMNS ? Math.round(at / 10) : value(at)]);
    expect(await contrastOf(phantom, pixels, 'window')).toBeLessThan(HIDDEN);
    expect(await contrastOf(phantom, pixels, 'full')).toBeGreaterThan(40);
    expect(await contrastOf(phantom, pixels, 'detail')).toBeGreaterThan(PLAIN);
  });
  it.each<[string, Partial<Phantom>, (at: number) => number]>([
    ['one value of 16 bits', { bits: 16 }, (at) => (isInk(at) ? 40_001 : 40_000)],
    [
      'one signed value',
      { bits: 16, signed: true },
      (at) => (isInk(at) ? -20_001 : -20_000) & 0xffff,
    ],
    ['the noise around it, twice', { bits: 16 }, (at) => 40_000 + noise(at) + (isInk(at) ? 40 : 0)],
    [
      'little, on a slope',
      { bits: 16 },
      (at) => 40_000 + (at % COLUMNS) * 3 + (isInk(at) ? 100 : 0),
    ],
  ])('that differs by %s shows in detail', async (_, phantom, value) => {
    // Black and white at the top: the whole range is taken.
    const ends = (at: number): number => (phantom.signed ? [0x8000, 0x7fff] : [0, 0xffff])[at % 2]!;
    const pixels = painted((at) => [at < 2 * COLUMNS ? ends(at) : value(at)]);
    const view = { ...phantom, ...windowed(0, 100) };
    expect(await contrastOf(view, pixels, 'window')).toBeLessThan(HIDDEN);
    expect(await contrastOf(view, pixels, 'full')).toBeLessThan(HIDDEN);
    expect(await contrastOf(view, pixels, 'detail')).toBeGreaterThan(PLAIN);
  });
  it.each<[string, string, number[], number[]]>([
    ['one step of blue', 'RGB', [90, 90, 90], [90, 90, 91]],
    ['a colour as bright as its background', 'RGB', [120, 100, 90], [121, 99, 92]],
    ['a little colour difference', 'YBR_FULL', [90, 128, 128], [90, 128, 130]],
  ])('in colour, by %s, shows in detail', async (_, photometric, paper, ink) => {
    const phantom = { samples: 3, photometric };
    const ends = (at: number): number[] => (at % 2 ? [255, 128, 128] : [0, 128, 128]);
    const pixels = painted((at) => (at < COLUMNS ? ends(at) : isInk(at) ? ink : paper));
    expect(await contrastOf(phantom, pixels, 'window')).toBeLessThan(4);
    expect(await contrastOf(phantom, pixels, 'detail')).toBeGreaterThan(PLAIN);
  });
  it('of dark colours shows in full', async () => {
    const phantom = { samples: 3, photometric: 'RGB' };
    const pixels = painted((at) => (isInk(at) ? [8, 8, 8] : [4, 2, 0]));
    expect(await contrastOf(phantom, pixels, 'window')).toBeLessThan(9);
    expect(await contrastOf(phantom, pixels, 'full')).toBeGreaterThan(200);
    expect(await contrastOf(phantom, pixels, 'detail')).toBeGreaterThan(PLAIN);
  });
  it('of a palette, of entries that a display can not tell apart, shows in detail', async () => {
    const table = (index: number): number => 30_000 + index * 40;
    const change: Phantom['change'] = (dataset) => {
      for (const colour of ['Red', 'Green', 'Blue']) {
        const descriptor = new Uint8Array(Uint16Array.from([256, 0, 16]).buffer);
        const data = Uint16Array.from({ length: 256 }, (_, index) => table(index));
        dataset
          .setBytes(`${colour}PaletteColorLookupTableDescriptor`, descriptor, 'US')
          .setBytes(`${colour}PaletteColorLookupTableData`, new Uint8Array(data.buffer), 'OW');
      }
    };
    const phantom = { photometric: 'PALETTE COLOR', change };
    const pixels = painted((at) => [isInk(at) ? 11 : 10]);
    expect(await contrastOf(phantom, pixels, 'window')).toBeLessThanOrEqual(HIDDEN);
    expect(await contrastOf(phantom, pixels, 'detail')).toBeGreaterThan(PLAIN);
  });
  it('keeps its place beside a strong edge', async () => {
    const pixels = painted((at) => [at % COLUMNS > 110 ? 60_000 : isInk(at) ? 1_004 : 1_000]);
    const phantom = { bits: 16, ...windowed(40_000, 20_000) };
    expect(await contrastOf(phantom, pixels, 'window')).toBeLessThan(HIDDEN);
    expect(await contrastOf(phantom, pixels, 'detail')).toBeGreaterThan(PLAIN / 2);
  });
});

describe('previewOf, its views', () => {
  it.each<PreviewView>(['window', 'full', 'detail'])(
    'show a frame of one value as one grey, or black (%s)',
    async (view) => {
      for (const phantom of [{ bits: 16 }, { samples: 3, photometric: 'RGB' }]) {
        const value = [77, 77, 77].slice(0, phantom.samples ?? 1);
        const { data } = await pictureOf(
          phantom,
          painted(() => value),
          view,
        );
        expect(new Set(data).size).toBe(1);
      }
    },
  );
  it('turn MONOCHROME1 around in each of them', async () => {
    const pixels = painted((at) => [isInk(at) ? 200 : 100]);
    for (const view of ['window', 'full', 'detail'] as const) {
      const [one, two] = [
        await pictureOf({ photometric: 'MONOCHROME1' }, pixels, view),
        await pictureOf({ photometric: 'MONOCHROME2' }, pixels, view),
      ];
      expect([...one.data].every((grey, at) => Math.abs(grey + two.data[at]! - 255) <= 1)).toBe(
        true,
      );
    }
  });
  it('take the ends of the frame, padding too, in full', async () => {
    const change: Phantom['change'] = (dataset) =>
      dataset.setNumbers('PixelPaddingValue', [50], 'US');
    const { data } = await pictureOf({ rows: 1, columns: 3, change }, [50, 100, 250], 'full');
    expect([...data]).toEqual([0, 64, 255]);
  });
  it('are there without the window of the object where that is none', async () => {
    const change: Phantom['change'] = (dataset) =>
      dataset.setNumbers('WindowCenter', [1]).setString('WindowWidth', 'wide');
    const phantom = { rows: 1, columns: 2, change };
    await expect(pictureOf(phantom, [0, 9], 'window')).rejects.toThrow('a frame does not decode');
    for (const view of ['full', 'detail'] as const) {
      const { data } = await pictureOf(phantom, [0, 9], view);
      expect(data[1]! - data[0]!).toBeGreaterThan(PLAIN);
    }
  });
  it('make wide frames smaller alike, of any size down to one row', async () => {
    for (const view of ['window', 'full', 'detail'] as const) {
      const path = nativeFile(
        join(folder.path, `${(files += 1)}.dcm`),
        { rows: 3, columns: 200 },
        Array.from({ length: 600 }, (_, at) => at % 200),
      );
      const png = await sut(path, 0, { columnsMax: 50, view });
      expect(png.ok && decode(png.value)).toMatchObject({ width: 50, height: 1 });
    }
  });
});

/** The same each time; of some 20 values. */
function noise(at: number): number {
  return ((at * 2_654_435_761) >>> 7) % 40;
}
