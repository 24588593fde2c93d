/**
 * Preview: one frame as a small picture that a person can judge.
 * Decides what is shown: the window of the object, or the middle 98 % of the frame's values where
 * there is none; colour stays colour. Invariants: the picture holds pixels and nothing else, no
 * text, no time, no attribute; it is never enlarged.
 * Source: PS3.3 C.11.2.1.2 (linear window), C.7.6.3.1.2 (colours, YBR_FULL to RGB); PNG 11.
 */
import type { encode as encodePng } from 'fast-png';
import { AifiError, ok, refuse, type Result } from '@aifi/shared-kernel';
import type { DicomDataset } from '@aifi/dicom-core';
import { paddingOf } from './black-value.js';
import { asResult, openImage, type OpenedImage } from './frame-reader.js';
import type { FrameSamples } from './frame-samples.js';
import { entryOf, paletteOf, type Palette } from './palette.js';

export interface PreviewOptions {
  /** Wider frames are made smaller, aspect kept. */
  readonly columnsMax: number;
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
  { columnsMax }: PreviewOptions,
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
      return drawnOf(opened.value, samples, { columnsMax, encode });
    }, 'a frame does not decode');
    return drawn.ok ? drawn.value : drawn;
  } finally {
    await opened.value.reader.close();
  }
}

interface Painter {
  readonly channels: 1 | 3;
  /** Channel values 0..255 of the pixel whose first sample is at this place. */
  readonly paint: (samples: FrameSamples, at: number, to: Float64Array) => void;
}

interface Drawing extends PreviewOptions {
  readonly encode: typeof encodePng;
}

function drawnOf(
  opened: OpenedImage,
  samples: FrameSamples,
  { columnsMax, encode }: Drawing,
): Result<Buffer> {
  const painter = painterOf(opened, samples);
  if (!painter.ok) return painter;
  const { rows, columns, samplesPerPixel } = opened.reader;
  const { channels, paint } = painter.value;
  const width = Math.min(columns, columnsMax);
  const height = Math.max(1, Math.round((rows * width) / columns));
  const data = new Uint8Array(width * height * channels);
  const [pixel, sum] = [new Float64Array(channels), new Float64Array(channels)];
  for (let y = 0; y < height; y += 1) {
    const [top, bottom] = span(y, height, rows);
    for (let x = 0; x < width; x += 1) {
      const [left, right] = span(x, width, columns);
      sum.fill(0);
      for (let row = top; row < bottom; row += 1) {
        for (let column = left; column < right; column += 1) {
          paint(samples, (row * columns + column) * samplesPerPixel, pixel);
          for (let c = 0; c < channels; c += 1) sum[c]! += pixel[c]!;
        }
      }
      const area = (bottom - top) * (right - left);
      for (let c = 0; c < channels; c += 1) {
        data[(y * width + x) * channels + c] = Math.round(sum[c]! / area);
      }
    }
  }
  return ok(Buffer.from(encode({ width, height, data, depth: 8, channels })));
}

/** The stored rows or columns that one of the picture covers. */
function span(at: number, picture: number, stored: number): readonly [number, number] {
  const start = Math.floor((at * stored) / picture);
  return [start, Math.max(start + 1, Math.floor(((at + 1) * stored) / picture))];
}

function painterOf(opened: OpenedImage, samples: FrameSamples): Result<Painter> {
  const { reader, dataset } = opened;
  const { photometricInterpretation, bitsStored, signed } = reader;
  const toByte = 255 / (2 ** bitsStored - 1);
  const lift = signed ? 2 ** (bitsStored - 1) : 0;
  if (photometricInterpretation === 'PALETTE COLOR') {
    const palette = paletteOf(dataset, signed);
    return palette.ok ? ok({ channels: 3, paint: palettePaint(palette.value) }) : palette;
  }
  if (photometricInterpretation === 'RGB') {
    const paint: Painter['paint'] = (from, at, to) => {
      for (let c = 0; c < 3; c += 1) to[c] = (from[at + c]! + lift) * toByte;
    };
    return ok({ channels: 3, paint });
  }
  if (photometricInterpretation === 'YBR_FULL') {
    const paint: Painter['paint'] = (from, at, to) => {
      const [y, blue, red] = [0, 1, 2].map((c) => (from[at + c]! + lift) * toByte - (c && 128));
      to[0] = clamped(y! + 1.402 * red!);
      to[1] = clamped(y! - 0.344136 * blue! - 0.714136 * red!);
      to[2] = clamped(y! + 1.772 * blue!);
    };
    return ok({ channels: 3, paint });
  }
  const [low, high] = windowOf(dataset, samples, signed);
  if (!(high >= low)) return refuse('MALFORMED', 'a window that is none');
  const isFalling = (dataset.number('RescaleSlope') ?? 1) < 0;
  const isInverted = (photometricInterpretation === 'MONOCHROME1') !== isFalling;
  const scale = 255 / Math.max(high - low, 1);
  const paint: Painter['paint'] = (from, at, to) => {
    const grey = clamped((from[at]! - low) * scale);
    to[0] = isInverted ? 255 - grey : grey;
  };
  return ok({ channels: 1, paint });
}

function palettePaint(palette: Palette): Painter['paint'] {
  return (from, at, to) => {
    const entry = entryOf(palette, from[at]!);
    for (let c = 0; c < 3; c += 1) to[c] = palette.colours[c]![entry]! >>> 8;
  };
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

function clamped(value: number): number {
  return Math.min(255, Math.max(0, value));
}
