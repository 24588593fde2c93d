/**
 * Retention at the hub: which objects of one site are owed to nobody any more.
 * Decides in two steps with time between them, so that an upload of the same bytes needs no lock:
 * first the row goes and the removal is on record, later the file goes if nobody has come to need
 * it. Invariants: all of it runs inside one site; an object that one job still needs stays; a
 * study in an evaluation set stays; a result stays until the gateway has it, or a newer one, and
 * its time is over.
 * Source: reliability specification 2 (deletion rules), C3 (retention runs site by site).
 */
import type { Sha256, SiteId } from '@aifi/shared-kernel';
import type { HubDatabase } from './hub-database.js';
import type { Sql } from './sql.js';
import { lockRemovals } from './take-over.js';

export interface RetentionTimes {
  /** Pixels go when their jobs ended before that. */
  readonly pixelsUntil: Date;
  /** Results go when they were acknowledged, or overtaken by newer ones, before that. */
  readonly resultsUntil: Date;
  /** An upload that was begun before that and never ended needs nothing any more. */
  readonly abandonedUntil: Date;
}
/** An object whose file has to go. */
export interface ObjectRemoval {
  readonly sha256: Sha256;
  readonly sizeBytes: number;
}

/** Objects of one transaction. */
const BATCH_MAX = 200;
/** Removals of one answer; there are more when it has so many. */
export const REMOVALS_MAX = BATCH_MAX;

/** All sites, for work that is done site by site. */
export async function siteIdsOf(database: HubDatabase): Promise<SiteId[]> {
  const rows = await database.withQueue((sql) =>
    sql.rows<{ site_id: SiteId }>('SELECT site_id FROM site ORDER BY site_id'),
  );
  return rows.map((row) => row.site_id);
}

/** A job that still needs the pixels `sha`: $1 pixelsUntil, $2 abandonedUntil. */
const neededPixels = (sha: string): string => `EXISTS (
  SELECT 1 FROM job_object o JOIN study_job j USING (site_id, job_id)
  WHERE o.sha256 = ${sha} AND (j.state IN ('STORED', 'QUEUED', 'INFERRED')
    OR j.state = 'OPEN' AND j.opened_at > $2
    OR j.concluded_at > $1
    OR EXISTS (SELECT 1 FROM evaluation_study e WHERE e.study_pseudonym = j.study_pseudonym)))`;

/** First step for pixels; says how many objects were marked. */
export async function markPixels(sql: Sql, times: RetentionTimes, at: Date): Promise<number> {
  const values = [times.pixelsUntil, times.abandonedUntil] as const;
  const rows = await sql.rows<{ sha256: string }>(
    `SELECT s.sha256 FROM study_object s
     WHERE s.stored_at <= $1 AND NOT ${neededPixels('s.sha256')}
     ORDER BY s.stored_at LIMIT ${BATCH_MAX} FOR UPDATE SKIP LOCKED`,
    ...values,
  );
  if (rows.length === 0) return 0;
  // Asked again with the rows locked: a study that came meanwhile is seen now.
  const gone = await sql.rows<{ site_id: string; sha256: string; size_bytes: string }>(
    `DELETE FROM study_object s WHERE s.sha256 = ANY($3) AND NOT ${neededPixels('s.sha256')}
     RETURNING s.site_id, s.sha256, s.size_bytes`,
    ...values,
    rows.map((row) => row.sha256),
  );
  for (const row of gone) await markRemoval(sql, row, at);
  return gone.length;
}

/** No outcome of the job `r` will leave: newer ones have left. */
const IS_OVERTAKEN = `(EXISTS (SELECT 1 FROM outcome o
    WHERE o.job_id = r.job_id AND o.superseded_at <= $1)
  AND NOT EXISTS (SELECT 1 FROM outcome o WHERE o.job_id = r.job_id AND o.superseded_at IS NULL))`;

