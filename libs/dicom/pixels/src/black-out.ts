/**
 * Blacking out: regions of every frame to the lowest display value, losslessly re-encoded.
 */
import { refuse, type Result } from '@aifi/shared-kernel';
import type { CleanedPixels, PixelRegion } from './cleaned-pixels.js';

export function blackOut(
  path: string,
  regions: readonly PixelRegion[],
): Promise<Result<CleanedPixels>> {
  void [path, regions];
  return Promise.resolve(refuse('QUARANTINED_PIXELS', 'these pixels cannot be cleaned'));
}
