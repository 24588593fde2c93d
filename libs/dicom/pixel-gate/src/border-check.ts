/**
 * Border check: is there something like text at the edge of a CT or MR slice?
 * Decides in two steps, because it runs for every slice. Every third row of the border bands is
 * read first, in stored values: text makes a row rise and fall many times in a short space, air,
 * skin and table do not. Only where a row is that busy are the letters looked for (text-lines.ts).
 * Invariant: a band without a busy row has no line of four letters of ten pixels and half of the
 * range in contrast (measured: docs/conformance/burned-in-text.md).
 */
import type { PixelRegion } from '@aifi/dicom-pixels';
import { displayed, type Area, type ValuePlane, type Window } from './display-planes.js';
import { TEXT_LINES, textLinesOf, type Cropping } from './text-lines.js';

/** Of each side; the fifth of 512 pixels holds a line of 32 pixels and its margins. */
const BAND = 0.2;
/** @unit pixels */
const BAND_MIN = 48;
/** Two rows in the x-height of capitals of ten pixels. @unit pixels */
const ROW_STEP = 3;
/** Part of the range that a stroke rises; thin strokes of half the range lose some to blur. */
const RISE = 0.25;
/** Four letters have a stroke each, with two sides; one may be lost. */
const TURNS_MIN = 6;
/** Between two turns of one line: the widest gap at capitals of 32 pixels. @unit pixels */
const TURN_GAP_MAX = 48;
/** Letters may begin in the band and end outside of it. @unit pixels */
const MARGIN = 40;

/** Top, bottom, left and right; the last two between the first two. */
export function bandsOf({ rows, columns }: Pick<ValuePlane, 'rows' | 'columns'>): Area[] {
  const height = Math.min(rows, Math.max(BAND_MIN, Math.round(rows * BAND)));
  const width = Math.min(columns, Math.max(BAND_MIN, Math.round(columns * BAND)));
  const between = Math.max(0, rows - 2 * height);
  return [
    { x: 0, y: 0, width: columns, height },
    { x: 0, y: rows - height, width: columns, height },
    { x: 0, y: height, width, height: between },
    { x: columns - width, y: height, width, height: between },
  ].filter((area) => area.height > 0);
}

/** Boxes of what looks like text in the border bands under one window. */
export function borderTextOf(plane: ValuePlane, window: Window): PixelRegion[] {
  const busy = bandsOf(plane).flatMap((band) => paired(busyStretches(plane, band, window)));
  return neighbourhoodsOf(busy, plane).flatMap((area) =>
    textLinesOf(displayed(plane, area, window), TEXT_LINES, croppingOf(area, plane)).map(
      (line) => ({ ...line, x: line.x + area.x, y: line.y + area.y }),
    ),
  );
}

export function croppingOf(area: Area, { rows, columns }: ValuePlane): Cropping {
  return {
    ...{ left: area.x > 0, top: area.y > 0 },
    ...{ right: area.x + area.width < columns, bottom: area.y + area.height < rows },
  };
}

/** The stretches with their margins, united where these touch. */
function neighbourhoodsOf(stretches: readonly Area[], plane: ValuePlane): Area[] {
  const areas: Area[] = [];
  for (const stretch of stretches) {
    let grown = widened(stretch, plane);
    for (let at = areas.length - 1; at >= 0; at -= 1) {
      const other = areas[at]!;
      const [right, bottom] = [grown.x + grown.width, grown.y + grown.height];
      const [otherRight, otherBottom] = [other.x + other.width, other.y + other.height];
      const isApart =
        other.x > right || grown.x > otherRight || other.y > bottom || grown.y > otherBottom;
      if (isApart) continue;
      areas.splice(at, 1);
      const [x, y] = [Math.min(grown.x, other.x), Math.min(grown.y, other.y)];
      const width = Math.max(right, otherRight) - x;
      grown = { x, y, width, height: Math.max(bottom, otherBottom) - y };
    }
    areas.push(grown);
  }
  return areas;
}

/** The band with the margin around it. */
export function widened(band: Area, { rows, columns }: ValuePlane): Area {
  const x = Math.max(0, band.x - MARGIN);
  const y = Math.max(0, band.y - MARGIN);
  return {
    ...{ x, y },
    width: Math.min(columns, band.x + band.width + MARGIN) - x,
    height: Math.min(rows, band.y + band.height + MARGIN) - y,
  };
}

/** Those with another one near, above or below: text is at least two of the rows that are read. */
function paired(stretches: readonly Area[]): readonly Area[] {
  return stretches.filter((one) =>
    stretches.some(
      (other) =>
        other.y !== one.y &&
        Math.abs(other.y - one.y) <= 2 * ROW_STEP &&
        other.x < one.x + one.width &&
        one.x < other.x + other.width,
    ),
  );
}

/** Stretches of rows with many turns near each other. */
function busyStretches(plane: ValuePlane, band: Area, { low, high }: Window): Area[] {
  const { values, columns } = plane;
  const rise = (high - low) * RISE;
  const end = band.y + band.height;
  const found: Area[] = [];
  for (let y = band.y + 1; y < end; y += ROW_STEP) {
    const from = y * columns + band.x;
    const to = from + band.width;
    let [turns, direction, first, last] = [0, 0, from, from];
    // The displayed values two pixels back and one: a stroke may be two pixels wide.
    let before = clamped(values[from]!, low, high);
    let between = clamped(values[from + 1]!, low, high);
    for (let at = from + 2; at < to; at += 1) {
      const raw = values[at]!;
      const here = raw < low ? low : raw > high ? high : raw;
      const step = here - before;
      before = between;
      between = here;
      if (step < rise && step > -rise) continue;
      const now = step > 0 ? 1 : -1;
      if (now === direction) continue;
      if (at - last > TURN_GAP_MAX) {
        if (turns >= TURNS_MIN) found.push(stretchOf(band, y, first - from, last - from));
        [turns, first] = [0, at];
      }
      turns += 1;
      [direction, last] = [now, at];
    }
    if (turns >= TURNS_MIN) found.push(stretchOf(band, y, first - from, last - from));
  }
  return found;
}

function stretchOf(band: Area, y: number, first: number, last: number): Area {
  return { x: band.x + first, y, width: last - first + 1, height: 1 };
}
function clamped(value: number, low: number, high: number): number {
  return value < low ? low : value > high ? high : value;
}
