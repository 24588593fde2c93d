/**
 * RetrievalStore: studies to be fetched, and what became of them.
 * Decides that a study is fetched once at a time: who asks again gets the same retrieval; and that
 * what is asked to be run on it is on record before its first image comes.
 * Invariants: an end is final; bounded rows; no patient attribute.
 * Source: features 4; reliability specification H15.
 */
import { requestProduct, type GatewayDatabase, type Sql } from '@aifi/gateway-database';
import { AifiError } from '@aifi/shared-kernel';
import type { RetrievalReason } from './archive.js';
import { codeOf } from './retrieval-wait.js';
import type { Here } from './study-gap.js';

export type RetrievalCause = 'by-hand' | 'missed' | 'order' | 'prior' | 'rule';
export type RetrievalState = 'QUEUED' | 'DONE' | 'FAILED';

export interface RetrievalRequest {
  readonly studyUid: string;
  readonly seriesUid?: string | undefined;
  readonly cause: RetrievalCause;
  /** To be run on the study by name, and who says so. */
  readonly product?: string | undefined;
  readonly source?: 'page' | 'command-line' | 'order' | 'rule' | undefined;
}
export interface Retrieval {
  readonly retrieval_id: number;
  readonly study_uid: string;
  readonly series_uid: string | null;
  readonly cause: RetrievalCause;
  readonly product: string | null;
  readonly state: RetrievalState;
  readonly code: string | null;
  readonly reason: RetrievalReason | null;
  readonly attempts: number;
  readonly next_attempt_ms: number;
  readonly expected: number | null;
  readonly received: number | null;
  readonly created_ms: number;
  readonly ended_ms: number | null;
}
export interface Counts {
  readonly expected: number;
  readonly received: number;
}

/** Ended rows that are kept. */
const ENDED_ROWS_MAX = 10_000;
/** @unit ms */
const ENDED_KEPT_MS = 90 * 86_400_000;
/** Missed studies that are queued at once. */
const MISSED_MAX = 100;

export class RetrievalStore {
  constructor(
    private readonly database: GatewayDatabase,
    private readonly queueMax: number,
  ) {}

