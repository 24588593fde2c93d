/**
 * Report: what a person reads at the end of a run.
 * Decides the table. Invariant: one line for each target, findings in full below.
 */
import type { Comparison } from './dcmdump-comparison.js';
import type { TargetResult } from './target-run.js';

const HEAD = ['target', 'executions', 'exec/s', 'coverage', 'corpus', 'findings', 'peak RSS'];
const MEBIBYTE = 1024 * 1024;

export interface TargetReport extends TargetResult {
  readonly comparison?: Comparison | undefined;
}

function row(result: TargetReport): string[] {
  const { executions, seconds, coverageReached, coverageTotal } = result;
  const share = coverageTotal === 0 ? 0 : (100 * coverageReached) / coverageTotal;
  return [
    result.target,
    String(executions),
    (executions / Math.max(seconds, 0.001)).toFixed(0),
    `${share.toFixed(1)} %`,
    String(result.corpusInputs),
    String(result.findings.length),
    `${(result.residentBytesPeak / MEBIBYTE).toFixed(0)} MiB`,
  ];
}

export function renderReport(results: readonly TargetReport[]): string {
  const rows = [HEAD, ...results.map(row)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)));
  const lines = rows.map((cells) =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  '),
  );
  for (const { target, findings, comparison } of results) {
    for (const { kind, detail, path } of findings) {
      lines.push('', `${target}: ${kind}`, detail, path);
    }
    if (!comparison) continue;
    const { compared, rejected, reasons, warnings } = comparison;
    lines.push('', `${target}: dcmdump rejects ${rejected} of ${compared} accepted files`);
    for (const [reason, count] of Object.entries(reasons)) lines.push(`  ${count} x ${reason}`);
    for (const [warning, count] of Object.entries(warnings)) {
      lines.push(`  ${count} x warning: ${warning}`);
    }
  }
  return lines.join('\n');
}
