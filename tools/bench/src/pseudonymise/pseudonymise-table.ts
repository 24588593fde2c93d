/**
 * The table of the pseudonymise bench: what a person reads.
 */
import { renderTable, spreadText } from '../table.js';
import type { PseudonymiseBenchReport } from './pseudonymise-bench.js';

const MEBIBYTE = 1024 * 1024;
const HEAD = ['tool', 's', 'MB/s', 'CPU s', 'peak RSS MiB', 'markers left'];

export function renderPseudonymiseTable(report: PseudonymiseBenchReport): string {
  const { machine, settings, tools, unobtainable, results, targets } = report;
  const bases = Object.keys(results[0]?.shareOfCopy ?? {});
  const rows = results.map((one) => [
    one.tool,
    spreadText(one.seconds, 2),
    spreadText(one.megabytesPerSecond, 0),
    spreadText(one.processorSeconds, 2),
    (one.residentBytesPeak / MEBIBYTE).toFixed(0),
    bases.includes(one.tool) ? '-' : String(one.markersLeft ?? 'no output'),
    ...bases.map((base) => spreadText(one.shareOfCopy[base]!, 2)),
  ]);
  const size = (settings.bytes / settings.objects / 1_000).toFixed(0);
  return [
    `${settings.objects} CT slices of ${size} KB, ${settings.rounds} rounds, median (min-max); ` +
      `${settings.markersPlanted} markers in the planted file`,
    `${machine.cores} cores, Node ${machine.node}, ${machine.kernel}, ${machine.fileSystem}`,
    ...tools.map(
      ({ name, version, how, durability }) => `${name} (${version}): ${how}; ${durability}`,
    ),
    ...unobtainable.map((words) => `not measured: ${words}`),
    '',
    renderTable([...HEAD, ...bases.map((base) => `x ${base}`)], rows),
    '',
    ...targets.map(
      ({ name, isMet, measured }) => `${isMet ? 'met' : 'NOT MET'}: ${name} (${measured})`,
    ),
  ].join('\n');
}
