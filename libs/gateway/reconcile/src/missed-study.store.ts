/**
 * MissedStudyStore: studies that the PACS has and the gateway has not, or not whole.
 * Decides what counts as here: images that were received, whether their files are still kept or
 * not; results that we put into the PACS ourselves are not expected back.
 * Invariants: a study is named once; what came after all closes by itself, a dismissal is final;
 * no patient attribute. Source: reliability specification 2 (T-REC).
 */
import type { GatewayDatabase, Sql } from '@aifi/gateway-database';

export interface MissedStudy {
  readonly id: number;
  readonly studyUid: string;
  readonly kind: 'MISSED' | 'PARTLY';
  readonly modalities: readonly string[];
  readonly products: readonly string[];
  readonly studyMs: number;
  readonly foundMs: number;
  /** In the series that a product could take: as the PACS counts, and as they came. */
  readonly expected: number;
  readonly received: number;
}
export interface FoundMissing {
  readonly studyUid: string;
  readonly studyMs: number;
  readonly modalities: readonly string[];
  readonly products: readonly string[];
  /** Instances that the PACS counts, at least one, of each series a product could take. */
  readonly series: ReadonlyMap<string, number>;
}
/** Images here, by series. */
export type Received = ReadonlyMap<string, number>;

/** Series kept in a row; a study with more is missed all the same. */
const SERIES_MAX = 200;
/** Rows kept in all: beyond this the list says nothing that a person could work through. */
const ROWS_MAX = 10_000;
/** Closed rows are kept so long, so that a dismissed study is not found anew. @unit ms */
const CLOSED_KEPT_MS = 7 * 86_400_000;

interface Row {
  readonly missed_id: number;
  readonly study_uid: string;
  readonly kind: 'MISSED' | 'PARTLY';
  readonly series: string;
  readonly modalities: string;
  readonly products: string;
  readonly study_ms: number;
  readonly found_ms: number;
}

export class MissedStudyStore {
  constructor(private readonly database: GatewayDatabase) {}

  received(studyUid: string): Received {
    return this.database.read((sql) => receivedOf(sql, studyUid));
  }

  /** Series that we made and the PACS holds. */
  ownSeries(studyUid: string): ReadonlySet<string> {
    const rows = this.database.read((sql) =>
      sql.all<{ series_uid: string }>(
        `SELECT d.series_uid FROM delivery d JOIN job USING (job_id) JOIN study USING (study_id)
          WHERE study_uid = ?1
         UNION SELECT s.series_uid FROM status_object s JOIN study USING (study_id)
          WHERE study_uid = ?1`,
        studyUid,
      ),
    );
    return new Set(rows.map((row) => row.series_uid));
  }

  /** Puts studies on the list; how many were not there yet. Closed ones stay closed. */
  found(studies: readonly FoundMissing[], atMs: number): Promise<number> {
    if (studies.length === 0) return Promise.resolve(0);
    return this.database.write((sql) => {
      const before = countOpen(sql);
      for (const study of studies) {
        const series = Object.fromEntries([...study.series].slice(0, SERIES_MAX));
        const here = countIn(study.series, receivedOf(sql, study.studyUid));
        sql.run(
          `INSERT INTO missed_study (study_uid, kind, state, series, modalities, products, study_ms,
             found_ms) VALUES (?, ?, 'OPEN', ?, ?, ?, ?, ?)
           ON CONFLICT (study_uid) DO UPDATE SET series = excluded.series, kind = excluded.kind
             WHERE state = 'OPEN'`,
          ...[study.studyUid, here === 0 ? 'MISSED' : 'PARTLY', JSON.stringify(series)],
          ...[JSON.stringify(study.modalities), JSON.stringify(study.products)],
          ...[study.studyMs, atMs],
        );
      }
      sql.run(
        `DELETE FROM missed_study WHERE missed_id <=
           (SELECT missed_id FROM missed_study ORDER BY missed_id DESC LIMIT 1 OFFSET ?)`,
        ROWS_MAX,
      );
      return countOpen(sql) - before;
    });
  }

