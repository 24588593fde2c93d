/**
 * The outcomes of the hub's database, each call one transaction of the calling site.
 * Decides nothing beyond that: the statements and their locks are in hub-database.
 * Source: reliability specification C3, P5.
 */
import type { Clock } from '@aifi/shared-kernel';
import {
  acknowledgeOutcome,
  openOutcomes,
  releaseOutcome,
  type HubDatabase,
} from '@aifi/hub-database';
import type { OutcomeStore } from './outcome-store.js';

export function createPostgresOutcomeStore(database: HubDatabase, clock: Clock): OutcomeStore {
  return {
    open: ({ siteId, gateway }, cursor) =>
      database.withSite(siteId, (sql) =>
        openOutcomes(sql, { ...cursor, gateway, atMs: clock.nowMs() }),
      ),
    next: ({ siteId, gateway }, lease, afterSequence) =>
      database.withSite(siteId, (sql) =>
        releaseOutcome(sql, { gateway, lease, afterSequence, atMs: clock.nowMs() }),
      ),
    acknowledge: ({ siteId, gateway }, outcome) =>
      database.withSite(siteId, (sql) =>
        acknowledgeOutcome(sql, { siteId, ...outcome }, { gateway, atMs: clock.nowMs() }),
      ),
  };
}
