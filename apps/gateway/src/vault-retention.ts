/**
 * Vault retention: linkages, registered results and identity events go when their time is over.
 * Decides when the vault is asked, and that the linkage of a job that is not at its end stays.
 * Invariant: what goes is crypto-erased by the vault itself, with its act on record.
 * Source: reliability specification 2 ("Deletion rules"); pseudonymisation specification 1.3.
 */
import type { GatewayDatabase } from '@aifi/gateway-database';
import type { IdentityEventLog, Vault, VaultRetention } from '@aifi/gateway-vault';
import { pollingStage, Wake, type Clock, type JobId, type Stage } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';

const DAY_MS = 86_400_000;
/** Rows stay for months, so minutes do not matter. @unit ms */
const LOOK_MS = 3_600_000;

export interface VaultRetentionDependencies {
  readonly vault: Pick<Vault, 'expire' | 'oldestIdentityMs'>;
  readonly identityEvents: Pick<IdentityEventLog, 'expire'>;
  readonly retention: Pick<VaultRetention, 'linkageDays'>;
  readonly database: GatewayDatabase;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function createVaultRetention(dependencies: VaultRetentionDependencies): Stage {
  const { vault, identityEvents, retention, database, clock, logger } = dependencies;
  const isOpen = (jobId: JobId): boolean =>
    database.read((sql) =>
      sql.get('SELECT 1 FROM job WHERE job_id = ? AND terminal_ms IS NULL', jobId),
    ) !== undefined;
  return pollingStage({
    name: 'vault-retention',
    clock,
    wake: new Wake(),
    intervalMs: LOOK_MS,
    onFault: (error) => logger.fault('vault retention failed', error),
    runOnce: async () => {
      const { jobs, results } = await vault.expire(clock.nowMs(), { isOpen });
      if (jobs + results > 0) logger.info('rows of the vault expired', { count: jobs + results });
      const events = await identityEvents.expire(eventsNeededSince(vault, retention, clock));
      if (events > 0) logger.info('identity events expired', { count: events });
      return 0;
    },
  });
}

/**
 * Up to when an event may go. Who a study's patient is follows from all events on the way from its
 * header to now: with one of them missing, a later one would not be found from there. So events
 * stay as long as the oldest study that is kept, and one linkage period more: a study may come with
 * a header that old (a modality that held its worklist).
 */
function eventsNeededSince(
  vault: Pick<Vault, 'oldestIdentityMs'>,
  { linkageDays }: Pick<VaultRetention, 'linkageDays'>,
  clock: Clock,
): number {
  const nowMs = clock.nowMs();
  return Math.min(vault.oldestIdentityMs() ?? nowMs, nowMs) - linkageDays * DAY_MS;
}
