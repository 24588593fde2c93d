/**
 * Frames to see: which frames of held images a person has to look at before a release, in each of
 * the views. Decides the way through them: all views of a frame, then the next frame. What has to
 * be seen is the server's to decide: it asks for the same ones. Pure.
 * Source: pseudonymisation specification 1.5 (human release).
 */
import { PIXEL_VIEWS, type PixelHoldView, type PixelView } from '@aifi/contracts-rest';

type Findings = readonly Pick<PixelHoldView['findings'][number], 'frame'>[];

/**
 * Those with a mark, the first and the last; where nothing is marked the middle one too. In order;
 * counts from 0.
 */
export function framesToSee(findings: Findings, frames: number): readonly number[] {
  const last = frames - 1;
  const marked = findings.map(({ frame }) => frame).filter((frame) => frame <= last);
  const wanted = marked.length > 0 ? marked : [Math.floor(last / 2)];
  return [...new Set([0, ...wanted, last])].sort((a, b) => a - b);
}

/** Where a look begins: at the first mark, or at the first frame. */
export function firstToSee(findings: Findings, frames: number): number {
  const marked = findings.map(({ frame }) => frame).filter((frame) => frame < frames);
  return marked.length > 0 ? Math.min(...marked) : 0;
}

/** One frame, counted from 0, in one view. */
export interface Look {
  readonly frame: number;
  readonly view: PixelView;
}
/** As text, to be remembered by. */
export const keyOfLook = ({ frame, view }: Look): string => `${frame} ${view}`;

/** What of these frames was not seen yet, in the order of the way through. */
export function looksLeft(frames: readonly number[], seen: ReadonlySet<string>): readonly Look[] {
  return frames
    .flatMap((frame) => PIXEL_VIEWS.map((view) => ({ frame, view })))
    .filter((look) => !seen.has(keyOfLook(look)));
}

/** The next one of these after `at`, around the end. */
export function nextOf(left: readonly Look[], at: Look): Look {
  return left.find((one) => isAfter(one, at)) ?? left[0] ?? at;
}
function isAfter(one: Look, other: Look): boolean {
  if (one.frame !== other.frame) return one.frame > other.frame;
  return PIXEL_VIEWS.indexOf(one.view) > PIXEL_VIEWS.indexOf(other.view);
}
