/**
 * Files that are still owed to somebody, kind by kind, with the digests of their rows.
 * Decides which rows stand for a file that must be whole, and what follows for a job whose file is
 * not: it stops where a person sees it, with the code that its stage would have given.
 * Invariant: a row that changed or was finished since it was read is left alone.
 * Source: reliability specification 2 (nightly digest re-check, deletion rules).
 */
import { moveJob, type GatewayDatabase, type JobState, type Sql } from '@aifi/gateway-database';
import type { GatewayStage, ReasonCode } from '@aifi/shared-kernel';

export interface OwedFile {
  readonly position: number;
  readonly path: string;
  readonly sha256: string;
}
interface Kind {
  readonly name: string;
  /** Rows of this kind after ?1, at most ?2. */
  readonly rows: string;
  /** Jobs (job_id) of the row ?1 that must stop, in the state below. */
  readonly jobs: string;
  readonly from: JobState;
  readonly stage: GatewayStage;
  readonly code: ReasonCode;
  /** What else moves with the job ?1. */
  readonly also?: string;
}

const owed = (table: string, position: string, rest: string): string =>
  `SELECT ${position} AS position, f.path, f.sha256 FROM ${table}
    WHERE ${position} > ?1 AND ${rest} ORDER BY ${position} LIMIT ?2`;

/** In the order of the data. */
export const KINDS: readonly Kind[] = [
  {
    name: 'received',
    rows: owed('instance f', 'f.instance_id', 'f.removed_ms IS NULL'),
    // A job that has left SELECTED has its own copy already.
    jobs: `SELECT job_id FROM job JOIN instance f USING (study_id, series_uid)
      WHERE f.instance_id = ? AND job.state = 'SELECTED'`,
    ...{ from: 'SELECTED', stage: 'pseudonymise', code: 'MALFORMED' },
  },
  {
    name: 'spooled',
    rows: owed(
      'spool_object f JOIN spool_job s USING (job_id) JOIN job USING (job_id)',
      'f.rowid',
      `s.state = 'QUEUED' AND job.terminal_ms IS NULL`,
    ),
    jobs: `SELECT f.job_id FROM spool_object f JOIN job USING (job_id)
      WHERE f.rowid = ? AND job.state = 'SPOOLED'`,
    ...{ from: 'SPOOLED', stage: 'spool', code: 'MALFORMED' },
    // The uplink must not go on with it.
    also: `UPDATE spool_job SET state = 'QUARANTINED' WHERE job_id = ? AND state = 'QUEUED'`,
  },
  {
    name: 'inbound',
    rows: owed(
      'inbound_object f JOIN inbound i USING (job_id, revision, issue)',
      'f.rowid',
      `i.state = 'RECEIVED'`,
    ),
    jobs: `SELECT f.job_id FROM inbound_object f JOIN job USING (job_id)
      WHERE f.rowid = ? AND job.state = 'RETURNED'`,
    ...{ from: 'RETURNED', stage: 'reidentify', code: 'OUTPUT_INVALID' },
    also: `UPDATE inbound SET state = 'QUARANTINED' WHERE job_id = ? AND state = 'RECEIVED'`,
  },
  {
    name: 'outgoing',
    rows: owed('delivery f', 'f.rowid', `f.removed_ms IS NULL AND f.state <> 'VERIFIED'`),
    jobs: `SELECT f.job_id FROM delivery f JOIN job USING (job_id)
      WHERE f.rowid = ? AND f.state IN ('QUEUED', 'STORED') AND job.state = 'REIDENTIFIED'`,
    ...{ from: 'REIDENTIFIED', stage: 'deliver', code: 'OUTPUT_INVALID' },
  },
  {
    name: 'status',
    rows: owed(
      'status_object f',
      'f.rowid',
      `f.removed_ms IS NULL AND f.state NOT IN ('VERIFIED', 'SUPERSEDED')`,
    ),
    // It moves no job: deliver buries it at its next try, and it is told of here.
    jobs: 'SELECT job_id FROM job WHERE ? IS NULL',
    ...{ from: 'REIDENTIFIED', stage: 'deliver', code: 'OUTPUT_INVALID' },
  },
];

export function nextFiles(database: GatewayDatabase, kind: Kind, after: number): OwedFile[] {
  return database.read((sql) => sql.all<OwedFile>(kind.rows, after, FILES_MAX));
}
/** Rows of one look. */
const FILES_MAX = 100;

/** True when the row still says that this file is owed. */
export function isOwed(sql: Sql, kind: Kind, { position, path, sha256 }: OwedFile): boolean {
  const [row] = sql.all<OwedFile>(kind.rows, position - 1, 1);
  return row?.position === position && row.path === path && row.sha256 === sha256;
}

/** Puts the damage on record and stops the jobs that need the file; undefined: known already. */
export function recordDamage(
  sql: Sql,
  kind: Kind,
  { file, atMs }: { readonly file: OwedFile; readonly atMs: number },
): readonly string[] | undefined {
  const isNew = sql.run(
    'INSERT OR IGNORE INTO damaged_file VALUES (?, ?, ?, ?)',
    ...[kind.name, file.position, file.sha256, atMs],
  );
  if (isNew === 0) return undefined;
  const jobs = sql.all<{ job_id: string }>(kind.jobs, file.position);
  for (const { job_id: jobId } of jobs) {
    if (kind.also) sql.run(kind.also, jobId);
    moveJob(sql, {
      ...{ jobId, from: kind.from, to: 'QUARANTINED', stage: kind.stage, event: 'quarantined' },
      ...{ atMs, code: kind.code, reason: 'a file changed on the disk of the gateway' },
    });
  }
  return jobs.map((row) => row.job_id);
}
