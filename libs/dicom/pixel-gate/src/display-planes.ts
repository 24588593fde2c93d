/**
 * Display planes: decoded samples as the eight bits that a person would see.
 * Decides the windows under which a picture is examined: those of its header, else (CT) soft
 * tissue, and the whole range of its values where that is wide enough to show something. Colour
 * is seen as its strongest channel and, where there is any, as its colourfulness.
 * Shapes: samples are [y, x, sample]; windows are in stored values, before rescale.
 * Source: PS3.3 C.11.1 (rescale), C.11.2.1.2 (windows), C.7.6.16.2 (functional groups).
 */
import type { DicomDataset } from '@aifi/dicom-core';
import type { FrameReader, FrameSamples } from '@aifi/dicom-pixels';
import type { Plane } from './components.js';

export interface Window {
  readonly low: number;
  readonly high: number;
}
/** One value per pixel. */
export interface ValuePlane {
  readonly rows: number;
  readonly columns: number;
  readonly values: FrameSamples;
}
export type PictureShape = Pick<
  FrameReader,
  'rows' | 'columns' | 'samplesPerPixel' | 'photometricInterpretation'
>;

const HEADER_WINDOWS_MAX = 2;
/** Soft tissue, for a CT without a window. @unit HU */
const SOFT_TISSUE = { low: -160, high: 240 };
/** A narrower range of values in CT is noise in air. @unit HU */
const CT_RANGE_MIN = 1000;
/** Values looked at for the range of a picture. */
const RANGE_SAMPLES = 2 ** 16;

/** Grey as it is; colour as two planes: its strongest channel, and how far its channels differ. */
export function valuePlanesOf(samples: FrameSamples, shape: PictureShape): ValuePlane[] {
  const { rows, columns, samplesPerPixel, photometricInterpretation } = shape;
  if (samplesPerPixel === 1) return [{ rows, columns, values: samples }];
  const size = rows * columns;
  const strongest = new Uint16Array(size);
  const colourful = new Uint16Array(size);
  const isLuma = photometricInterpretation.startsWith('YBR');
  let hasColour = false;
  for (let at = 0; at < size; at += 1) {
    const [a, b, c] = [samples[at * 3]!, samples[at * 3 + 1]!, samples[at * 3 + 2]!];
    strongest[at] = isLuma ? a : Math.max(a, b, c);
    const chroma = isLuma ? Math.abs(b - c) : Math.max(a, b, c) - Math.min(a, b, c);
    colourful[at] = chroma;
    hasColour ||= chroma > 0;
  }
  const planes = [{ rows, columns, values: strongest }];
  return hasColour ? [...planes, { rows, columns, values: colourful }] : planes;
}

/** The windows of one frame, at least one unless the picture is even. */
export function windowsOf(header: DicomDataset, plane: ValuePlane): Window[] {
  const shared = header.items('SharedFunctionalGroupsSequence')[0];
  const voi = shared?.items('FrameVOILUTSequence')[0] ?? header;
  const rescale = shared?.items('PixelValueTransformationSequence')[0] ?? header;
  const slope = rescale.number('RescaleSlope') || 1;
  const intercept = rescale.number('RescaleIntercept') ?? 0;
  const stored = ({ low, high }: Window): Window => {
    const ends = [(low - intercept) / slope, (high - intercept) / slope];
    return { low: Math.min(...ends), high: Math.max(...ends) };
  };
  const widths = voi.numbers('WindowWidth');
  const windows = voi
    .numbers('WindowCenter')
    .map((centre, at) => ({ centre, width: widths[at] ?? 0 }))
    .filter(({ width }) => width > 1)
    .slice(0, HEADER_WINDOWS_MAX)
    .map(({ centre, width }) => stored({ low: centre - width / 2, high: centre + width / 2 }));
  if (windows.length > 0) return windows;
  const range = rangeOf(plane.values);
  if (header.string('Modality') !== 'CT') return range.high > range.low ? [range] : [];
  const isWide = (range.high - range.low) * Math.abs(slope) >= CT_RANGE_MIN;
  return isWide ? [stored(SOFT_TISSUE), range] : [stored(SOFT_TISSUE)];
}

/** Lowest and highest of the values, of every n-th in large pictures. */
export function rangeOf(values: FrameSamples): Window {
  const stride = Math.max(1, Math.floor(values.length / RANGE_SAMPLES));
  let [low, high] = [Infinity, -Infinity];
  for (let at = 0; at < values.length; at += stride) {
    const value = values[at]!;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return { low, high };
}

export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}
export function wholeOf({ rows, columns }: Pick<ValuePlane, 'rows' | 'columns'>): Area {
  return { x: 0, y: 0, width: columns, height: rows };
}

/** An area of the plane in eight bits: low and below 0, high and above 255. */
export function displayed(plane: ValuePlane, area: Area, { low, high }: Window): Plane {
  const { x, y, width, height } = area;
  const data = new Uint8Array(width * height);
  const scale = 255 / Math.max(high - low, Number.MIN_VALUE);
  const { values, columns } = plane;
  for (let row = 0; row < height; row += 1) {
    let from = (y + row) * columns + x;
    const end = (row + 1) * width;
    for (let to = row * width; to < end; to += 1, from += 1) {
      const value = (values[from]! - low) * scale;
      data[to] = value <= 0 ? 0 : value >= 255 ? 255 : value + 0.5;
    }
  }
  return { rows: height, columns: width, data };
}
