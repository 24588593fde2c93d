/**
 * Vault retention: linkages and registered results leave the vault when their time is over.
 * Decides when the vault is asked, and that the linkage of a job that is not at its end stays.
 * Invariant: what goes is crypto-erased by the vault itself, with its act on record.
 * Source: reliability specification 2 ("Deletion rules"); pseudonymisation specification 1.3.
 */
import type { GatewayDatabase } from '@aifi/gateway-database';
import type { Vault } from '@aifi/gateway-vault';
import { pollingStage, Wake, type Clock, type JobId, type Stage } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';

/** Rows stay for months, so minutes do not matter. @unit ms */
const LOOK_MS = 3_600_000;

export interface VaultRetentionDependencies {
  readonly vault: Pick<Vault, 'expire'>;
  readonly database: GatewayDatabase;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function createVaultRetention(dependencies: VaultRetentionDependencies): Stage {
  const { vault, database, clock, logger } = dependencies;
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
      return 0;
    },
  });
}