/** First step for results and for what models gave; says how many objects were marked. */
export async function markResults(sql: Sql, times: RetentionTimes, at: Date): Promise<number> {
  await lockRemovals(sql);
  const results = await sql.rows<{ site_id: string; sha256: string; size_bytes: string }>(
    `UPDATE outcome_object x SET removed_at = $2 FROM (
       SELECT site_id, job_id, issue, output_index FROM outcome_object
         JOIN outcome USING (site_id, job_id, issue)
       WHERE removed_at IS NULL AND (acked_at <= $1 OR superseded_at <= $1)
       LIMIT ${BATCH_MAX}) AS due
     WHERE (x.site_id, x.job_id, x.issue, x.output_index)
       = (due.site_id, due.job_id, due.issue, due.output_index)
     RETURNING x.site_id, x.sha256, x.size_bytes`,
    times.resultsUntil,
    at,
  );
  const outputs = await sql.rows<{ site_id: string; sha256: string; size_bytes: string }>(
    `UPDATE inference_record x SET output_removed_at = $2 FROM (
       SELECT r.site_id, r.job_id FROM inference_record r JOIN study_job USING (site_id, job_id)
       WHERE output_removed_at IS NULL AND (acknowledged_at <= $1 OR ${IS_OVERTAKEN})
       LIMIT ${BATCH_MAX}) AS due
     WHERE (x.site_id, x.job_id) = (due.site_id, due.job_id)
     RETURNING x.site_id, x.output_sha256 AS sha256, x.output_size_bytes AS size_bytes`,
    times.resultsUntil,
    at,
  );
  for (const row of [...results, ...outputs]) await markRemoval(sql, row, at);
  return results.length + outputs.length;
}

async function markRemoval(
  sql: Sql,
  row: { site_id: string; sha256: string; size_bytes: string },
  at: Date,
): Promise<void> {
  await sql.run(
    `INSERT INTO object_removal (site_id, sha256, size_bytes, marked_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (site_id, sha256) DO NOTHING`,
    row.site_id,
    row.sha256,
    row.size_bytes,
    at,
  );
}

/** A file that no row knows, as a crash between file and row leaves it. */
export async function markOrphan(
  sql: Sql,
  siteId: SiteId,
  { sha256, sizeBytes, at, ...times }: ObjectRemoval & RetentionTimes & { readonly at: Date },
): Promise<boolean> {
  if (await isNeeded(sql, sha256, times)) return false;
  await markRemoval(sql, { site_id: siteId, sha256, size_bytes: String(sizeBytes) }, at);
  return true;
}

/** Second step: what was marked before `until`, oldest first. */
export async function dueRemovals(sql: Sql, until: Date): Promise<ObjectRemoval[]> {
  const rows = await sql.rows<{ sha256: Sha256; size_bytes: string }>(
    `SELECT sha256, size_bytes FROM object_removal WHERE marked_at <= $1
     ORDER BY marked_at LIMIT ${REMOVALS_MAX}`,
    until,
  );
  return rows.map((row) => ({ sha256: row.sha256, sizeBytes: Number(row.size_bytes) }));
}

/** Holds the removal until the transaction ends; false when another process has it or had it. */
export async function lockRemoval(sql: Sql, sha256: Sha256): Promise<boolean> {
  const row = await sql.row(
    'SELECT 1 AS mine FROM object_removal WHERE sha256 = $1 FOR UPDATE SKIP LOCKED',
    sha256,
  );
  return row !== undefined;
}

/** True when a row of any kind stands for these bytes, or a job waits for them. */
export async function isNeeded(
  sql: Sql,
  sha256: Sha256,
  { pixelsUntil, abandonedUntil }: RetentionTimes,
): Promise<boolean> {
  const row = await sql.row<{ needed: boolean }>(
    `SELECT ${neededPixels('$3')}
       OR EXISTS (SELECT 1 FROM study_object WHERE sha256 = $3)
       OR EXISTS (SELECT 1 FROM outcome_object WHERE sha256 = $3 AND removed_at IS NULL)
       OR EXISTS (SELECT 1 FROM inference_record
         WHERE output_sha256 = $3 AND output_removed_at IS NULL) AS needed`,
    pixelsUntil,
    abandonedUntil,
    sha256,
  );
  return row!.needed;
}

export interface RemovalEnd extends ObjectRemoval {
  /** The file is there and stays: a job that needs it as pixels has its row again. */
  readonly isKept: boolean;
  readonly at: Date;
}
export async function endRemoval(
  sql: Sql,
  siteId: SiteId,
  { sha256, sizeBytes, isKept, at, ...times }: RemovalEnd & RetentionTimes,
): Promise<void> {
  if (isKept) {
    await sql.run(
      `INSERT INTO study_object (site_id, sha256, size_bytes, stored_at)
       SELECT $4, $3, $5, $6 WHERE ${neededPixels('$3')}
       ON CONFLICT (site_id, sha256) DO NOTHING`,
      times.pixelsUntil,
      times.abandonedUntil,
      ...[sha256, siteId, sizeBytes, at],
    );
  }
  await sql.run('DELETE FROM object_removal WHERE sha256 = $1', sha256);
}
