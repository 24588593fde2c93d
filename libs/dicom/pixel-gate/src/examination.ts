/**
 * Examination: the pixels of one file, looked at as closely as its tier says.
 * Decides which places, windows and frames are looked at and what counts as seen: lines of letters,
 * and words that the text detector reads. A line that is nothing but side markers is no finding.
 * Invariants: every frame is looked at, or there are findings already; what is blacked out anyway
 * never stands in the place of a finding; one frame is in memory; a finding has a place, no text.
 * Source: pseudonymisation specification 1.5.
 */
import type { DicomDataset } from '@aifi/dicom-core';
import { resized, type FrameReader, type PixelRegion } from '@aifi/dicom-pixels';
import { bandsOf, borderTextOf, croppingOf, widened } from './border-check.js';
import type { Plane } from './components.js';
import {
  displayed,
  valuePlanesOf,
  wholeOf,
  windowsOf,
  type Area,
  type ValuePlane,
} from './display-planes.js';
import type { PixelFinding } from './pixel-gate.js';
import type { TextDetector } from './text-detector.js';
import { TEXT_LINES, textLinesOf } from './text-lines.js';
import type { Tier } from './tier.js';

export interface ExaminedImage {
  readonly reader: FrameReader;
  readonly header: DicomDataset;
  readonly tier: Tier;
  /** Of CT and MR: the whole picture instead of its borders. */
  readonly isSuspect: boolean;
  /** True for a place that is blacked out before the image leaves: there is no finding there. */
  readonly isCovered: (region: PixelRegion) => boolean;
}

/** From so many on the image is held whatever follows: enough to know where to look. */
const FINDINGS_MAX = 64;
/** Lines whose words are read apart, to know side markers. */
const MARKER_LINES_MAX = 8;
/** Frames of a loop that are read by the text detector: first, middle, last. */
const READ_FRAMES = 3;
/** Part of each side that a corner has. */
const CORNER = 0.3;

/** Rejects when the detector is not available or a frame does not decode. */
export async function examine(
  image: ExaminedImage,
  detector: TextDetector,
): Promise<PixelFinding[]> {
  const { reader, tier, isCovered } = image;
  const findings: PixelFinding[] = [];
  const readable = framesToRead(reader.frames);
  for (let frame = 0; frame < reader.frames; frame += 1) {
    const planes = valuePlanesOf(await reader.frame(frame), reader);
    for (const plane of planes) {
      const seen =
        tier === 'border'
          ? crossSectionText(plane, image)
          : await pictureText(plane, image, readable.has(frame) ? detector : undefined);
      const open = seen.filter((region) => !isCovered(region));
      findings.push(...open.map((region) => ({ ...region, frame })));
    }
    if (findings.length >= FINDINGS_MAX) break;
  }
  return findings.slice(0, FINDINGS_MAX);
}

function framesToRead(frames: number): ReadonlySet<number> {
  const last = frames - 1;
  return new Set(
    Array.from({ length: READ_FRAMES }, (_, at) => Math.round((last * at) / (READ_FRAMES - 1))),
  );
}

function crossSectionText(plane: ValuePlane, { header, isSuspect }: ExaminedImage): PixelRegion[] {
  return windowsOf(header, plane).flatMap((window) =>
    isSuspect ? textLinesOf(displayed(plane, wholeOf(plane), window)) : borderTextOf(plane, window),
  );
}

