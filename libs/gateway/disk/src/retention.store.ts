/**
 * RetentionStore: which files of the gateway are owed to nobody any more, and the rows that say so.
 * Decides that a study ends as a whole: every job terminal and told, everything for the PACS
 * verified there, no dead letter, and nothing has happened to it for the time to keep.
 * Invariants: row first, file second, so no row claims a file that retention removed; what is to be
 * removed is on record until it is, so a crash in between is healed at the next run.
 * Source: reliability specification 2 ("Deletion rules").
 */
import { dirname } from 'node:path';
import { recordJournal, type GatewayDatabase, type Sql } from '@aifi/gateway-database';

/** Studies of one look, and files of one transaction: neither blocks the others for long. */
const STUDIES_MAX = 50;
const FILES_MAX = 1_000;
const KEY = 'disk.removing';

/** What is marked as removed and has to go. */
export interface Removal {
  readonly files: readonly string[];
  /** Folders that are left empty, or hold only what a crash left there. */
  readonly folders: readonly string[];
}
export interface Marking {
  /** Nothing has happened to the study since. */
  readonly untilMs: number;
  readonly atMs: number;
  /** `results`: what was received stays. */
  readonly what: 'all' | 'results';
}
interface Marked {
  readonly path: string;
}
interface Counts {
  readonly instances: number;
  readonly results: number;
  readonly statusObjects: number;
  readonly outcomes: number;
}

/** Nothing is owed for the study, and nothing has happened to it since `?1`. */
const SETTLED = `
  study.last_received_ms <= ?1
  AND NOT EXISTS (SELECT 1 FROM instance i WHERE i.study_id = study.study_id AND i.revision IS NULL)
  AND NOT EXISTS (SELECT 1 FROM study_revision r WHERE r.study_id = study.study_id
    AND r.state = 'ASSEMBLED')
  AND NOT EXISTS (SELECT 1 FROM job j WHERE j.study_id = study.study_id
    AND (j.terminal_ms IS NULL
      OR (j.told_issue IS NULL AND j.state IN ('RESULT_IN_PACS', 'NOT_ANALYSED_NOTIFIED'))))
  AND NOT EXISTS (SELECT 1 FROM job j JOIN delivery d USING (job_id)
    WHERE j.study_id = study.study_id AND d.state = 'DEAD')
  AND NOT EXISTS (SELECT 1 FROM status_object s WHERE s.study_id = study.study_id
    AND s.state IN ('QUEUED', 'STORED', 'DEAD'))
  AND NOT EXISTS (SELECT 1 FROM journal e WHERE e.study_id = study.study_id AND e.at_ms > ?1
    AND e.event <> 'removed')`;

const WITH_OUTCOME = 'SELECT study_id FROM inbound_object JOIN job USING (job_id)';
/** Studies of which files are here. */
const WITH_FILES: Readonly<Record<Marking['what'], string>> = {
  all: `
    WITH RECURSIVE kept (study_id) AS (
      SELECT (SELECT study_id FROM instance WHERE removed_ms IS NULL ORDER BY study_id LIMIT 1)
      UNION ALL
      SELECT (SELECT i.study_id FROM instance i
         WHERE i.removed_ms IS NULL AND i.study_id > kept.study_id
         ORDER BY i.study_id LIMIT 1)
       FROM kept WHERE kept.study_id IS NOT NULL)
    SELECT study_id FROM kept WHERE study_id IS NOT NULL UNION ${WITH_OUTCOME}`,
  results: `
    ${WITH_OUTCOME}
    UNION SELECT study_id FROM delivery JOIN job USING (job_id) WHERE delivery.removed_ms IS NULL`,
};

export class RetentionStore {
  constructor(private readonly database: GatewayDatabase) {}

  /**
   * Studies with files that may go; a bounded batch. Its cost is that of the studies kept. An
   * outcome that came after its study had gone has files of its own.
   */
  settled({ untilMs, what }: Omit<Marking, 'atMs'>): number[] {
    const rows = this.database.read((sql) =>
      sql.all<{ study_id: number }>(
        `SELECT study_id FROM study
          WHERE study_id IN (${WITH_FILES[what]}) AND ${SETTLED} LIMIT ?2`,
        ...[untilMs, STUDIES_MAX],
      ),
    );
    return rows.map((row) => row.study_id);
  }