  /** Closes what has come after all, and forgets what was closed long ago. */
  settle(atMs: number): Promise<number> {
    return this.database.write((sql) => {
      let settled = 0;
      for (const row of openRows(sql, { limit: ROWS_MAX })) {
        const expected = seriesOf(row);
        const here = receivedOf(sql, row.study_uid);
        const isWhole = [...expected].every(([uid, count]) => (here.get(uid) ?? 0) >= count);
        if (!isWhole) continue;
        settled += sql.run(
          `UPDATE missed_study SET state = 'RECEIVED', decided_ms = ? WHERE missed_id = ?`,
          ...[atMs, row.missed_id],
        );
      }
      sql.run(
        `DELETE FROM missed_study WHERE state <> 'OPEN' AND decided_ms < ?`,
        atMs - CLOSED_KEPT_MS,
      );
      return settled;
    });
  }

  /** Open ones, newest first, after `before` (the last of the page before). */
  list({ limit, before }: { limit: number; before?: number | undefined }): MissedStudy[] {
    return this.database.read((sql) =>
      openRows(sql, { limit, before }).map((row) => {
        const series = seriesOf(row);
        return {
          ...{ id: row.missed_id, studyUid: row.study_uid, kind: row.kind },
          modalities: JSON.parse(row.modalities) as string[],
          products: JSON.parse(row.products) as string[],
          ...{ studyMs: row.study_ms, foundMs: row.found_ms },
          expected: [...series.values()].reduce((sum, count) => sum + count, 0),
          received: countIn(series, receivedOf(sql, row.study_uid)),
        };
      }),
    );
  }

  count(): number {
    return this.database.read(countOpen);
  }

  /** UID of an open one. */
  find(id: number): string | undefined {
    return this.database.read((sql) =>
      sql.get<{ study_uid: string }>(
        `SELECT study_uid FROM missed_study WHERE missed_id = ? AND state = 'OPEN'`,
        id,
      ),
    )?.study_uid;
  }

  /** True when it was open; a repetition changes nothing. */
  async dismiss(id: number, atMs: number): Promise<boolean> {
    const changed = await this.database.write((sql) =>
      sql.run(
        `UPDATE missed_study SET state = 'DISMISSED', decided_ms = ?
         WHERE missed_id = ? AND state = 'OPEN'`,
        ...[atMs, id],
      ),
    );
    return changed === 1;
  }
}

function openRows(
  sql: Sql,
  { limit, before }: { limit: number; before?: number | undefined },
): Row[] {
  return sql.all<Row>(
    `SELECT * FROM missed_study WHERE state = 'OPEN' AND missed_id < ?
     ORDER BY missed_id DESC LIMIT ?`,
    ...[before ?? Number.MAX_SAFE_INTEGER, limit],
  );
}

const countOpen = (sql: Sql): number =>
  sql.get<{ n: number }>(`SELECT COUNT(*) AS n FROM missed_study WHERE state = 'OPEN'`)!.n;

/** Two copies of one image with other bytes are one image. */
function receivedOf(sql: Sql, studyUid: string): Map<string, number> {
  const rows = sql.all<{ series_uid: string; n: number }>(
    `SELECT series_uid, COUNT(DISTINCT sop_instance_uid) AS n FROM instance JOIN study
       USING (study_id) WHERE study_uid = ? GROUP BY series_uid`,
    studyUid,
  );
  return new Map(rows.map((row) => [row.series_uid, row.n]));
}

const seriesOf = ({ series }: Row): Map<string, number> =>
  new Map(Object.entries(JSON.parse(series) as Record<string, number>));

function countIn(series: ReadonlyMap<string, number>, received: Received): number {
  return [...series.keys()].reduce((sum, uid) => sum + (received.get(uid) ?? 0), 0);
}
