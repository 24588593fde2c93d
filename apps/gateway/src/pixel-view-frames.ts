/**
 * Frames to see: what of held images somebody has to have seen before a release.
 * Decides: every frame with a mark, the first and the last; of a loop without marks the middle one
 * too, for text may come and go in it; each of them in every view, for what one window hides shows
 * in another. Pure; the page asks for the same ones.
 * Source: pseudonymisation specification 1.5 (human release).
 */
import { PIXEL_VIEWS, type PixelView } from '@aifi/contracts-rest';
import type { PixelFinding } from '@aifi/dicom-pixel-gate';

/** Frames that were shown, by view. */
export type SeenViews = Readonly<Record<PixelView, Set<number>>>;
export const nothingSeen = (): SeenViews => ({
  ...{ window: new Set<number>(), full: new Set<number>(), detail: new Set<number>() },
});

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

/** How many frames were seen in every view. */
export function seenWhole(seen: SeenViews): number {
  return [...seen.window].filter((frame) => PIXEL_VIEWS.every((view) => seen[view].has(frame)))
    .length;
}

/** Frames that are told one by one. */
const TOLD_MAX = 10;
/** What is left of these frames, by view, as words; undefined when all was seen. */
export function leftToSee(wanted: readonly number[], seen: SeenViews): string | undefined {
  const parts = PIXEL_VIEWS.flatMap((view) => {
    const left = wanted.filter((frame) => !seen[view].has(frame));
    if (left.length === 0) return [];
    const more = left.length > TOLD_MAX ? ` and ${left.length - TOLD_MAX} more` : '';
    return [`frame ${left.slice(0, TOLD_MAX).join(', ')}${more} in view ${view}`];
  });
  return parts.length > 0 ? parts.join('; ') : undefined;
}
