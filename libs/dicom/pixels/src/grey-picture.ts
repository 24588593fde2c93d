/**
 * Grey pictures: a radiograph as eight bits for a display or a model.
 * Decides the greys (lowest..highest value after rescale to 0..255, MONOCHROME1 inverted, padding
 * black) and how a picture changes size: each pixel is the mean of the area that it covers.
 * Shapes: [y, x] uint8, 0 black to 255 white. Frame: column x to the right, row y down, the corner
 * of the first pixel at (0, 0).
 * Source: PS3.3 C.7.6.3.1.2 (photometric interpretation), C.11.1 (rescale).
 */
import type { FrameSize } from './image-description.js';
import type { Radiograph } from './radiograph.js';

export interface GreyPicture extends FrameSize {
  /** [y, x], MONOCHROME2. */
  readonly data: Uint8Array;
}

/** A picture in the middle of a black one. */
export interface LetterboxedPicture extends GreyPicture {
  /** Size and place of the inner picture. */
  readonly inner: FrameSize & { readonly top: number; readonly left: number };
}

/** Greys of the stored pixels; an even image is black. */
export function greyPictureOf(image: Radiograph): GreyPicture {
  const { stored, encoding, padding = [1, 0], rows, columns } = image;
  const [from, to] = padding;
  const isPadding = (value: number): boolean => value >= from && value <= to;
  let [low, high] = [Infinity, -Infinity];
  for (const value of stored) {
    if (isPadding(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const data = new Uint8Array(stored.length);
  if (!(high > low)) return { rows, columns, data };
  // Rescale is a straight line: only its direction matters between lowest and highest.
  const isInverted = (encoding.photometricInterpretation === 'MONOCHROME1') !== encoding.slope < 0;
  for (let at = 0; at < stored.length; at += 1) {
    const value = stored[at]!;
    if (isPadding(value)) continue;
    data[at] = Math.round(((isInverted ? high - value : value - low) * 255) / (high - low));
  }
  return { rows, columns, data };
}

/** The picture in another size. */
export function resized(picture: GreyPicture, { rows, columns }: FrameSize): GreyPicture {
  if (rows === picture.rows && columns === picture.columns) return picture;
  const across = coverageOf(picture.columns, columns);
  const down = coverageOf(picture.rows, rows);
  const narrow = new Float64Array(picture.rows * columns);
  for (let y = 0; y < picture.rows; y += 1) {
    for (let x = 0; x < columns; x += 1) {
      const { first, weights } = across[x]!;
      let sum = 0;
      for (let n = 0; n < weights.length; n += 1) {
        sum += picture.data[y * picture.columns + first + n]! * weights[n]!;
      }
      narrow[y * columns + x] = sum;
    }
  }
  const data = new Uint8Array(rows * columns);
  for (let y = 0; y < rows; y += 1) {
    const { first, weights } = down[y]!;
    for (let x = 0; x < columns; x += 1) {
      let sum = 0;
      for (let n = 0; n < weights.length; n += 1) {
        sum += narrow[(first + n) * columns + x]! * weights[n]!;
      }
      data[y * columns + x] = Math.round(sum);
    }
  }
  return { rows, columns, data };
}

/** The largest size of the picture's aspect within another one; at least one pixel each way. */
export function sizeWithin(picture: FrameSize, frame: FrameSize): FrameSize {
  const scale = Math.min(frame.rows / picture.rows, frame.columns / picture.columns);
  const side = (length: number): number => Math.max(1, Math.round(length * scale));
  return { rows: side(picture.rows), columns: side(picture.columns) };
}

/** The picture as large as it fits, centred in a black frame. */
export function letterbox(picture: GreyPicture, frame: FrameSize): LetterboxedPicture {
  const size = sizeWithin(picture, frame);
  const top = Math.floor((frame.rows - size.rows) / 2);
  const left = Math.floor((frame.columns - size.columns) / 2);
  const data = new Uint8Array(frame.rows * frame.columns);
  placePicture(resized(picture, size), { data, columns: frame.columns, top, left });
  return { rows: frame.rows, columns: frame.columns, data, inner: { ...size, top, left } };
}

/** Copies the picture to a place in a larger one of `columns`. */
export function placePicture(
  picture: GreyPicture,
  target: {
    readonly data: Uint8Array;
    readonly columns: number;
    readonly top: number;
    readonly left: number;
  },
): void {
  const { rows, columns, data } = picture;
  for (let y = 0; y < rows; y += 1) {
    const line = data.subarray(y * columns, (y + 1) * columns);
    target.data.set(line, (target.top + y) * target.columns + target.left);
  }
}

interface Coverage {
  readonly first: number;
  /** Parts of the pixels from `first` on; they add up to 1. */
  readonly weights: readonly number[];
}

/** For each of `to` pixels in a line: which of the `from` pixels it covers, and how much. */
function coverageOf(from: number, to: number): Coverage[] {
  const step = from / to;
  return Array.from({ length: to }, (_, at) => {
    const [start, end] = [at * step, Math.min(from, (at + 1) * step)];
    const first = Math.floor(start);
    const count = Math.max(1, Math.ceil(end) - first);
    const parts = Array.from(
      { length: count },
      (_unused, n) => Math.min(end, first + n + 1) - Math.max(start, first + n),
    );
    const total = parts.reduce((sum, part) => sum + part, 0);
    return { first, weights: parts.map((part) => part / total) };
  });
}
