/**
 * Planted text: writing into pixel values, to measure what the gate sees.
 * Decides how a text looks: one of three faces, its capital height, its contrast as a part of the
 * display range against what is behind it, bright or dark, edges smooth or hard. Invariants: the
 * same seed gives the same pixels; a text that would not have its contrast on nearly all of its
 * background is not planted. Names, dates and numbers are invented; the numbers pass the 11-test.
 * Source: the glyph sheet (data/NOTICE.md); pseudonymisation specification 1.5 and 3.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { decode } from 'fast-png';
import { invariant } from '@aifi/shared-kernel';
import type { PixelRegion } from '@aifi/dicom-pixels';

/** Taken out of the global object once: they run for every pixel. */
const { ceil, floor, max, min, round } = Math;
const data = (name: string): string => fileURLToPath(new URL(`../data/${name}`, import.meta.url));

export const FACES = ['sans', 'mono', 'serif'] as const;
export type Face = (typeof FACES)[number];

interface GlyphSheet {
  readonly capRows: number;
  readonly baselineRow: number;
  readonly rows: number;
  /** Of each glyph: first column, columns, left bearing, advance. */
  readonly faces: Readonly<
    Record<
      Face,
      { top: number; glyphs: Readonly<Record<string, [number, number, number, number]>> }
    >
  >;
}
let sheet: (GlyphSheet & { readonly columns: number; readonly ink: Uint8Array }) | undefined;

function glyphSheet(): NonNullable<typeof sheet> {
  if (sheet) return sheet;
  const { width, data: ink, channels } = decode(readFileSync(data('glyphs.png')));
  invariant(channels === 1 && ink instanceof Uint8Array, 'the glyph sheet is grey');
  const described = JSON.parse(readFileSync(data('glyphs.json'), 'utf8')) as GlyphSheet;
  sheet = { ...described, columns: width, ink };
  return sheet;
}

/** Ink of a text, 0 to 1; the height of capitals is `capRows`. */
export interface InkedText {
  readonly rows: number;
  readonly columns: number;
  readonly ink: Float32Array;
}

/** Draws a text in one line. Characters that the sheet does not have are left out. */
export function inkOf(
  text: string,
  { face, capRows, edges }: { face: Face; capRows: number; edges: 'smooth' | 'hard' },
): InkedText {
  const from = glyphSheet();
  const { top, glyphs } = from.faces[face];
  const known = Array.from(text, (letter) => glyphs[letter]).filter((glyph) => glyph !== undefined);
  const wide = known.reduce((sum, glyph) => sum + glyph[3], 0) + from.capRows;
  const line = new Uint8Array(from.rows * wide);
  let pen = from.capRows / 4;
  for (const [first, width, bearing, advance] of known) {
    for (let y = 0; y < from.rows; y += 1) {
      for (let x = 0; x < width; x += 1) {
        const at = y * wide + round(pen) + bearing + x;
        line[at] = max(line[at]!, from.ink[(top + y) * from.columns + first + x]!);
      }
    }
    pen += advance;
  }
  return scaled({ rows: from.rows, columns: wide, ink: line }, capRows / from.capRows, edges);
}

/** Each pixel is the mean of the area that it covers. */
function scaled(
  source: { rows: number; columns: number; ink: Uint8Array },
  scale: number,
  edges: 'smooth' | 'hard',
): InkedText {
  const rows = ceil(source.rows * scale);
  const columns = ceil(source.columns * scale);
  const narrow = new Float32Array(source.rows * columns);
  for (let x = 0; x < columns; x += 1) {
    const parts = partsOf(x / scale, (x + 1) / scale, source.columns);
    for (let y = 0; y < source.rows; y += 1) {
      let sum = 0;
      for (const [at, part] of parts) sum += source.ink[y * source.columns + at]! * part;
      narrow[y * columns + x] = sum * scale;
    }
  }
  const ink = new Float32Array(rows * columns);
  for (let y = 0; y < rows; y += 1) {
    const parts = partsOf(y / scale, (y + 1) / scale, source.rows);
    for (let x = 0; x < columns; x += 1) {
      let sum = 0;
      for (const [at, part] of parts) sum += narrow[at * columns + x]! * part;
      const value = min(1, (sum * scale) / 255);
      ink[y * columns + x] = edges === 'smooth' ? value : value >= 0.4 ? 1 : 0;
    }
  }
  return { rows, columns, ink };
}

function partsOf(from: number, to: number, limit: number): [at: number, part: number][] {
  const parts: [number, number][] = [];
  for (let at = floor(from); at < min(limit, ceil(to)); at += 1) {
    parts.push([at, min(to, at + 1) - max(from, at)]);
  }
  return parts;
}

/** Values of one picture with one value per pixel, and the range in which it is displayed. */
export interface Canvas {
  readonly rows: number;
  readonly columns: number;
  /** [y, x]; written to. */
  readonly values: Float32Array;
  readonly low: number;
  readonly high: number;
}

export interface Planting {
  readonly inked: InkedText;
  readonly x: number;
  readonly y: number;
  /** Part of the display range, 0 to 1. */
  readonly contrast: number;
  readonly polarity: 'bright' | 'dark';
}

/** Part of the background pixels of a text that may be nearer to it than its contrast. */
const BACKGROUND_SLACK = 0.05;

/** Writes the text and gives its box; undefined, and nothing written, when contrast is wanting. */
export function plant(canvas: Canvas, planting: Planting): PixelRegion | undefined {
  const { inked, x, y, contrast, polarity } = planting;
  const { low, high, columns, values } = canvas;
  if (x < 0 || y < 0 || x + inked.columns > columns || y + inked.rows > canvas.rows) {
    return undefined;
  }
  const shown: number[] = [];
  for (let v = 0; v < inked.rows; v += 1) {
    for (let u = 0; u < inked.columns; u += 1) {
      shown.push(min(high, max(low, values[(y + v) * columns + x + u]!)));
    }
  }
  shown.sort((a, b) => a - b);
  const by = contrast * (high - low);
  const at = floor(shown.length * BACKGROUND_SLACK);
  const level = polarity === 'bright' ? shown[shown.length - 1 - at]! + by : shown[at]! - by;
  const slack = (high - low) * 1e-6;
  if (level > high + slack || level < low - slack) return undefined;
  for (let v = 0; v < inked.rows; v += 1) {
    for (let u = 0; u < inked.columns; u += 1) {
      const ink = inked.ink[v * inked.columns + u]!;
      const pixel = (y + v) * columns + x + u;
      // Smooth edges blend what is displayed: far outside of the window, half ink is no half tone.
      const behind = min(high, max(low, values[pixel]!));
      if (ink > 0) values[pixel] = behind + (level - behind) * ink;
    }
  }
  return { x, y, width: inked.columns, height: inked.rows };
}
