/**
 * What a vault holds, in numbers: for whoever looks after it.
 * Decides that a look shows how much there is and never of whom. Invariant: counts only.
 * Source: reliability specification 8.9 (operation); docs/runbooks/keys-and-vault.md.
 */
import type { Sql } from '@aifi/gateway-database';

export interface VaultCounts {
  /** Jobs whose linkage is kept. */
  readonly linkages: number;
  /** Studies whose identities are kept. */
  readonly studies: number;
  /** Results on the register. */
  readonly results: number;
  readonly acts: number;
  /** Erasures of patients that this database has applied. */
  readonly erasures: number;
}

export function countsOf(sql: Sql): VaultCounts {
  return sql.get<VaultCounts & object>(`SELECT
    (SELECT count(*) FROM linkage WHERE data_key IS NOT NULL) AS linkages,
    (SELECT count(DISTINCT study_index) FROM identity_history) AS studies,
    (SELECT count(*) FROM result_register WHERE data_key IS NOT NULL) AS results,
    (SELECT count(*) FROM vault_act) AS acts,
    (SELECT count(*) FROM erasure_applied) AS erasures`)!;
}
