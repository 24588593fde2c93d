/**
 * RgbCanvas: a small drawing surface for Secondary Captures.
 * Decides the layout in memory: [row, column, RGB] uint8, interleaved (planar configuration 0).
 * Invariant: drawing outside the surface is cut off, never an error and never a wrap-around.
 * Source: PS3.3 C.7.6.3.1 (image pixel module).
 */
import { GLYPH_COLUMNS, GLYPH_ROWS, hasInk } from './glyphs.js';

/** sRGB, 0..255 each. */
export type Colour = readonly [number, number, number];

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}
/** [height, width, RGB] uint8. */
export interface RgbImage {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}
export interface TextStyle {
  readonly colour: Colour;
  /** Pixels per font pixel; a line is 7 times as high. @default 2 */
  readonly scale?: number;
}

export class RgbCanvas {
  /** [height, width, 3] uint8. */
  readonly pixels: Uint8Array;

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.pixels = new Uint8Array(width * height * 3);
  }

  fill({ x, y, width, height }: Rectangle, colour: Colour): void {
    for (let row = Math.max(0, y); row < Math.min(this.height, y + height); row += 1) {
      for (let column = Math.max(0, x); column < Math.min(this.width, x + width); column += 1) {
        const at = (row * this.width + column) * 3;
        for (let channel = 0; channel < 3; channel += 1) {
          this.pixels[at + channel] = colour[channel]!;
        }
      }
    }
  }

  /** Draws one line of text with its top left corner at (x, y). */
  text(text: string, x: number, y: number, { colour, scale = 2 }: TextStyle): void {
    [...text].forEach((character, index) => {
      const left = x + index * (GLYPH_COLUMNS + 1) * scale;
      for (let row = 0; row < GLYPH_ROWS; row += 1) {
        for (let column = 0; column < GLYPH_COLUMNS; column += 1) {
          if (!hasInk(character, column, row)) continue;
          const dot = { x: left + column * scale, y: y + row * scale, width: scale, height: scale };
          this.fill(dot, colour);
        }
      }
    });
  }

  /** Draws a frame of `thickness` pixels just inside the rectangle. */
  outline({ x, y, width, height }: Rectangle, thickness: number, colour: Colour): void {
    this.fill({ x, y, width, height: thickness }, colour);
    this.fill({ x, y: y + height - thickness, width, height: thickness }, colour);
    this.fill({ x, y, width: thickness, height }, colour);
    this.fill({ x: x + width - thickness, y, width: thickness, height }, colour);
  }

  /** Draws an RGB image over the rectangle, resampled linearly; the rectangle lies inside. */
  image(source: RgbImage, { x, y, width, height }: Rectangle): void {
    const columns = Array.from({ length: width }, (_, column) =>
      neighbours(column, width, source.width),
    );
    for (let row = 0; row < height; row += 1) {
      const vertical = neighbours(row, height, source.height);
      const [upper, lower] = [vertical.low * source.width, vertical.high * source.width];
      let at = ((y + row) * this.width + x) * 3;
      for (const { low, high, weight } of columns) {
        for (let channel = 0; channel < 3; channel += 1) {
          const value = (pixel: number): number => source.pixels[pixel * 3 + channel]!;
          const above = mix(value(upper + low), value(upper + high), weight);
          const below = mix(value(lower + low), value(lower + high), weight);
          this.pixels[at] = Math.round(mix(above, below, vertical.weight));
          at += 1;
        }
      }
    }
  }
}

const mix = (a: number, b: number, weight: number): number => a + (b - a) * weight;

/** Source pixels around target pixel `at`, pixel centres aligned, clamped at the edge. */
function neighbours(
  at: number,
  targetSize: number,
  sourceSize: number,
): { readonly low: number; readonly high: number; readonly weight: number } {
  const position = ((at + 0.5) * sourceSize) / targetSize - 0.5;
  const clamped = Math.min(Math.max(position, 0), sourceSize - 1);
  const low = Math.floor(clamped);
  return { low, high: Math.min(low + 1, sourceSize - 1), weight: clamped - low };
}
