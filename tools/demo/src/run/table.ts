/**
 * Table: what came of every study, for a terminal.
 * Decides the columns: site, study, product, state, result objects; and the time per stage below.
 * Pure text; no colour, so that it can be pasted anywhere.
 */
import { progressOf, STEPS, type StudyRun } from './study-run.js';
import { timingsOf } from './timings.js';

/** Rows of cells under a head, columns as wide as their widest cell. */
export function renderGrid(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, i) => Math.max(...all.map((row) => (row[i] ?? '').length)));
  const line = (row: readonly string[]): string =>
    widths
      .map((width, i) => (row[i] ?? '').padEnd(width))
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  return [line(head), rule, ...rows.map(line)].join('\n');
}

export function renderOutcome(runs: readonly StudyRun[]): string {
  const rows = runs.flatMap((run) => {
    const { siteId, study, seen } = run;
    const products = seen?.products ?? [];
    if (products.length === 0) return [[siteId, study.name, '-', progressOf(run).step, '-']];
    const status = seen?.statusObject ? [[siteId, study.name, 'AI status', '-', '1: SR']] : [];
    const rowsOfProducts = products.map(({ product, version, state, code, results }) => [
      siteId,
      study.name,
      `${product} ${version}`,
      code === null ? state : `${state} (${code})`,
      results.length === 0 ? '-' : `${results.length}: ${results.map((r) => r.role).join(', ')}`,
    ]);
    return [...rowsOfProducts, ...status];
  });
  return renderGrid(['site', 'study', 'product', 'state', 'result objects'], rows);
}

/** Seconds per stage; `.` where a study never went. */
export function renderTimings(runs: readonly StudyRun[]): string {
  const columns = [...STEPS, 'total'];
  const rows = runs.map(({ siteId, study, sentAtMs, journal }) => {
    const timings = sentAtMs === undefined ? {} : timingsOf(journal, sentAtMs);
    const seconds = columns.map((step) => {
      const ms = timings[step];
      return ms === undefined ? '.' : (ms / 1_000).toFixed(1);
    });
    return [siteId, study.name, ...seconds];
  });
  return renderGrid(['site', 'study', ...columns], rows);
}
