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
import { textLinesOf } from './text-lines.js';

/** Of each side; the fifth of 512 pixels holds a line of 32 pixels and its margins. */
const BAND = 0.2;
/** @unit pixels */
const BAND_MIN = 48;
/** Two rows in the x-height of capitals of ten pixels. @unit pixels */
const ROW_STEP = 3;
/** Part of the range that a stroke rises; thin strokes of half the range lose some to blur. */
const RISE = 0.18;
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
  return bandsOf(plane).flatMap((band) => {
    if (!isBusy(plane, band, window)) return [];
    const area = widened(band, plane);
    return textLinesOf(displayed(plane, area, window)).map((line) => ({
      ...{ ...line, x: line.x + area.x, y: line.y + area.y },
    }));
  });
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

function isBusy({ values, columns }: ValuePlane, band: Area, { low, high }: Window): boolean {
  const rise = (high - low) * RISE;
  const end = band.y + band.height;
  for (let y = band.y + 1; y < end; y += ROW_STEP) {
    const from = y * columns + band.x;
    const to = from + band.width - 2;
    let [turns, direction, last] = [0, 0, from];
    for (let at = from; at < to; at += 1) {
      const [here, there] = [values[at]!, values[at + 2]!];
      const step =
        (there < low ? low : there > high ? high : there) -
        (here < low ? low : here > high ? high : here);
      if (step < rise && step > -rise) continue;
      const now = step > 0 ? 1 : -1;
      if (now === direction) continue;
      turns = at - last > TURN_GAP_MAX ? 1 : turns + 1;
      if (turns >= TURNS_MIN) return true;
      [direction, last] = [now, at];
    }
  }
  return false;
}
