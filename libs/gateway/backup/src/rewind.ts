/**
 * Rewind: a pipeline database that came back from a backup, made to agree with the files there are.
 * Decides what is asked of the hub again: every outcome whose objects, or whose objects made ready
 * for the PACS, are gone. Invariants: what the PACS has and has shown to have is left alone; a job
 * that ended stays ended; the hub sends again, so nothing is made up here.
 * Source: reliability specification P5 (cursor), 2 (restore), loss of a box.
 */
import { moveJob, type JobState, type Sql } from '@aifi/gateway-database';

export interface RewindOptions {
  readonly exists: (path: string) => boolean;
  readonly atMs: number;
}
export interface Rewound {
  /** Outcomes that the hub is asked for again. */
  readonly outcomes: number;
  /** Received images that are no longer there. */
  readonly images: number;
  /** Studies in the spool whose pseudonymised files are gone; the hub may have them. */
  readonly spooled: number;
}

interface OpenOutcome {
  readonly job_id: string;
  readonly issue: number;
  readonly sequence: number;
  readonly job_state: JobState;
  readonly path: string;
}

/** States of a job whose outcome is here and whose result is not in the PACS yet. */
const WAITING = `('RETURNED', 'REIDENTIFIED', 'HELD')`;

/** Within one write of the database, before any stage runs. */
export function rewindToFiles(sql: Sql, { exists, atMs }: RewindOptions): Rewound {
  const isGone = ({ path }: { readonly path: string }): boolean => !exists(path);
  const lost = [...inboundFiles(sql), ...outgoingFiles(sql)].filter(isGone);
  const outcomes = new Map(lost.map((row) => [`${row.job_id} ${row.issue}`, row]));
  for (const outcome of outcomes.values()) forget(sql, outcome, atMs);
  const sequences = [...outcomes.values()].map(({ sequence }) => sequence);
  // The cursor is the highest number that is here: it has to fall below what is asked for again.
  if (sequences.length > 0) {
    const cursor = Math.min(...sequences) - 1;
    sql.run('UPDATE inbound SET sequence = ? WHERE sequence > ?', cursor, cursor);
  }
  return {
    outcomes: outcomes.size,
    images: forgetImages(sql, isGone, atMs),
    spooled: new Set(
      spoolFiles(sql)
        .filter(isGone)
        .map((row) => row.job_id),
    ).size,
  };
}

function inboundFiles(sql: Sql): OpenOutcome[] {
  return sql.all<OpenOutcome>(
    `SELECT i.job_id, i.issue, i.sequence, job.state AS job_state, o.path
     FROM inbound i JOIN inbound_object o USING (job_id, revision, issue) JOIN job USING (job_id)
     WHERE i.state = 'RECEIVED' AND job.state IN ${WAITING}`,
  );
}

function outgoingFiles(sql: Sql): OpenOutcome[] {
  return sql.all<OpenOutcome>(
    `SELECT i.job_id, i.issue, i.sequence, job.state AS job_state, d.path
     FROM inbound i JOIN delivery d USING (job_id, issue) JOIN job USING (job_id)
     WHERE d.state = 'QUEUED' AND job.state IN ${WAITING}`,
  );
}

const spoolFiles = (sql: Sql): { readonly job_id: string; readonly path: string }[] =>
  sql.all(`SELECT job_id, path FROM spool_object JOIN spool_job USING (job_id)
           WHERE state = 'QUEUED'`);

/** As if the outcome had not come: rows go, the job waits for the hub. */
function forget(sql: Sql, { job_id: jobId, issue, job_state: from }: OpenOutcome, atMs: number) {
  sql.run('DELETE FROM inbound_object WHERE job_id = ? AND issue = ?', jobId, issue);
  sql.run('DELETE FROM inbound WHERE job_id = ? AND issue = ?', jobId, issue);
  // What the PACS has answered for comes again under the same UID, and is found there.
  sql.run('DELETE FROM delivery WHERE job_id = ? AND issue = ?', jobId, issue);
  const move = { jobId, atMs, stage: 'downlink', event: 'rewound' } as const;
  moveJob(sql, { ...move, from, to: 'UPLOADED', detail: { issue } });
}

function forgetImages(
  sql: Sql,
  isGone: (row: { readonly path: string }) => boolean,
  atMs: number,
): number {
  const gone = sql
    .all<{ instance_id: number; path: string }>(
      'SELECT instance_id, path FROM instance WHERE removed_ms IS NULL',
    )
    .filter(isGone);
  for (const { instance_id: id } of gone) {
    sql.run('UPDATE instance SET removed_ms = ? WHERE instance_id = ?', atMs, id);
  }
  return gone.length;
}
