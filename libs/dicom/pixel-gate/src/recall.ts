/**
 * Recall: how much planted text the examination finds, and how often it finds text in none.
 * Decides the population: sizes, contrasts, places, faces and both polarities, drawn evenly by a
 * seed, planted where the tier looks; the cells; and the interval (Wilson score, 95 %).
 * Invariant: a text counts as found only when a finding touches it; callers plant in pictures in
 * which nothing was seen before.
 * Source: E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209; pseudonymisation specification 1.5.
 */
import { DicomDataset } from '@aifi/dicom-core';
import type { FrameReader, PixelRegion } from '@aifi/dicom-pixels';
import { bandsOf } from './border-check.js';
import { examine } from './examination.js';
import { contentOf, type Chance } from './planted-content.js';
import { FACES, inkOf, plant, type Canvas, type InkedText } from './planted-text.js';
import type { TextDetector } from './text-detector.js';
import type { Tier } from './tier.js';

export interface MeasuredPicture {
  readonly canvas: Canvas;
  readonly tier: Tier;
  readonly modality: string;
}
export interface TrialRange {
  readonly capRows: readonly [number, number];
  /** Of the display range. @unit percent */
  readonly contrast: readonly [number, number];
}
export interface Trial {
  readonly tier: Tier;
  readonly capRows: number;
  /** @unit percent */
  readonly contrast: number;
  readonly isFound: boolean;
  /** Enough to plant it again; a description, the text is invented. */
  readonly description: string;
}

/** A detector that reads nothing: what is found then is found by letters alone. */
export const NO_READER: TextDetector = {
  read: () => Promise.resolve([]),
  close: () => Promise.resolve(),
};
const PLACES_TRIED = 40;

/** Plants one text and looks; undefined when no place gives it its contrast. */
export async function trialOf(
  picture: MeasuredPicture,
  chance: Chance,
  range: TrialRange,
  detector: TextDetector,
): Promise<Trial | undefined> {
  const { tier } = picture;
  const canvas = { ...picture.canvas, values: picture.canvas.values.slice() };
  const capRows = chance.within(...range.capRows);
  const contrast = chance.within(...range.contrast);
  const look = {
    face: chance.pick(FACES),
    capRows,
    edges: chance.pick(['smooth', 'hard'] as const),
  };
  const text = contentOf(chance);
  const polarity = chance.pick(['bright', 'dark'] as const);
  const inked = inkOf(text, look);
  for (let tried = 0; tried < PLACES_TRIED; tried += 1) {
    const place = placeOf(canvas, inked, tier, chance);
    if (!place) return undefined;
    const box = plant(canvas, { inked, ...place, contrast: contrast / 100, polarity });
    if (!box) continue;
    const seen = await examine(imageOf({ ...picture, canvas }), detector);
    const isFound = seen.some((finding) => touches(finding, box));
    const description = [text, look.face, look.edges, polarity, box.x, box.y].join(' ');
    return { tier, capRows, contrast, isFound, description };
  }
  return undefined;
}

/** Anywhere in the full tier; else inside one of the bands. */
function placeOf(
  canvas: Canvas,
  inked: InkedText,
  tier: Tier,
  chance: Chance,
): { x: number; y: number } | undefined {
  const whole = { x: 0, y: 0, width: canvas.columns, height: canvas.rows };
  const fitting = (tier === 'full' ? [whole] : bandsOf(canvas)).filter(
    ({ width, height }) => inked.columns <= width && inked.rows <= height,
  );
  if (fitting.length === 0) return undefined;
  const { x, y, width, height } = chance.pick(fitting);
  return {
    x: chance.within(x, x + width - inked.columns),
    y: chance.within(y, y + height - inked.rows),
  };
}

/** Findings in a picture without text. */
export function findingsIn(
  picture: MeasuredPicture,
  detector: TextDetector,
): Promise<readonly PixelRegion[]> {
  return examine(imageOf(picture), detector);
}

function imageOf({ canvas, tier, modality }: MeasuredPicture): Parameters<typeof examine>[0] {
  const { rows, columns, low, high, values } = canvas;
  const header = new DicomDataset()
    .setString('Modality', modality)
    .setNumbers('WindowCenter', [(low + high) / 2])
    .setNumbers('WindowWidth', [high - low]);
  const samples = Int16Array.from(values, Math.round);
  const reader: FrameReader = {
    ...{ rows, columns, samplesPerPixel: 1, bitsAllocated: 16, bitsStored: 16, signed: true },
    ...{ frames: 1, photometricInterpretation: 'MONOCHROME2' },
    frame: () => Promise.resolve(samples),
    hasHiddenBits: () => false,
    close: () => Promise.resolve(),
  };
  return { reader, header, tier, isSuspect: false, isCovered: () => false };
}

function touches(a: PixelRegion, b: PixelRegion): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

export interface Proportion {
  readonly found: number;
  readonly of: number;
  /** Both ends of the 95 % interval. */
  readonly low: number;
  readonly high: number;
}

/** Wilson score interval, 95 %. */
export function proportionOf(found: number, of: number): Proportion {
  if (of === 0) return { found, of, low: 0, high: 1 };
  // 97.5 % quantile of the normal distribution.
  const z = 1.959963984540054;
  const [p, z2] = [found / of, z * z];
  const middle = p + z2 / (2 * of);
  const half = z * Math.sqrt((p * (1 - p) + z2 / (4 * of)) / of);
  const scale = 1 + z2 / of;
  return {
    ...{ found, of },
    low: found === 0 ? 0 : (middle - half) / scale,
    high: found === of ? 1 : (middle + half) / scale,
  };
}
