/**
 * Parts of the gateway that look after it: the clock, reconciliation with the PACS, digests of
 * files, invariants.
 * Decides the wiring, and which results count as stored without a record: journal rows of stores
 * that the audit trail has read past and has no record of.
 * Invariant: the clock is watched before anything is delivered.
 * Source: reliability specification 2 (T-REC, digests, invariants at run time).
 */
import type { GatewayAccess } from '@aifi/gateway-access';
import type { GatewayDatabase } from '@aifi/gateway-database';
import { dimseOptions } from '@aifi/gateway-deliver';
import { DimseScu } from '@aifi/dicom-dimse';
import {
  createDigestStage,
  createReconciliationStage,
  DigestCheck,
  DimseStudyFinder,
  GatewayInvariants,
  ownZone,
  Reconciliation,
  type ClockWatch,
} from '@aifi/gateway-reconcile';
import type { AssociationPermits } from '@aifi/gateway-retrieve';
import type { Clock, Stage } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import type { GatewayConfig } from './gateway-config.js';
import type { Pipeline } from './pipeline.js';

export interface Reconcile {
  /** The PACS is asked what should have come. */
  readonly isOn: boolean;
  readonly clockWatch: Pick<ClockWatch, 'state'>;
  readonly reconciliation: Pick<Reconciliation, 'store' | 'lastRun'>;
  readonly digests: Pick<DigestCheck, 'state'>;
  readonly invariants: Pick<GatewayInvariants, 'state'>;
}
export interface ReconcileParts {
  readonly config: GatewayConfig;
  readonly database: GatewayDatabase;
  readonly access: GatewayAccess;
  readonly clockWatch: ClockWatch;
  readonly currentRules: Pipeline['currentRules'];
  readonly permits: AssociationPermits;
  readonly onChange: () => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function createReconcile(parts: ReconcileParts): {
  readonly reconcile: Reconcile;
  readonly stages: readonly Stage[];
} {
  const { config, database, access, clockWatch, currentRules, onChange, clock, logger } = parts;
  const { missedStudies, digests: digestConfig } = config.reconcile;
  const basics = { database, clock, logger };
  const asking = {
    ...{ ...basics, config: missedStudies, purpose: config.purpose },
    finder: new DimseStudyFinder({
      ...{ scu: scuOf(parts), matchesMax: missedStudies.matchesMax, zone: ownZone },
    }),
    products: () => currentRules()?.rules.products,
  };
  const reconciliation = new Reconciliation(asking);
  const checking = { ...basics, config: digestConfig, onDamage: onChange };
  const digests = new DigestCheck(checking);
  const invariants = new GatewayInvariants({
    ...{ ...basics, unaudited: createUnaudited(database, access) },
  });
  const stages = [
    clockWatch.stage,
    ...(missedStudies.isOn ? [createReconciliationStage(reconciliation, asking)] : []),
    createDigestStage(digests, checking),
    invariants.stage,
  ];
  const { isOn } = missedStudies;
  return { reconcile: { isOn, clockWatch, reconciliation, digests, invariants }, stages };
}

/** Queries go by DIMSE also where results go by DICOMweb: host and port are always set. */
function scuOf({ config, permits, clock }: ReconcileParts): Pick<DimseScu, 'find'> {
  const scu = new DimseScu(dimseOptions(config.pacs, clock));
  return { find: (query, matchesMax) => permits.run(() => scu.find(query, matchesMax)) };
}

/** Journal rows read at once, and how often in one look: the next look goes on from there. */
const [ROWS_MAX, PAGES_MAX] = [2_000, 5];
/** Before a start nothing older is looked at than this. */
const HISTORY_MAX = 200_000;

/** Counts up: a store that has no record stays counted until the process ends. */
function createUnaudited(journal: GatewayDatabase, { database }: GatewayAccess): () => number {
  let [from, count]: [number | undefined, number] = [undefined, 0];
  return () => {
    const row = database.read((sql) =>
      sql.get<{ sequence: number }>('SELECT sequence FROM journal_cursor'),
    );
    const until = row?.sequence ?? 0;
    from ??= Math.max(0, until - HISTORY_MAX);
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const rows = journal.read((sql) =>
        sql.all<{ sequence: number }>(
          `SELECT sequence FROM journal j WHERE sequence > ? AND sequence <= ?
             AND (event IN ('delivered', 'status-delivered')
               OR stage = 'deliver' AND event IN ('refused', 'overdue', 'superseded') AND EXISTS
                 (SELECT 1 FROM delivery d WHERE d.job_id = j.job_id AND d.state = 'VERIFIED'))
             ORDER BY sequence LIMIT ?`,
          ...[from!, until, ROWS_MAX],
        ),
      );
      for (const { sequence } of rows) {
        const record = database.read((sql) =>
          sql.get('SELECT 1 FROM audit_of_journal WHERE journal_sequence = ?', sequence),
        );
        if (!record) count += 1;
      }
      from = rows.length < ROWS_MAX ? until : rows.at(-1)!.sequence;
      if (rows.length < ROWS_MAX) break;
    }
    return count;
  };
}
