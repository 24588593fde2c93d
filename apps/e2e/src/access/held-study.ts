/**
 * A study that a person has to look at, in the gateway's rows: as if it had come once more, and the
 * pixel gate had held it. Decides that it is a revision and a job of its own, so that the hub takes
 * it as new work. Invariant: the gateway runs meanwhile; SQLite in WAL mode takes a second writer.
 */
import { randomBytes } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import type { Hospital } from '@aifi/demo';

/** Statements of the gateway that this one waits for. @unit ms */
const BUSY_MS_MAX = 10_000;

function withDatabase<T>({ gatewayFolder }: Hospital, work: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(join(gatewayFolder, 'gateway.db'), { timeout: BUSY_MS_MAX });
  try {
    return work(database);
  } finally {
    database.close();
  }
}

/** Holds the images of a product's series, with one mark each; the id of the job. */
export function holdStudy(hospital: Hospital, studyInstanceUid: string): string {
  const jobId = randomBytes(16).toString('hex');
  const findings = JSON.stringify([{ frame: 0, x: 40, y: 40, width: 400, height: 60 }]);
  withDatabase(hospital, (database) => {
    const row = database
      .prepare(
        `SELECT j.job_id AS job, j.study_id AS study, j.series_uid AS series, s.revision
         FROM job j JOIN study s USING (study_id)
         WHERE s.study_uid = ? AND j.state = 'RESULT_IN_PACS' LIMIT 1`,
      )
      .get(studyInstanceUid);
    if (!row) throw new Error('no result of this study is in the PACS');
    const revision = Number(row['revision']) + 1;
    const [study, series, nowMs] = [row['study']!, row['series']!, Date.now()];
    database.exec('BEGIN IMMEDIATE');
    database.prepare('UPDATE study SET revision = ? WHERE study_id = ?').run(revision, study);
    database
      .prepare(`INSERT INTO study_revision VALUES (?, ?, ?, 'SELECTED')`)
      .run(study, revision, nowMs);
    database
      .prepare(
        `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
           series_uid, rule_set_sha256, attestations, state, code, detail, created_ms,
           deidentification)
         SELECT ?, study_id, ?, product, product_version, model_digest, lane, series_uid,
           rule_set_sha256, attestations, 'QUARANTINED', 'QUARANTINED_PIXELS', 'text was seen', ?,
           deidentification
         FROM job WHERE job_id = ?`,
      )
      .run(jobId, revision, nowMs, row['job']!);
    database
      .prepare(
        `INSERT INTO pixel_hold (job_id, sha256, reason, findings, state, held_ms)
         SELECT ?, sha256, 'text was seen', ?, 'WAITING', ? FROM instance
         WHERE study_id = ? AND series_uid = ? AND removed_ms IS NULL`,
      )
      .run(jobId, findings, nowMs, study, series);
    database.exec('COMMIT');
  });
  return jobId;
}

/** State of the job, and how many of its images wait. */
export function stateOfHeld(hospital: Hospital, jobId: string): readonly unknown[] {
  return withDatabase(hospital, (database) => {
    const row = database
      .prepare(
        `SELECT state, (SELECT COUNT(*) FROM pixel_hold h
           WHERE h.job_id = job.job_id AND h.state = 'WAITING') AS waiting
         FROM job WHERE job_id = ?`,
      )
      .get(jobId);
    return [row?.['state'], row?.['waiting']];
  });
}
