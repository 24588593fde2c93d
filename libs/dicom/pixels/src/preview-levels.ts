/**
 * Preview levels: the pixels of a frame as numbers, before a view decides how they are shown.
 * Decides: grey stays as stored, with whether high is dark; colour is red, green and blue of
 * 0..255, each with its fraction. Invariants: one row is made at a time and nothing is kept, so a
 * view costs no second frame of memory; equal stored values are equal levels.
 * Source: PS3.3 C.7.6.3.1.2 (photometric interpretation, YBR_FULL to RGB), C.11.1 (rescale).
 */
import { ok, type Result } from '@aifi/shared-kernel';
import type { OpenedImage } from './frame-reader.js';
import type { FrameSamples } from './frame-samples.js';
import type { FrameSize } from './image-description.js';
import { entryOf, paletteOf, type Palette } from './palette.js';

export interface PreviewLevels extends FrameSize {
  readonly channels: 1 | 3;
  /** The smallest difference that the stored form can have. */
  readonly step: number;
  /** High grey levels are dark. */
  readonly isInverted: boolean;
  /** Levels of one row, [x, channel]. */
  readonly fill: (row: number, to: Float64Array) => void;
}

/** Refuses a palette that is not read. */
export function levelsOf(opened: OpenedImage, samples: FrameSamples): Result<PreviewLevels> {
  const { reader, dataset } = opened;
  const { rows, columns, photometricInterpretation, bitsStored, signed } = reader;
  const byte = {
    step: 255 / (2 ** bitsStored - 1),
    lift: signed ? 2 ** (bitsStored - 1) : 0,
  };
  const colour = { rows, columns, channels: 3, isInverted: false } as const;
  const question = { samples, columns, ...byte };
  switch (photometricInterpretation) {
    case 'PALETTE COLOR': {
      const palette = paletteOf(dataset, signed);
      if (!palette.ok) return palette;
      return ok({ ...colour, step: TO_BYTE, fill: fromPalette(samples, columns, palette.value) });
    }
    case 'RGB':
      return ok({ ...colour, step: byte.step, fill: fromRgb(question) });
    case 'YBR_FULL':
      return ok({ ...colour, step: byte.step, fill: fromYbr(question) });
    default: {
      // A falling rescale turns dark and bright around, as MONOCHROME1 does.
      const isFalling = (dataset.number('RescaleSlope') ?? 1) < 0;
      const isInverted = (photometricInterpretation === 'MONOCHROME1') !== isFalling;
      const fill: PreviewLevels['fill'] = (row, to) => {
        const start = row * columns;
        for (let x = 0; x < columns; x += 1) to[x] = samples[start + x]!;
      };
      return ok({ rows, columns, channels: 1, step: 1, isInverted, fill });
    }
  }
}

/** The lowest and the highest level of the frame, over all channels. */
export function extremesOf(levels: PreviewLevels): readonly [number, number] {
  const line = new Float64Array(levels.columns * levels.channels);
  let [low, high] = [Infinity, -Infinity];
  for (let row = 0; row < levels.rows; row += 1) {
    levels.fill(row, line);
    for (let at = 0; at < line.length; at += 1) {
      const level = line[at]!;
      if (level < low) low = level;
      if (level > high) high = level;
    }
  }
  return [low, high];
}

interface ColourSamples {
  readonly samples: FrameSamples;
  readonly columns: number;
  /** Of one stored value, of 0..255. */
  readonly step: number;
  /** Added to signed values. */
  readonly lift: number;
}

function fromRgb({ samples, columns, step, lift }: ColourSamples): PreviewLevels['fill'] {
  const length = columns * 3;
  return (row, to) => {
    const start = row * length;
    for (let at = 0; at < length; at += 1) to[at] = (samples[start + at]! + lift) * step;
  };
}

function fromYbr({ samples, columns, step, lift }: ColourSamples): PreviewLevels['fill'] {
  const length = columns * 3;
  return (row, to) => {
    const start = row * length;
    for (let at = 0; at < length; at += 3) {
      const y = (samples[start + at]! + lift) * step;
      const blue = (samples[start + at + 1]! + lift) * step - 128;
      const red = (samples[start + at + 2]! + lift) * step - 128;
      to[at] = clamped(y + 1.402 * red);
      to[at + 1] = clamped(y - 0.344136 * blue - 0.714136 * red);
      to[at + 2] = clamped(y + 1.772 * blue);
    }
  };
}

/** Entries are of 0..65535. */
const TO_BYTE = 255 / 65_535;
function fromPalette(
  samples: FrameSamples,
  columns: number,
  palette: Palette,
): PreviewLevels['fill'] {
  const [red, green, blue] = palette.colours;
  return (row, to) => {
    const start = row * columns;
    for (let x = 0; x < columns; x += 1) {
      const entry = entryOf(palette, samples[start + x]!);
      to[x * 3] = red[entry]! * TO_BYTE;
      to[x * 3 + 1] = green[entry]! * TO_BYTE;
      to[x * 3 + 2] = blue[entry]! * TO_BYTE;
    }
  };
}

export function clamped(value: number): number {
  return Math.min(255, Math.max(0, value));
}
