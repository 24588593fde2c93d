/**
 * A result that the PACS has, made a dead letter in the gateway's rows: as if the PACS had refused
 * it. Decides that nothing else changes, so that sending it again ends where it was.
 * Invariant: the gateway runs meanwhile; SQLite in WAL mode takes a second writer.
 */
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import type { Hospital } from '@aifi/demo';

/** Statements of the gateway that this one waits for. @unit ms */
const BUSY_MS_MAX = 10_000;

function withDatabase<T>({ gatewayFolder }: Hospital, work: (database: DatabaseSync) => T): T {
  const path = join(gatewayFolder, 'gateway.db');
  const database = new DatabaseSync(path, { timeout: BUSY_MS_MAX });
  try {
    return work(database);
  } finally {
    database.close();
  }
}

/** Buries one result of a study; the SOP Instance UID of it. */
export function buryResult(hospital: Hospital, studyInstanceUid: string): string {
  return withDatabase(hospital, (database) => {
    const row = database
      .prepare(
        `SELECT d.rowid AS id, d.job_id AS job, d.sop_instance_uid AS uid
         FROM delivery d JOIN job j USING (job_id) JOIN study s USING (study_id)
         WHERE s.study_uid = ? AND d.state = 'VERIFIED' AND j.state = 'RESULT_IN_PACS' LIMIT 1`,
      )
      .get(studyInstanceUid);
    if (!row) throw new Error('no result of this study is in the PACS');
    database.exec('BEGIN IMMEDIATE');
    database
      .prepare(
        `UPDATE delivery SET state = 'DEAD', dead_ms = ?, dead_code = 'PEER_REFUSED',
           dimse_status = ? WHERE rowid = ?`,
      )
      .run(Date.now(), 0xa900, row['id']!);
    database
      .prepare(
        `UPDATE job SET state = 'NOT_ANALYSED_NOTIFIED', code = 'PACS_REFUSED' WHERE job_id = ?`,
      )
      .run(row['job']!);
    database.exec('COMMIT');
    return String(row['uid']);
  });
}

/** Where a result is on its way: states of row and job. */
export function stateOfResult(hospital: Hospital, sopInstanceUid: string): readonly unknown[] {
  return withDatabase(hospital, (database) => {
    const row = database
      .prepare(
        `SELECT d.state, j.state AS job, replays FROM delivery d JOIN job j USING (job_id)
         WHERE sop_instance_uid = ?`,
      )
      .get(sopInstanceUid);
    return [row?.['state'], row?.['job'], row?.['replays']];
  });
}
