/**
 * Hidden bits: what lies in the cells of the samples beside the bits that are stored.
 * Decides whether these bits may hold a picture of their own. Until 2004 an overlay could be kept
 * there, and its group 60xx may be gone while it stays. Harmless are bits that say nothing: the
 * same ones in every sample of the frame, or the sign of a sample repeated above it, also where the
 * attributes say that there is no sign. Samples of the declared padding are left out where all of
 * two or more bits above are set: a negative number, which no single plane gives. Anything else is
 * taken for a picture, also values that are larger than Bits Stored allows.
 * Source: PS3.5 8.1.1 and, retired, 8.1.2; PS3.3 C.7.5.1.1.2 (padding), C.9.2.
 */
import { storedWords, type StoredBits } from './frame-samples.js';

/** Whether the bits that are not stored differ from sample to sample. `padding` is as stored. */
export function hidesBits(stored: StoredBits, length: number, padding?: number): boolean {
  const { bitsStored, highBit, bitsAllocated } = stored;
  const cell = bitsAllocated === 32 ? -1 : (1 << bitsAllocated) - 1;
  const above = cell & (-2 << highBit);
  const below = (1 << (highBit + 1 - bitsStored)) - 1;
  const isSkipped = padding !== undefined && isNegative(padding & cell, above);
  const skipped = isSkipped ? padding & cell : undefined;
  const up = 31 - highBit;
  let [any, all, notTheSign] = [0, -1, 0];
  let isOnlyPadding = true;
  const words = storedWords(stored, length);
  for (let at = 0; at < length; at += 1) {
    const word = words[at]! | 0;
    if (word === skipped) continue;
    isOnlyPadding = false;
    any |= word;
    all &= word;
    notTheSign |= word ^ ((word << up) >> up);
  }
  if (isOnlyPadding) return false;
  const differing = any ^ all;
  const isPictureAbove = (differing & above) !== 0 && (notTheSign & above) !== 0;
  return isPictureAbove || (differing & below) !== 0;
}

/** All bits above are set, and they are not one alone. */
function isNegative(padding: number, above: number): boolean {
  return (above & (above - 1)) !== 0 && (padding & above) === above;
}
