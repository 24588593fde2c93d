/**
 * Invariants of the gateway, asserted at run time over its tables.
 * Decides what may never be seen: a job that is neither open nor at its end, a state that went
 * back, an end that is told twice or never, a result in the PACS without its journal row.
 * Invariants: it only reads, in slices with a turn of the event loop between them, since images
 * come in meanwhile; a violation is told with counts and once, never repaired here.
 * Source: reliability specification 2 (invariants asserted at run time).
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pollingStage, Wake, type Clock, type Stage } from '@aifi/shared-kernel';
import type { GatewayDatabase, Sql } from '@aifi/gateway-database';
import type { Logger } from '@aifi/shared-observability';

const HOUR_MS = 3_600_000;
/** Journal rows of the first look: a day of a large hospital. */
const MOVES_MAX = 200_000;
/** Rows of one slice: some tens of milliseconds. */
const JOBS_PER_SLICE = 2_000;
const MOVES_PER_SLICE = 1_000;
const TERMINAL = `('RESULT_IN_PACS', 'NOT_ANALYSED_NOTIFIED', 'NOT_ELIGIBLE_LOGGED')`;

/** How far a state is; held and quarantined jobs stand beside the way until somebody decides. */
const RANK = `CASE detail ->> '$.state' WHEN 'SELECTED' THEN 0 WHEN 'SPOOLED' THEN 1
  WHEN 'UPLOADED' THEN 2 WHEN 'RETURNED' THEN 3 WHEN 'REIDENTIFIED' THEN 4 WHEN 'HELD' THEN 5
  WHEN 'QUARANTINED' THEN 5 ELSE 9 END`;
/** The ways back that are allowed: see the journal. */
const WAYS_BACK = `('reopened', 'resumed', 'selected-again', 'rewound')`;

/** Moves up to ?2 of the jobs that moved after ?1, each with the one before. */
const MOVES = `
WITH moved AS (SELECT DISTINCT job_id FROM journal WHERE sequence > ?1 AND sequence <= ?2
    AND job_id IS NOT NULL),
 move AS (SELECT job_id, event, sequence, ${RANK} AS rank,
    LAG(${RANK}) OVER (PARTITION BY job_id ORDER BY sequence) AS previous,
    SUM(event IN ${WAYS_BACK}) OVER (PARTITION BY job_id ORDER BY sequence) AS life
   FROM journal JOIN moved USING (job_id)
   WHERE sequence <= ?2 AND detail ->> '$.state' IS NOT NULL)`;

/** Each gives the number of violations among the moves after ?1 up to ?2. */
const MOVE_RULES = {
  'state-went-back': `${MOVES} SELECT COUNT(*) AS n FROM move
    WHERE rank <= previous AND event NOT IN ${WAYS_BACK} AND sequence > ?1`,
  'end-told-twice': `${MOVES} SELECT COUNT(*) AS n FROM
    (SELECT 1 FROM move WHERE rank = 9 GROUP BY job_id, life
      HAVING COUNT(*) > 1 AND MAX(sequence) > ?1)`,
} as const;
const SLICE = 'job.rowid > ?1 AND job.rowid <= ?2';
/** Each gives the number of violations among the jobs after ?1 up to ?2. */
const JOB_RULES = {
  'job-neither-open-nor-ended': `SELECT COUNT(*) AS n FROM job
    WHERE ${SLICE} AND (state IN ${TERMINAL}) <> (terminal_ms IS NOT NULL)`,
  'job-without-beginning': `SELECT COUNT(*) AS n FROM job WHERE ${SLICE} AND NOT EXISTS
    (SELECT 1 FROM journal j WHERE j.job_id = job.job_id)`,
  'end-never-told': `SELECT COUNT(*) AS n FROM job WHERE ${SLICE} AND state IN ${TERMINAL}
    AND NOT EXISTS (SELECT 1 FROM journal j WHERE j.job_id = job.job_id
      AND j.detail ->> '$.state' = job.state)`,
  'result-in-pacs-without-record': `SELECT COUNT(*) AS n FROM job
    WHERE ${SLICE} AND state = 'RESULT_IN_PACS' AND NOT EXISTS (SELECT 1 FROM journal j
      WHERE j.job_id = job.job_id AND j.event = 'delivered')`,
} as const;
type MoveRule = keyof typeof MOVE_RULES;
type JobRule = keyof typeof JOB_RULES;
export type GatewayRule = MoveRule | JobRule | 'store-without-audit-record';

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

interface JobCounts {
  readonly accepted: number;
  readonly open: number;
  readonly terminal: number;
}

