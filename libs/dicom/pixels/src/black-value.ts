/**
 * Black: the stored value of a pixel that is shown darkest.
 * Decides it from the attributes alone, so that a region is as dark on every frame and tells
 * nothing of what was there. Invariant: a value that marks padding is not brought in where another
 * is as dark: a reader would take the region for the outside of the image.
 * Source: PS3.3 C.7.6.3.1.2 (photometric interpretation), C.7.5.1.1.2 (pixel padding), C.11.1.
 */
import type { DicomDataset } from '@aifi/dicom-core';
import { ok, type Result } from '@aifi/shared-kernel';
import type { OpenedImage } from './frame-reader.js';
import { darkestIndex, paletteOf } from './palette.js';

/** One value for each sample of a pixel. */
export function blackOf({ reader, dataset }: OpenedImage): Result<readonly number[]> {
  const { bitsStored, signed, photometricInterpretation } = reader;
  const low = signed ? -(2 ** (bitsStored - 1)) : 0;
  const high = low + 2 ** bitsStored - 1;
  // Colour difference: the middle is none.
  if (photometricInterpretation === 'YBR_FULL') {
    const middle = low + 2 ** (bitsStored - 1);
    return ok([low, middle, middle]);
  }
  if (photometricInterpretation === 'RGB') return ok([low, low, low]);
  if (photometricInterpretation === 'PALETTE COLOR') {
    const palette = paletteOf(dataset, signed);
    return palette.ok ? ok([darkestIndex(palette.value, low, high)]) : palette;
  }
  // A falling rescale turns dark and bright around, as MONOCHROME1 does.
  const isFalling = (dataset.number('RescaleSlope') ?? 1) < 0;
  const isHighDark = (photometricInterpretation === 'MONOCHROME1') !== isFalling;
  const [paddingLow, paddingHigh] = paddingOf(dataset, signed) ?? [Infinity, -Infinity];
  const black = isHighDark ? high : low;
  if (black < paddingLow || black > paddingHigh) return ok([black]);
  const next = isHighDark ? paddingLow - 1 : paddingHigh + 1;
  return ok([next < low || next > high ? black : next]);
}

/** Stored values, both ends included, that mark pixels outside the image. */
export function paddingOf(
  dataset: DicomDataset,
  signed: boolean,
): readonly [number, number] | undefined {
  const value = dataset.number('PixelPaddingValue');
  if (value === undefined) return undefined;
  const limit = dataset.number('PixelPaddingRangeLimit') ?? value;
  // Without a VR (implicit) the sign of these values is that of the pixels, not of a dictionary.
  const [a, b] = [value, limit].map((v) => (signed ? (v << 16) >> 16 : v & 0xffff));
  return [Math.min(a!, b!), Math.max(a!, b!)];
}
