/**
 * Preview detail: local contrast, so that faint text shows on any background.
 * Decides: each pixel is shown by how far it is from the mean of the square around it, counted in
 * standard deviations of that square. What differs by one stored value from an even background is
 * as plain as black on white; where there is nothing, there is even grey. Each colour channel is
 * treated on its own, so text of the brightness of its background shows too, in false colour.
 * Invariants: sums of one row are kept, never a second frame; rows are asked for in order.
 * Source: statistical differencing, R. Wallis, "An approach to the space variant restoration and
 * enhancement of images" (1976); W. K. Pratt, Digital Image Processing, image enhancement.
 */
import { clamped, extremesOf, type PreviewLevels } from './preview-levels.js';

/** Half a side of the square: text of 10 to 50 pixels, and its background, fit. @unit px */
export const DETAIL_RADIUS = 24;
/** So many deviations from the mean are black or white. */
const DEVIATIONS = 3;
/** Smaller deviations count as this: there is nothing. Of the smallest stored difference. */
const LEAST = 0.1;

/** The values of the rows around one row, added up for each column. */
interface ColumnSums {
  readonly sums: Float64Array;
  readonly squares: Float64Array;
  /** How many rows. */
  readonly height: number;
}

/** Fills 0..255 of one row; rows are asked for once each, from the first on. */
export function detailOf(levels: PreviewLevels): PreviewLevels['fill'] {
  const { channels, columns, step } = levels;
  const [low, high] = extremesOf(levels);
  // Around 0, so that squares of 16-bit values add up exactly.
  const middle = (low + high) / 2;
  const around = columnSums(levels, middle);
  const least = step * LEAST;
  return (row, to) => {
    const { sums, squares, height } = around(row);
    levels.fill(row, to);
    for (let channel = 0; channel < channels; channel += 1) {
      let [sum, square, first, next] = [0, 0, 0, 0];
      for (let x = 0; x < columns; x += 1) {
        for (; next < columns && next <= x + DETAIL_RADIUS; next += 1) {
          sum += sums[next * channels + channel]!;
          square += squares[next * channels + channel]!;
        }
        for (; first < x - DETAIL_RADIUS; first += 1) {
          sum -= sums[first * channels + channel]!;
          square -= squares[first * channels + channel]!;
        }
        const count = (next - first) * height;
        const mean = sum / count;
        const deviation = Math.sqrt(Math.max(0, square / count - mean * mean));
        const at = x * channels + channel;
        const distance = (to[at]! - middle - mean) / Math.max(deviation, least);
        to[at] = clamped(127.5 + (distance * 127.5) / DEVIATIONS);
      }
    }
  };
}

/** Moves down the frame: one row comes in, one goes out. */
function columnSums(levels: PreviewLevels, middle: number): (row: number) => ColumnSums {
  const { rows, columns, channels } = levels;
  const line = new Float64Array(columns * channels);
  const [sums, squares] = [new Float64Array(line.length), new Float64Array(line.length)];
  let [first, next] = [0, 0];
  const count = (row: number, sign: 1 | -1): void => {
    levels.fill(row, line);
    for (let at = 0; at < line.length; at += 1) {
      const value = line[at]! - middle;
      sums[at]! += sign * value;
      squares[at]! += sign * value * value;
    }
  };
  return (row) => {
    for (; next < rows && next <= row + DETAIL_RADIUS; next += 1) count(next, 1);
    for (; first < row - DETAIL_RADIUS; first += 1) count(first, -1);
    return { sums, squares, height: next - first };
  };
}
