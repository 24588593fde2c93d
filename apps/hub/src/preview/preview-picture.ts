/**
 * Preview picture: the pixels of one stored instance as a grey PNG for a screen.
 * Decides the window (the dataset's own first one, else lowest..highest value) and the size: never
 * larger than the picture itself. Not for diagnosis: eight bits, scaled down, no calibration.
 * Invariants: the bytes shown are those of the digest that was asked for; nothing of the header
 * leaves with the picture. Source: PS3.3 C.11.2.1.2 (window), C.11.2.1.3 (VOI LUT function).
 */
import { encode } from 'fast-png';
import { readPart10Header, type DicomDataset } from '@aifi/dicom-core';
import {
  greyPictureOf,
  readRadiograph,
  resized,
  sizeWithin,
  type GreyPicture,
  type Radiograph,
} from '@aifi/dicom-pixels';
import { AifiError } from '@aifi/shared-kernel';

/** Long side of a preview: a full screen's half, and no more than a thing to look at. */
export const PREVIEW_SIDE_MAX = 1024;

export interface PreviewOrder {
  /** Where the object lies. */
  readonly path: string;
  /** SHA-256 of its bytes. */
  readonly sha256: string;
}
export interface Window {
  readonly centre: number;
  readonly width: number;
  readonly shape: 'LINEAR' | 'LINEAR_EXACT' | 'SIGMOID';
}

/** INVALID_ARGUMENT for an image of a kind that is not read here. */
export async function renderPreview({ path, sha256 }: PreviewOrder): Promise<Uint8Array> {
  const read = await readRadiograph(path);
  if (!read.ok) {
    throw new AifiError('INVALID_ARGUMENT', 'there is no preview of this kind of image');
  }
  const image = read.value;
  if (image.objectDigest !== sha256) {
    throw new AifiError('DIGEST_MISMATCH', 'the stored object is not the one that was declared');
  }
  const window = windowOf((await readPart10Header(path)).dataset);
  const picture = window ? windowedPicture(image, window) : greyPictureOf(image);
  const { rows, columns, data } = scaledDown(picture);
  return encode({ width: columns, height: rows, data, channels: 1, depth: 8 });
}

/** The first window of the dataset; undefined when it has none that means anything. */
export function windowOf(dataset: DicomDataset): Window | undefined {
  const centre = dataset.number('WindowCenter');
  const width = dataset.number('WindowWidth');
  const named = dataset.string('VOILUTFunction') ?? 'LINEAR';
  const shape = named === 'LINEAR_EXACT' || named === 'SIGMOID' ? named : 'LINEAR';
  if (centre === undefined || width === undefined) return undefined;
  // C.11.2.1.2.1: at least 1 for LINEAR; C.11.2.1.3: above 0 for the others.
  return width >= (shape === 'LINEAR' ? 1 : Number.MIN_VALUE)
    ? { centre, width, shape }
    : undefined;
}

/** Greys of the rescaled values inside the window; pixels outside the image are black. */
export function windowedPicture(image: Radiograph, window: Window): GreyPicture {
  const { stored, encoding, padding = [1, 0], rows, columns } = image;
  const [from, to] = padding;
  const isInverted = encoding.photometricInterpretation === 'MONOCHROME1';
  const data = new Uint8Array(stored.length);
  for (let at = 0; at < stored.length; at += 1) {
    const value = stored[at]!;
    if (value >= from && value <= to) continue;
    const part = partOf(value * encoding.slope + encoding.intercept, window);
    data[at] = Math.round(255 * (isInverted ? 1 - part : part));
  }
  return { rows, columns, data };
}

/** 0 at and below the window, 1 at and above it. */
function partOf(value: number, { centre, width, shape }: Window): number {
  if (shape === 'SIGMOID') return 1 / (1 + Math.exp((-4 * (value - centre)) / width));
  const isExact = shape === 'LINEAR_EXACT';
  const [middle, span] = isExact ? [centre, width] : [centre - 0.5, width - 1];
  // A window of one value (C.11.2.1.2.1): a step.
  if (span === 0) return value <= middle ? 0 : 1;
  return Math.min(1, Math.max(0, (value - middle) / span + 0.5));
}

function scaledDown(picture: GreyPicture): GreyPicture {
  const longSide = Math.max(picture.rows, picture.columns);
  if (longSide <= PREVIEW_SIDE_MAX) return picture;
  const frame = { rows: PREVIEW_SIDE_MAX, columns: PREVIEW_SIDE_MAX };
  return resized(picture, sizeWithin(picture, frame));
}
