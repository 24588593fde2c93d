/**
 * Reconciliation, clock, digests and invariants of a gateway of the suites: real over its database,
 * with a PACS that is not asked. Decides nothing.
 */
import type { GatewayDatabase } from '@aifi/gateway-database';
import {
  ClockWatch,
  DigestCheck,
  GatewayInvariants,
  Reconciliation,
} from '@aifi/gateway-reconcile';
import type { Clock } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import type { Reconcile } from '../src/reconcile.parts.js';

export function plantedReconcile(database: GatewayDatabase, clock: Clock): Reconcile {
  const basics = { database, clock, logger: silentLogger };
  const none = () => Promise.resolve({ studies: [], isWhole: true });
  return {
    isOn: true,
    clockWatch: new ClockWatch({ ...basics, config: { alarmMs: 2_000, holdMs: 60_000 } }),
    reconciliation: new Reconciliation({
      ...{ ...basics, purpose: 'demonstration', products: () => [] },
      finder: { studies: none, series: () => Promise.resolve([]) },
      config: { isOn: true, settleMinutes: 60, matchesMax: 100, seriesQueriesMax: 10 },
    }),
    digests: new DigestCheck({ ...basics, config: { startHourUtc: 1, megabytesPerSecond: 100 } }),
    invariants: new GatewayInvariants({ ...basics, unaudited: () => 0 }),
  };
}
