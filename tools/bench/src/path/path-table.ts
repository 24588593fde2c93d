/**
 * The table of the path bench: what a person reads.
 */
import { renderTable, spreadText } from '../table.js';
import type { PathReport } from './path-bench.js';

const HEAD = [
  ...['way', 's', 's without quiet timer', 'x ours', 'x ours without quiet timer'],
  ...['gateway CPU ms/object', 'hub CPU ms/object', 'gateway peak RSS MB'],
];

export function renderPathTable(report: PathReport): string {
  const { machine, settings, ways, results, targets } = report;
  const rows = results.map((one) => [
    one.way,
    spreadText(one.seconds, 2),
    spreadText(one.secondsWithoutQuiet, 2),
    spreadText(one.timesOurs, 2),
    spreadText(one.timesOursWithoutQuiet, 2),
    spreadText(one.nearProcessorMsPerObject, 2),
    spreadText(one.farProcessorMsPerObject, 2),
    (one.nearResidentPeak / 1e6).toFixed(0),
  ]);
  const size = (settings.bytes / settings.objects / 1_000).toFixed(0);
  return [
    `${settings.objects} CT slices of ${size} KB from the first byte of C-STORE, ` +
      `one association, ${settings.rounds} rounds, interleaved, median (min-max)`,
    `${machine.cores} cores, Node ${machine.node}, ${machine.kernel}, ${machine.fileSystem}`,
    ...ways.map(({ name, how }) => `${name}: ${how}`),
    'gateway and hub are, of the Orthancs, the first and the second one',
    '',
    renderTable(HEAD, rows),
    ...results.flatMap(({ way, legs }) => {
      const words = Object.entries(legs).map(([leg, seconds]) => `${leg} ${seconds.toFixed(2)} s`);
      return words.length === 0 ? [] : [`${way}, medians: ${words.join(', ')}`];
    }),
    '',
    ...targets.map(
      ({ name, isMet, measured }) => `${isMet ? 'met' : 'NOT MET'}: ${name} (${measured})`,
    ),
  ].join('\n');
}
