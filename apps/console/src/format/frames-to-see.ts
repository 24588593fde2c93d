/**
 * Frames to see: which frames of held images a person has to look at before a release.
 * Decides nothing that the server does not: it asks for the same ones. Pure.
 * Source: pseudonymisation specification 1.5 (human release).
 */
import type { PixelHoldView } from '@aifi/contracts-rest';

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

/** The next one of these frames after `frame`, around the end. */
export function nextOf(wanted: readonly number[], frame: number): number {
  return wanted.find((one) => one > frame) ?? wanted[0] ?? frame;
}