/** Lines of letters first; the detector confirms side markers and reads what lines may miss. */
async function pictureText(
  plane: ValuePlane,
  { header, tier }: ExaminedImage,
  detector: TextDetector | undefined,
): Promise<PixelRegion[]> {
  const found: PixelRegion[] = [];
  const areas =
    tier === 'bands' ? bandsOf(plane).map((band) => widened(band, plane)) : [wholeOf(plane)];
  const windows = windowsOf(header, plane);
  for (const [at, window] of windows.entries()) {
    for (const area of areas) {
      const shown = displayed(plane, area, window);
      const lines = textLinesOf(shown, TEXT_LINES, croppingOf(area, plane));
      if (detector) {
        found.push(...moved(await withoutMarkers(lines, shown, detector), area));
        // One pass on the bands: the first window is the one that people look through.
        if (tier === 'full' || at === 0) found.push(...moved(await words(shown, detector), area));
      } else {
        found.push(...moved(lines, area));
      }
      if (detector && tier === 'full') {
        found.push(...moved(await words(inverted(shown), detector), area));
      }
    }
    if (detector && tier === 'full') found.push(...(await cornerWords(plane, window, detector)));
  }
  return found;
}

async function words(shown: Plane, detector: TextDetector): Promise<PixelRegion[]> {
  const seen: PixelRegion[] = [];
  for (const { isMarker, ...box } of await detector.read(shown)) if (!isMarker) seen.push(box);
  return seen;
}

/** Small text is read better at twice its size, and it stands in corners. */
async function cornerWords(
  plane: ValuePlane,
  window: { readonly low: number; readonly high: number },
  detector: TextDetector,
): Promise<PixelRegion[]> {
  const width = Math.ceil(plane.columns * CORNER);
  const height = Math.ceil(plane.rows * CORNER);
  const seen: PixelRegion[] = [];
  for (const y of new Set([0, plane.rows - height])) {
    for (const x of new Set([0, plane.columns - width])) {
      const area = { x, y, width, height };
      seen.push(
        ...moved((await words(twice(displayed(plane, area, window)), detector)).map(halved), area),
      );
    }
  }
  return seen;
}

/** The lines without those that the detector reads as side markers and nothing else. */
async function withoutMarkers(
  lines: readonly PixelRegion[],
  shown: Plane,
  detector: TextDetector,
): Promise<PixelRegion[]> {
  const kept: PixelRegion[] = [];
  for (const [at, line] of lines.entries()) {
    if (at >= MARKER_LINES_MAX || !(await isMarkerLine(line, shown, detector))) kept.push(line);
  }
  return kept;
}

async function isMarkerLine(
  line: PixelRegion,
  shown: Plane,
  detector: TextDetector,
): Promise<boolean> {
  const margin = Math.ceil(line.height * 0.6);
  const x = Math.max(0, line.x - margin);
  const y = Math.max(0, line.y - margin);
  const area = {
    ...{ x, y },
    width: Math.min(shown.columns, line.x + line.width + margin) - x,
    height: Math.min(shown.rows, line.y + line.height + margin) - y,
  };
  const cut = twice(cutOf(shown, area));
  const read = await detector.read(cut);
  const wide = read.reduce((sum, { width }) => sum + width, 0);
  // All of the line is read: a name beside a marker is no marker.
  return read.length > 0 && read.every(({ isMarker }) => isMarker) && wide >= line.width * 2 * 0.8;
}

function moved(regions: readonly PixelRegion[], { x, y }: Area): PixelRegion[] {
  return regions.map((region) => ({ ...region, x: region.x + x, y: region.y + y }));
}
function halved({ x, y, width, height }: PixelRegion): PixelRegion {
  const half = (value: number): number => Math.floor(value / 2);
  return { x: half(x), y: half(y), width: half(width) + 1, height: half(height) + 1 };
}
function inverted({ rows, columns, data }: Plane): Plane {
  return { rows, columns, data: data.map((value) => 255 - value) };
}
function cutOf({ columns, data }: Plane, { x, y, width, height }: Area): Plane {
  const out = new Uint8Array(width * height);
  for (let row = 0; row < height; row += 1) {
    const from = (y + row) * columns + x;
    out.set(data.subarray(from, from + width), row * width);
  }
  return { rows: height, columns: width, data: out };
}
function twice(plane: Plane): Plane {
  return resized(plane, { rows: plane.rows * 2, columns: plane.columns * 2 });
}
