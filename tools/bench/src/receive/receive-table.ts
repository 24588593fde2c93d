/**
 * The table of the receive bench: what a person reads.
 */
import { renderTable, spreadText } from '../table.js';
import type { ReceiveReport } from './receive-bench.js';

const MEBIBYTE = 1024 * 1024;
const HEAD = ['receiver', 'assoc.', 's', 'MB/s', 'CPU s', 'CPU ms/object', 'peak RSS MiB'];

export function renderReceiveTable(report: ReceiveReport): string {
  const { machine, settings, receivers, results } = report;
  const bases = Object.keys(results[0]?.shareOf ?? {});
  const rows = results.map((one) => [
    one.receiver,
    String(one.associations),
    spreadText(one.seconds, 2),
    spreadText(one.megabytesPerSecond, 0),
    spreadText(one.processorSeconds, 2),
    spreadText(one.processorMsPerObject, 2),
    (one.residentBytesPeak / MEBIBYTE).toFixed(0),
    ...bases.map((base) => spreadText(one.shareOf[base]!, 2)),
  ]);
  const size = (settings.objectBytes / 1_000).toFixed(0);
  return [
    `${settings.objects} objects of ${size} KB, ${settings.rounds} rounds, median (min-max); ` +
      `PDU ${settings.pduBytes}, TCP_NODELAY=1 everywhere`,
    `${machine.cores} cores, Node ${machine.node}, ${machine.kernel}, ${machine.fileSystem}`,
    ...receivers.map(({ name, version, durability }) => `${name} (${version}): ${durability}`),
    '',
    renderTable([...HEAD, ...bases.map((base) => `x ${base}`)], rows),
  ].join('\n');
}
