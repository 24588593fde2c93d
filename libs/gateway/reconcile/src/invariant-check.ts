/**
 * Invariants of the gateway, asserted at run time over its tables.
 * Decides what may never be seen: a job that is neither open nor at its end, a state that went
 * back, an end that is told twice or never, a result in the PACS without its journal row.
 * Invariants: it only reads, in batches; a violation is told with counts, never repaired here.
 * Source: reliability specification 2 (invariants asserted at run time).
 */
import { pollingStage, Wake, type Clock, type Stage } from '@aifi/shared-kernel';
import type { GatewayDatabase, Sql } from '@aifi/gateway-database';
import type { Logger } from '@aifi/shared-observability';

const HOUR_MS = 3_600_000;
/** Journal rows of one look: a day of a large hospital. */
const MOVES_MAX = 200_000;
const TERMINAL = `('RESULT_IN_PACS', 'NOT_ANALYSED_NOTIFIED', 'NOT_ELIGIBLE_LOGGED')`;

/** How far a state is; held and quarantined jobs stand beside the way until somebody decides. */
const RANK = `CASE detail ->> '$.state' WHEN 'SELECTED' THEN 0 WHEN 'SPOOLED' THEN 1
  WHEN 'UPLOADED' THEN 2 WHEN 'RETURNED' THEN 3 WHEN 'REIDENTIFIED' THEN 4 WHEN 'HELD' THEN 5
  WHEN 'QUARANTINED' THEN 5 ELSE 9 END`;
/** The ways back that are allowed: a person's two, and that of a held job which is explained. */
const WAYS_BACK = `('reopened', 'resumed')`;

/** Moves of the jobs that moved after ?1, each with the one before. */
const MOVES = `
WITH moved AS (SELECT DISTINCT job_id FROM journal WHERE sequence > ?1 AND sequence <= ?2
    AND job_id IS NOT NULL),
 move AS (SELECT job_id, event, sequence, ${RANK} AS rank,
    LAG(${RANK}) OVER (PARTITION BY job_id ORDER BY sequence) AS previous,
    SUM(event IN ${WAYS_BACK}) OVER (PARTITION BY job_id ORDER BY sequence) AS life
   FROM journal JOIN moved USING (job_id) WHERE detail ->> '$.state' IS NOT NULL)`;

/** Each gives the number of violations; ?1 and ?2 are the journal rows to look at. */
const RULES = {
  'job-neither-open-nor-ended': `SELECT COUNT(*) AS n FROM job
    WHERE (state IN ${TERMINAL}) <> (terminal_ms IS NOT NULL) AND ?1 <= ?2`,
  'job-without-beginning': `SELECT COUNT(*) AS n FROM job WHERE ?1 <= ?2 AND NOT EXISTS
    (SELECT 1 FROM journal j WHERE j.job_id = job.job_id)`,
  'state-went-back': `${MOVES} SELECT COUNT(*) AS n FROM move
    WHERE rank <= previous AND event NOT IN ${WAYS_BACK}`,
  'end-told-twice': `${MOVES} SELECT COUNT(*) AS n FROM
    (SELECT 1 FROM move WHERE rank = 9 GROUP BY job_id, life HAVING COUNT(*) > 1)`,
  'end-never-told': `SELECT COUNT(*) AS n FROM job WHERE state IN ${TERMINAL} AND ?1 <= ?2
    AND NOT EXISTS (SELECT 1 FROM journal j WHERE j.job_id = job.job_id
      AND j.detail ->> '$.state' = job.state)`,
  'result-in-pacs-without-record': `SELECT COUNT(*) AS n FROM job
    WHERE state = 'RESULT_IN_PACS' AND ?1 <= ?2 AND NOT EXISTS (SELECT 1 FROM journal j
      WHERE j.job_id = job.job_id AND j.event = 'delivered')`,
} as const;
export type GatewayRule = keyof typeof RULES | 'store-without-audit-record';

export interface GatewayInvariantDependencies {
  readonly database: GatewayDatabase;
  /** PACS stores of the journal up to the place that was read, which have no audit record. */
  readonly unaudited: () => number;
  readonly clock: Clock;
  readonly logger: Logger;
}
export interface InvariantState<Rule extends string> {
  /** Null: not looked yet. */
  readonly atMs: number | null;
  readonly accepted: number;
  readonly open: number;
  readonly terminal: number;
  readonly violations: Readonly<Record<Rule, number>>;
}

export class GatewayInvariants {
  readonly stage: Stage;
  #sequence = 0;
  #state: InvariantState<GatewayRule> = {
    ...{ atMs: null, accepted: 0, open: 0, terminal: 0 },
    violations: noViolations(),
  };

  constructor(private readonly dependencies: GatewayInvariantDependencies) {
    const { clock, logger } = dependencies;
    this.stage = pollingStage({
      name: 'invariants',
      ...{ clock, wake: new Wake(), intervalMs: HOUR_MS },
      onFault: (error) => logger.fault('invariants could not be checked', error),
      runOnce: () => {
        this.check();
        return Promise.resolve(0);
      },
    });
  }

  /** Of the last look. */
  readonly state = (): InvariantState<GatewayRule> => this.#state;

  /** Looks once; what was found of the history stays counted until the process ends. */
  check(): InvariantState<GatewayRule> {
    const { database, unaudited, clock, logger } = this.dependencies;
    const before = this.#state.violations;
    const seen = database.read((sql) => this.#look(sql));
    const violations = { ...seen.violations, 'store-without-audit-record': unaudited() };
    for (const rule of ['state-went-back', 'end-told-twice'] as const) {
      violations[rule] += before[rule];
    }
    this.#sequence = seen.last;
    this.#state = { ...seen.counts, atMs: clock.nowMs(), violations };
    for (const [rule, count] of Object.entries(violations)) {
      if (count > 0) logger.error('an invariant is broken', { status: rule, count });
    }
    return this.#state;
  }

  #look(sql: Sql) {
    const last = Number(
      sql.get<{ last: number | null }>('SELECT MAX(sequence) AS last FROM journal')!.last ?? 0,
    );
    // Not the years before a start: what they held was looked at then.
    this.#sequence = Math.max(this.#sequence, last - MOVES_MAX);
    const violations = noViolations();
    for (const [rule, statement] of Object.entries(RULES)) {
      const { n } = sql.get<{ n: number }>(statement, this.#sequence, last)!;
      violations[rule as keyof typeof RULES] = n;
    }
    const counts = sql.get<{ accepted: number; open: number; terminal: number }>(
      `SELECT COUNT(*) AS accepted, COUNT(*) FILTER (WHERE state NOT IN ${TERMINAL}) AS open,
         COUNT(*) FILTER (WHERE state IN ${TERMINAL}) AS terminal FROM job`,
    )!;
    return { last, violations, counts };
  }
}

function noViolations(): Record<GatewayRule, number> {
  const rules: GatewayRule[] = [...(Object.keys(RULES) as (keyof typeof RULES)[])];
  rules.push('store-without-audit-record');
  return Object.fromEntries(rules.map((rule) => [rule, 0])) as Record<GatewayRule, number>;
}