  /**
   * Marks files of a study as removed; durable on return. Undefined when it is not settled any
   * more or has none. The images first; results and outcomes go with the last of them.
   */
  mark(studyId: number, { untilMs, atMs, what }: Marking): Promise<Removal | undefined> {
    return this.database.write((sql) => {
      const isSettled = sql.get(
        `SELECT 1 FROM study WHERE study_id = ?2 AND ${SETTLED}`,
        ...[untilMs, studyId],
      );
      if (!isSettled) return undefined;
      const images = what === 'all' ? markImages(sql, studyId, atMs) : [];
      const rest = images.length < FILES_MAX ? markResults(sql, studyId, atMs) : NOTHING;
      const removal = {
        files: [...images, ...rest.files].map(({ path }) => path),
        folders: rest.folders,
      };
      if (removal.files.length === 0) return undefined;
      const detail = { ...rest.counts, instances: images.length };
      recordJournal(sql, { studyId, stage: 'deliver', event: 'removed', atMs, detail });
      sql.run(
        `INSERT INTO setting (key, value) VALUES (?, ?)
           ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
        ...[KEY, Buffer.from(JSON.stringify(removal))],
      );
      return removal;
    });
  }

  /** What a run before has marked and perhaps not removed. */
  open(): Removal | undefined {
    const row = this.database.read((sql) =>
      sql.get<{ value: Uint8Array }>('SELECT value FROM setting WHERE key = ?', KEY),
    );
    return row && (JSON.parse(Buffer.from(row.value).toString()) as Removal);
  }

  /** The files of the last mark are gone. */
  async done(): Promise<void> {
    await this.database.write((sql) => sql.run('DELETE FROM setting WHERE key = ?', KEY));
  }

  /** Dead letters that have waited for a person since before `sinceMs`. */
  deadLetters(sinceMs: number): number {
    return this.database.read((sql) =>
      Number(
        sql.get<{ count: number }>(
          `SELECT (SELECT COUNT(*) FROM delivery WHERE state = 'DEAD' AND dead_ms <= ?1) +
             (SELECT COUNT(*) FROM status_object WHERE state = 'DEAD' AND dead_ms <= ?1)
             AS count`,
          sinceMs,
        )!.count,
      ),
    );
  }
}

interface Rest {
  readonly files: readonly Marked[];
  readonly folders: readonly string[];
  readonly counts: Omit<Counts, 'instances'>;
}
const NOTHING: Rest = {
  files: [],
  folders: [],
  counts: { results: 0, statusObjects: 0, outcomes: 0 },
};

function markImages(sql: Sql, studyId: number, atMs: number): Marked[] {
  return sql.all<Marked>(
    `UPDATE instance SET removed_ms = ?1 WHERE instance_id IN
       (SELECT instance_id FROM instance WHERE study_id = ?2 AND removed_ms IS NULL LIMIT ?3)
     RETURNING path`,
    ...[atMs, studyId, FILES_MAX],
  );
}

function markResults(sql: Sql, studyId: number, atMs: number): Rest {
  const results = sql.all<Marked>(
    `UPDATE delivery SET removed_ms = ?1 WHERE removed_ms IS NULL
       AND job_id IN (SELECT job_id FROM job WHERE study_id = ?2) RETURNING path`,
    ...[atMs, studyId],
  );
  const statusObjects = sql.all<Marked>(
    `UPDATE status_object SET removed_ms = ?1 WHERE study_id = ?2 AND removed_ms IS NULL
     RETURNING path`,
    ...[atMs, studyId],
  );
  // An outcome keeps its manifest with every digest; these rows only say where its bytes lie.
  const outcomes = sql.all<Marked>(
    `DELETE FROM inbound_object WHERE job_id IN (SELECT job_id FROM job WHERE study_id = ?1)
     RETURNING path`,
    studyId,
  );
  return {
    files: [...results, ...statusObjects, ...outcomes],
    folders: [...new Set([...results, ...outcomes].map(({ path }) => dirname(path)))],
    counts: {
      results: results.length,
      statusObjects: statusObjects.length,
      outcomes: outcomes.length,
    },
  };
}
