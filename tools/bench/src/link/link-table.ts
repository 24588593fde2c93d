/**
 * The table of the link bench: what a person reads.
 */
import { renderTable, spreadText } from '../table.js';
import { OURS, type LinkReport } from './link-bench.js';

/** Of the plain copy with fdatasync. */
const SHARE = 0.6;
const HEAD = ['load', 'way', 'MB/s', 'hub CPU ms/object', 'gateway CPU ms/object', 'x fsync copy'];

export function renderLinkTable({ machine, settings, results }: LinkReport): string {
  const rows = results.map((one) => [
    one.load,
    one.way,
    spreadText(one.megabytesPerSecond, 1),
    spreadText(one.receiverProcessorMsPerObject, 2),
    spreadText(one.senderProcessorMsPerObject, 2),
    spreadText(one.share, 2),
  ]);
  const targets = results
    .filter(({ way, load }) => way === OURS && !load.includes('ms'))
    .map(({ load, share }) => {
      const words = share.median >= SHARE ? 'met' : 'NOT MET';
      return `${words}: ${load} at least ${SHARE} of the copy (${share.median.toFixed(2)})`;
    });
  return [
    `${settings.rounds} rounds, interleaved, median (min-max); mutual TLS for all but Orthanc`,
    `${machine.cores} cores, Node ${machine.node}, ${machine.kernel}, ${machine.fileSystem}`,
    'copy: one connection, written; with fsync: fdatasync of each file, one octet back',
    'gRPC and aifi-objects/1: digest, fdatasync, rename, sync of the folder, row in PostgreSQL',
    'Orthanc: peer to peer over HTTP, fsync of each file, row in SQLite',
    '',
    renderTable(HEAD, rows),
    '',
    ...targets,
  ].join('\n');
}
