/**
 * Entry of the process that hosts the receive stage of a gateway: database, parent and listener
 * child, as the gateway wires them, and nothing behind them.
 * Decides that what is measured is the platform's own code as it is built. Usage: forked with the
 * data folder and the calling AE title. Source: apps/gateway pipeline.
 */
import { join } from 'node:path';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { createReceiveStage, receiveConfigSchema } from '@aifi/gateway-receive';
import { assertNodeVersion, systemClock } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { keyRingOf } from '@aifi/shared-site-keys';
import { fakeSiteKeys } from '@aifi/shared-testing';
import type { HostMessage, HostRequest, HostRow } from './receive/receive-host-messages.js';

assertNodeVersion();
const [dataFolder = '', callingAeTitle = ''] = process.argv.slice(2);
const database = GatewayDatabase.open(join(dataFolder, 'gateway.db'), GATEWAY_MIGRATIONS);
const stage = createReceiveStage({
  database,
  ...{ dataFolder, keys: keyRingOf(fakeSiteKeys()) },
  config: receiveConfigSchema.parse({
    port: 0,
    aeTitle: 'AIFI',
    callers: [{ aeTitle: callingAeTitle, host: '127.0.0.1', plain: true }],
  }),
  clock: systemClock,
  logger: silentLogger,
});

function tell(message: HostMessage): void {
  process.send?.(message);
}
function rowsOf(sopInstanceUids: readonly string[]): HostRow[] {
  return database.read((sql) =>
    sopInstanceUids.flatMap((uid) =>
      sql.all<HostRow & Record<string, string>>(
        'SELECT sop_instance_uid AS sopInstanceUid, sha256, path FROM instance ' +
          'WHERE sop_instance_uid = ?',
        uid,
      ),
    ),
  );
}

const stop = new AbortController();
const running = stage.run(stop.signal);
process.on('message', (request: HostRequest) => {
  tell({ kind: 'rows', rows: rowsOf(request.sopInstanceUids) });
});
// The bench is gone, or asks for the end: both close the channel.
process.on('disconnect', () => stop.abort());
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());
tell({ kind: 'listening', port: await stage.ready });
await running;
database.close();
process.exit(0);