export class GatewayInvariants {
  readonly stage: Stage;
  /** Journal row up to which the moves were looked at; undefined before the first look. */
  #sequence: number | undefined;
  /** Of the history, since the process began. */
  readonly #ofMoves: Record<MoveRule, number> = { 'state-went-back': 0, 'end-told-twice': 0 };
  #state: InvariantState<GatewayRule> = {
    ...{ atMs: null, accepted: 0, open: 0, terminal: 0 },
    violations: { ...this.#ofMoves, ...noJobViolations(), 'store-without-audit-record': 0 },
  };

  constructor(private readonly dependencies: GatewayInvariantDependencies) {
    const { clock, logger } = dependencies;
    this.stage = pollingStage({
      name: 'invariants',
      ...{ clock, wake: new Wake(), intervalMs: HOUR_MS },
      onFault: (error) => logger.fault('invariants could not be checked', error),
      runOnce: async (signal) => {
        await this.check(signal);
        return 0;
      },
    });
  }

  /** Of the last look. */
  readonly state = (): InvariantState<GatewayRule> => this.#state;

  /**
   * Looks once; what was found of the history stays counted until the process ends. A look that
   * the signal ends says nothing new; the next one goes on in the history where it was.
   */
  async check(signal?: AbortSignal): Promise<InvariantState<GatewayRule>> {
    const { database, unaudited, clock, logger } = this.dependencies;
    while (database.read((sql) => this.#lookAtMoves(sql))) {
      await nextTurn();
      if (signal?.aborted) return this.#state;
    }
    const jobs = new JobLook();
    while (database.read((sql) => jobs.slice(sql))) {
      await nextTurn();
      if (signal?.aborted) return this.#state;
    }
    const violations = {
      ...{ ...this.#ofMoves, ...jobs.violations },
      'store-without-audit-record': unaudited(),
    };
    this.#state = { ...jobs.counts, atMs: clock.nowMs(), violations };
    for (const [rule, count] of Object.entries(violations)) {
      if (count > 0) logger.error('an invariant is broken', { status: rule, count });
    }
    return this.#state;
  }

  /** One slice of the history; true while there is more. */
  #lookAtMoves(sql: Sql): boolean {
    const last =
      sql.get<{ last: number | null }>('SELECT MAX(sequence) AS last FROM journal')!.last ?? 0;
    // Not the years before a start: what they held was looked at then.
    const from = (this.#sequence ??= Math.max(0, last - MOVES_MAX));
    const until = Math.min(last, from + MOVES_PER_SLICE);
    const found = violationsOf(sql, MOVE_RULES, from, until);
    this.#sequence = Math.max(from, until);
    for (const rule of rulesOf(MOVE_RULES)) this.#ofMoves[rule] += found[rule];
    return until < last;
  }
}

/** All jobs once, slice by slice: a job is looked at with its own rows, as they are then. */
class JobLook {
  readonly violations = noJobViolations();
  counts: JobCounts = { accepted: 0, open: 0, terminal: 0 };
  #from = 0;

  /** True while there is more. */
  slice(sql: Sql): boolean {
    const { until } = sql.get<{ until: number | null }>(
      `SELECT MAX(position) AS until FROM (SELECT rowid AS position FROM job WHERE rowid > ?
         ORDER BY rowid LIMIT ${JOBS_PER_SLICE})`,
      this.#from,
    )!;
    if (until === null) return false;
    const found = violationsOf(sql, JOB_RULES, this.#from, until);
    for (const rule of rulesOf(JOB_RULES)) this.violations[rule] += found[rule];
    const { accepted, open, terminal } = sql.get<JobCounts & object>(
      `SELECT COUNT(*) AS accepted, COUNT(*) FILTER (WHERE state NOT IN ${TERMINAL}) AS open,
         COUNT(*) FILTER (WHERE state IN ${TERMINAL}) AS terminal FROM job WHERE ${SLICE}`,
      ...[this.#from, until],
    )!;
    const { counts } = this;
    this.counts = {
      ...{ accepted: counts.accepted + accepted, open: counts.open + open },
      terminal: counts.terminal + terminal,
    };
    this.#from = until;
    return true;
  }
}

const rulesOf = <Rule extends string>(rules: Readonly<Record<Rule, string>>): Rule[] =>
  Object.keys(rules) as Rule[];

function violationsOf<Rule extends string>(
  sql: Sql,
  rules: Readonly<Record<Rule, string>>,
  from: number,
  until: number,
): Record<Rule, number> {
  const counted = rulesOf(rules).map((rule) => {
    const { n } = sql.get<{ n: number }>(rules[rule], from, until)!;
    return [rule, n] as const;
  });
  return Object.fromEntries(counted) as Record<Rule, number>;
}

function noJobViolations(): Record<JobRule, number> {
  return Object.fromEntries(rulesOf(JOB_RULES).map((rule) => [rule, 0])) as Record<JobRule, number>;
}
