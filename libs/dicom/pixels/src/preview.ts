/**
 * Preview: one frame as a small picture that a person can judge.
 * Decides what is shown. `window`: the window of the object, or the middle 98 % of the frame's
 * values where there is none; colour as it is. `full`: from the lowest to the highest value that
 * the frame holds, padding too, of colour over its three channels together. `detail`: local
 * contrast. A view that looks like another one is given all the same. Invariants: the picture holds
 * pixels and nothing else, no text, no time, no attribute; it is never enlarged.
 * Source: PS3.3 C.11.2.1.2 (linear window); PNG 11.
 */
import type { encode as encodePng } from 'fast-png';
import { AifiError, ok, refuse, type Result } from '@aifi/shared-kernel';
import type { DicomDataset } from '@aifi/dicom-core';
import { paddingOf } from './black-value.js';
import { asResult, openImage, type OpenedImage } from './frame-reader.js';
import type { FrameSamples } from './frame-samples.js';
import { detailOf } from './preview-detail.js';
import { clamped, extremesOf, levelsOf, type PreviewLevels } from './preview-levels.js';

/** What hides in one of them shows in another. */
export type PreviewView = 'window' | 'full' | 'detail';

export interface PreviewOptions {
  /** Wider frames are made smaller, aspect kept. */
  readonly columnsMax: number;
  /** `window` when it is not told. */
  readonly view?: PreviewView;
}
/** Part of the values that is shown black or white at each end when no window is told. */
const TAIL = 0.01;
/** Values looked at to find the ends: enough for a percent, few enough to be sorted. */
const LOOKS_MAX = 65_536;

/**
 * PNG, 8 bits, grey or colour. Refuses as `openFrames` does, and MALFORMED for a frame that does
 * not decode; throws INVALID_ARGUMENT for a frame that there is not.
 */
export async function previewOf(
  path: string,
  frame: number,
  { columnsMax, view = 'window' }: PreviewOptions,
): Promise<Result<Buffer>> {
  if (!Number.isInteger(columnsMax) || columnsMax < 1) {
    throw new AifiError('INVALID_ARGUMENT', 'a preview has at least one column');
  }
  const opened = await openImage(path);
  if (!opened.ok) return opened;
  try {
    const drawn = await asResult(async () => {
      const samples = await opened.value.reader.frame(frame);
      // Loaded for people who look: most programs that read pixels draw none.
      const { encode } = await import('fast-png');
      const picture = pictureOf(opened.value, samples, view);
      return picture.ok ? ok(drawnOf(picture.value, columnsMax, encode)) : picture;
    }, 'a frame does not decode');
    return drawn.ok ? drawn.value : drawn;
  } finally {
    await opened.value.reader.close();
  }
}

/** Rows of 0..255, [x, channel], each asked for once and in order. */
type Picture = Omit<PreviewLevels, 'step' | 'isInverted'>;

function pictureOf(opened: OpenedImage, samples: FrameSamples, view: PreviewView): Result<Picture> {
  const levels = levelsOf(opened, samples);
  if (!levels.ok) return levels;
  const { rows, columns, channels, isInverted } = levels.value;
  const shaded = shadedOf({ levels: levels.value, opened, samples, view });
  if (!shaded.ok) return shaded;
  const fill: Picture['fill'] = (row, to) => {
    shaded.value(row, to);
    if (isInverted) for (let at = 0; at < to.length; at += 1) to[at] = 255 - to[at]!;
  };
  return ok({ rows, columns, channels, fill });
}

interface Shading {
  readonly levels: PreviewLevels;
  readonly opened: OpenedImage;
  readonly samples: FrameSamples;
  readonly view: PreviewView;
}
function shadedOf({ levels, opened, samples, view }: Shading): Result<Picture['fill']> {
  if (view === 'detail') return ok(detailOf(levels));
  if (view === 'full') return ok(stretched(levels, extremesOf(levels)));
  if (levels.channels === 3) return ok(levels.fill);
  const window = windowOf(opened.dataset, samples, opened.reader.signed);
  if (!(window[1] >= window[0])) return refuse('MALFORMED', 'a window that is none');
  return ok(stretched(levels, window));
}

/** From black at the one level to white at the other. */
function stretched(
  { fill, step }: PreviewLevels,
  [low, high]: readonly [number, number],
): Picture['fill'] {
  const scale = 255 / Math.max(high - low, step);
  return (row, to) => {
    fill(row, to);
    for (let at = 0; at < to.length; at += 1) to[at] = clamped((to[at]! - low) * scale);
  };
}

/** Each pixel is the mean of the area that it covers. */
function drawnOf(picture: Picture, columnsMax: number, encode: typeof encodePng): Buffer {
  const { rows, columns, channels, fill } = picture;
  const width = Math.min(columns, columnsMax);
  const height = Math.max(1, Math.round((rows * width) / columns));
  const data = new Uint8Array(width * height * channels);
  const line = new Float64Array(columns * channels);
  const sums = new Float64Array(width * channels);
  for (let y = 0; y < height; y += 1) {
    const [top, bottom] = span(y, height, rows);
    sums.fill(0);
    for (let row = top; row < bottom; row += 1) {
      fill(row, line);
      gather({ line, columns, channels }, sums);
    }
    for (let x = 0; x < width; x += 1) {
      const [left, right] = span(x, width, columns);
      const area = (bottom - top) * (right - left);
      for (let at = x * channels; at < (x + 1) * channels; at += 1) {
        data[y * width * channels + at] = Math.round(sums[at]! / area);
      }
    }
  }
  return Buffer.from(encode({ width, height, data, depth: 8, channels }));
}

/** Adds the columns of a line to those of the picture that cover them. */
function gather(
  { line, columns, channels }: Pick<Picture, 'columns' | 'channels'> & { line: Float64Array },
  sums: Float64Array,
): void {
  const width = sums.length / channels;
  for (let x = 0; x < width; x += 1) {
    const [left, right] = span(x, width, columns);
    for (let column = left; column < right; column += 1) {
      for (let c = 0; c < channels; c += 1) sums[x * channels + c]! += line[column * channels + c]!;
    }
  }
}

/** The stored rows or columns that one of the picture covers. */
function span(at: number, picture: number, stored: number): readonly [number, number] {
  const start = Math.floor((at * stored) / picture);
  return [start, Math.max(start + 1, Math.floor(((at + 1) * stored) / picture))];
}

/** Stored values that are shown at the two ends of the grey scale. */
function windowOf(
  dataset: DicomDataset,
  samples: FrameSamples,
  signed: boolean,
): readonly [number, number] {
  const center = dataset.number('WindowCenter');
  const width = dataset.number('WindowWidth');
  const slope = dataset.number('RescaleSlope') || 1;
  const intercept = dataset.number('RescaleIntercept') ?? 0;
  if (center !== undefined && width !== undefined && width >= 1) {
    const stored = [center - width / 2, center + width / 2].map((v) => (v - intercept) / slope);
    return [Math.min(...stored), Math.max(...stored)];
  }
  const [paddingLow, paddingHigh] = paddingOf(dataset, signed) ?? [Infinity, -Infinity];
  const step = Math.max(1, Math.floor(samples.length / LOOKS_MAX));
  const seen: number[] = [];
  for (let at = 0; at < samples.length; at += step) {
    const value = samples[at]!;
    if (value < paddingLow || value > paddingHigh) seen.push(value);
  }
  if (seen.length === 0) return [0, 1];
  const sorted = Float64Array.from(seen).sort();
  const at = (part: number): number => sorted[Math.round(part * (sorted.length - 1))]!;
  return [at(TAIL), at(1 - TAIL)];
}