  /** Ids in the order of the requests. LIMIT_EXCEEDED, and nothing of it, when too much waits. */
  queue(requests: readonly RetrievalRequest[], atMs: number): Promise<number[]> {
    return this.database.write((sql) => requests.map((request) => this.#queue(sql, request, atMs)));
  }

  #queue(sql: Sql, request: RetrievalRequest, atMs: number): number {
    const { studyUid, seriesUid, cause, product, source } = request;
    if (product !== undefined && source !== undefined) {
      requestProduct(sql, { studyUid, product, source, atMs });
    }
    const open = sql.get<{ retrieval_id: number }>(
      `SELECT retrieval_id FROM retrieval WHERE study_uid = ? AND state = 'QUEUED'`,
      studyUid,
    );
    if (open) {
      // Whoever asks is the reason to look again now; a study is more than one of its series.
      sql.run(
        `UPDATE retrieval SET next_attempt_ms = MIN(next_attempt_ms, ?1),
           product = COALESCE(product, ?2),
           series_uid = CASE WHEN series_uid = ?3 THEN series_uid END
         WHERE retrieval_id = ?4`,
        ...[atMs, product ?? null, seriesUid ?? null, open.retrieval_id],
      );
      return open.retrieval_id;
    }
    if (countOpen(sql) >= this.queueMax) {
      throw new AifiError('LIMIT_EXCEEDED', 'too many studies wait to be fetched');
    }
    return sql.insert(
      `INSERT INTO retrieval (study_uid, series_uid, cause, product, state, next_attempt_ms,
         created_ms) VALUES (?1, ?2, ?3, ?4, 'QUEUED', ?5, ?5)`,
      ...[studyUid, seriesUid ?? null, cause, product ?? null, atMs],
    );
  }

  /** What people asked for goes first, then what waits longest. */
  nextDue(nowMs: number): Retrieval | undefined {
    return this.database.read((sql) =>
      sql.get<Retrieval & object>(
        `SELECT * FROM retrieval WHERE state = 'QUEUED' AND next_attempt_ms <= ?
         ORDER BY cause <> 'by-hand', next_attempt_ms, retrieval_id LIMIT 1`,
        nowMs,
      ),
    );
  }
  get(id: number): Retrieval | undefined {
    return this.database.read((sql) =>
      sql.get<Retrieval & object>('SELECT * FROM retrieval WHERE retrieval_id = ?', id),
    );
  }

  /** A fetch begins: counted before, so that one which ends this process is bounded as well. */
  async begin(id: number, counts: Counts): Promise<void> {
    await this.database.write((sql) =>
      sql.run(
        `UPDATE retrieval SET attempts = attempts + 1, expected = ?, received = ?
         WHERE retrieval_id = ?`,
        ...[counts.expected, counts.received, id],
      ),
    );
  }
  /** `isUncounted`: the fetch that was begun was broken off by ourselves. */
  async postpone(
    id: number,
    reason: RetrievalReason,
    { atMs, counts, isUncounted }: { atMs: number; counts?: Counts; isUncounted?: boolean },
  ): Promise<void> {
    await this.database.write((sql) =>
      sql.run(
        `UPDATE retrieval SET next_attempt_ms = ?1, code = ?2, reason = ?3,
           expected = COALESCE(?4, expected), received = COALESCE(?5, received),
           attempts = attempts - ?6
         WHERE retrieval_id = ?7 AND state = 'QUEUED'`,
        ...[atMs, codeOf(reason), reason, counts?.expected ?? null, counts?.received ?? null],
        ...[isUncounted ? 1 : 0, id],
      ),
    );
  }
  /** `reason` undefined: all is here. False when it had ended already. */
  async end(
    id: number,
    reason: RetrievalReason | undefined,
    { atMs, counts }: { atMs: number; counts?: Counts | undefined },
  ): Promise<boolean> {
    const changed = await this.database.write((sql) => {
      sql.run(
        `DELETE FROM retrieval WHERE state <> 'QUEUED' AND (ended_ms < ?1 OR retrieval_id <=
           (SELECT retrieval_id FROM retrieval WHERE state <> 'QUEUED'
             ORDER BY retrieval_id DESC LIMIT 1 OFFSET ?2))`,
        ...[atMs - ENDED_KEPT_MS, ENDED_ROWS_MAX],
      );
      return sql.run(
        `UPDATE retrieval SET state = ?1, code = ?2, reason = ?3, ended_ms = ?4,
           expected = COALESCE(?5, expected), received = COALESCE(?6, received)
         WHERE retrieval_id = ?7 AND state = 'QUEUED'`,
        ...[reason === undefined ? 'DONE' : 'FAILED', reason === undefined ? null : codeOf(reason)],
        ...[reason ?? null, atMs, counts?.expected ?? null, counts?.received ?? null, id],
      );
    });
    return changed === 1;
  }

  /** Newest first, after `before` (the last of the page before). */
  list(page: {
    readonly limit: number;
    readonly before?: number | undefined;
    readonly state?: RetrievalState | undefined;
  }): Retrieval[] {
    const { limit, before = Number.MAX_SAFE_INTEGER, state } = page;
    return this.database.read((sql) =>
      sql.all<Retrieval & object>(
        `SELECT * FROM retrieval WHERE retrieval_id < ?1 AND (?2 IS NULL OR state = ?2)
         ORDER BY retrieval_id DESC LIMIT ?3`,
        ...[before, state ?? null, limit],
      ),
    );
  }
  countOpen(): number {
    return this.database.read(countOpen);
  }

  counts(): Readonly<Record<RetrievalState, number>> {
    const rows = this.database.read((sql) =>
      sql.all<{ state: RetrievalState; n: number }>(
        'SELECT state, COUNT(*) AS n FROM retrieval GROUP BY state',
      ),
    );
    const none = { QUEUED: 0, DONE: 0, FAILED: 0 };
    return { ...none, ...Object.fromEntries(rows.map(({ state, n }) => [state, n])) };
  }

  /** Instances that came, whether their files are still kept or not. */
  here(studyUid: string): Here {
    const rows = this.database.read((sql) =>
      sql.all<{ series_uid: string; sop_instance_uid: string }>(
        `SELECT DISTINCT series_uid, sop_instance_uid FROM instance JOIN study USING (study_id)
          WHERE study_uid = ?`,
        studyUid,
      ),
    );
    const here = new Map<string, Set<string>>();
    for (const row of rows) {
      const series = here.get(row.series_uid) ?? new Set();
      here.set(row.series_uid, series.add(row.sop_instance_uid));
    }
    return here;
  }
  /** Series that we made and the PACS holds. */
  ownSeries(studyUid: string): ReadonlySet<string> {
    const rows = this.database.read((sql) =>
      sql.all<{ series_uid: string }>(
        `SELECT d.series_uid FROM delivery d JOIN job USING (job_id) JOIN study USING (study_id)
          WHERE study_uid = ?1
         UNION SELECT s.series_uid FROM status_object s JOIN study USING (study_id)
          WHERE study_uid = ?1
         UNION SELECT series_uid FROM returned_object WHERE study_uid = ?1`,
        studyUid,
      ),
    );
    return new Set(rows.map((row) => row.series_uid));
  }

  /** Studies on the list of reconciliation that nobody has tried to fetch since they are on it. */
  missed(): string[] {
    const rows = this.database.read((sql) =>
      sql.all<{ study_uid: string }>(
        `SELECT m.study_uid FROM missed_study m WHERE m.state = 'OPEN' AND NOT EXISTS
           (SELECT 1 FROM retrieval r WHERE r.study_uid = m.study_uid
             AND (r.state = 'QUEUED' OR r.created_ms >= m.found_ms))
         ORDER BY m.missed_id LIMIT ?`,
        MISSED_MAX,
      ),
    );
    return rows.map((row) => row.study_uid);
  }
  /** True: nothing of it ever came, and nobody has tried to fetch it. */
  isUnknown(studyUid: string): boolean {
    const row = this.database.read((sql) =>
      sql.get(
        `SELECT 1 FROM study WHERE study_uid = ?1
         UNION ALL SELECT 1 FROM retrieval WHERE study_uid = ?1 LIMIT 1`,
        studyUid,
      ),
    );
    return row === undefined;
  }
}

const countOpen = (sql: Sql): number =>
  sql.get<{ n: number }>(`SELECT COUNT(*) AS n FROM retrieval WHERE state = 'QUEUED'`)!.n;
