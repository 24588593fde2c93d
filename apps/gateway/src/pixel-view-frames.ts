/**
 * Frames to see: which frames of held images somebody has to have seen before a release.
 * Decides: every one with a mark, the first and the last; of a loop without marks the middle one
 * too, for text may come and go in it. Pure; the page asks for the same ones.
 * Source: pseudonymisation specification 1.5 (human release).
 */
import type { PixelFinding } from '@aifi/dicom-pixel-gate';

/** In order; counts from 0. */
export function framesToSee(
  findings: readonly Pick<PixelFinding, 'frame'>[],
  frames: number,
): readonly number[] {
  const last = frames - 1;
  const marked = findings.map(({ frame }) => frame).filter((frame) => frame <= last);
  const wanted = marked.length > 0 ? marked : [Math.floor(last / 2)];
  return [...new Set([0, ...wanted, last])].sort((a, b) => a - b);
}
