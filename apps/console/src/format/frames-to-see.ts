/**
 * Frames to see: which frames of held images a person has to look at before a release.
 * Decides nothing that the server does not: it asks for the same ones. Pure.
 * Source: pseudonymisation specification 1.5 (human release).
 */
import type { PixelHoldView } from '@aifi/contracts-rest';

/** Those with a mark, in order; the first one where nothing is marked. Counts from 0. */
export function framesToSee(
  findings: PixelHoldView['findings'],
  frames: number,
): readonly number[] {
  const marked = findings.map(({ frame }) => frame).filter((frame) => frame < frames);
  return marked.length > 0 ? [...new Set(marked)].sort((a, b) => a - b) : [0];
}

/** The next one of these frames after `frame`, around the end. */
export function nextOf(wanted: readonly number[], frame: number): number {
  return wanted.find((one) => one > frame) ?? wanted[0] ?? frame;
}
