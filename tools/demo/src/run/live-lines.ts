/**
 * LiveLines: one line with a progress bar per study, while it is under way.
 * Decides that a terminal is redrawn in place and that anything else gets one line per change.
 */
import { progressOf, type StudyRun } from './study-run.js';

const BAR_WIDTH = 24;

export interface Screen {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

/** `site-a  t1-brain  [#####...]  uplink   12 s` */
export function renderLine(run: StudyRun, elapsedMs: number): string {
  const { step, fraction } = progressOf(run);
  const filled = Math.round(fraction * BAR_WIDTH);
  const bar = '#'.repeat(filled) + '.'.repeat(BAR_WIDTH - filled);
  const columns = [run.siteId.padEnd(8), run.study.name.padEnd(10), `[${bar}]`, step.padEnd(14)];
  return `${columns.join('  ')}${Math.round(elapsedMs / 1_000)} s`;
}

export class LiveLines {
  #drawn = 0;
  readonly #steps = new Map<string, string>();

  constructor(private readonly screen: Screen) {}

  /** Shows where every study is. @param nowMs wall clock */
  show(runs: readonly StudyRun[], nowMs: number): void {
    const elapsed = (run: StudyRun): number => nowMs - (run.sentAtMs ?? nowMs);
    if (!this.screen.isTTY) {
      for (const run of runs) {
        if (this.#hasChanged(run)) this.screen.write(`${renderLine(run, elapsed(run))}\n`);
      }
      return;
    }
    // ESC[<n>A: cursor up; ESC[2K: erase the line (ECMA-48 8.3.22, 8.3.41).
    const up = this.#drawn > 0 ? `\x1b[${this.#drawn}A` : '';
    const lines = runs.map((run) => `\x1b[2K${renderLine(run, elapsed(run))}\n`);
    this.screen.write(up + lines.join(''));
    this.#drawn = runs.length;
  }

  #hasChanged(run: StudyRun): boolean {
    const key = `${run.siteId}/${run.study.name}`;
    const { step } = progressOf(run);
    if (this.#steps.get(key) === step) return false;
    this.#steps.set(key, step);
    return true;
  }
}
