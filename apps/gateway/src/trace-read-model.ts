/**
 * Read model of one study: every hop, attempt and digest, and the files that are still there.
 * Decides that a study is explained from the tables and the disk alone, also while the hub is away.
 * Invariants: NOT_FOUND for what is not here; no patient attribute is read; bounded answers.
 * Source: architecture 1 (hospital IT sees what happened to every study).
 */
import { decodeManifest, outcomeManifestSchema } from '@aifi/contracts-manifests';
import type { GatewayHop, GatewayJob, StatusObjectTrace, StudyTrace } from '@aifi/contracts-rest';
import type { InstanceHeader, Sql } from '@aifi/gateway-database';
import { AifiError, isUid, objectsDigest, type Sha256 } from '@aifi/shared-kernel';
import { filesOnDisk, type FileRow } from './files-on-disk.js';
import type { GatewaySources } from './gateway-sources.js';

/** Jobs and journal rows of one study in one answer; beyond it the newest. */
const JOBS_MAX = 200;
const JOURNAL_MAX = 2_000;
/** What a result and a status object have in common on their way to the PACS. */
const DELIVERY_COLUMNS = `issue, sop_class_uid AS sopClassUid, series_uid AS seriesInstanceUid,
  sop_instance_uid AS sopInstanceUid, sha256, state, dimse_status AS dimseStatus, attempts,
  next_attempt_ms AS nextAttemptAtMs,
  CASE state WHEN 'DEAD' THEN dead_code ELSE last_fault END AS lastFault`;

/** The study with all its jobs. */
export function readStudyTrace(sources: GatewaySources, studyUid: string): Promise<StudyTrace> {
  const row = isUid(studyUid)
    ? sources.database.read((sql) =>
        sql.get<StudyRow>('SELECT * FROM study WHERE study_uid = ?', studyUid),
      )
    : undefined;
  if (!row) throw new AifiError('NOT_FOUND', 'no such study at this gateway');
  return readTrace(sources, row);
}

/** The study of a job, with this job only. */
export function readJobTrace(sources: GatewaySources, jobId: string): Promise<StudyTrace> {
  const row = sources.database.read((sql) =>
    sql.get<StudyRow>(
      'SELECT study.* FROM study JOIN job USING (study_id) WHERE job_id = ?',
      jobId,
    ),
  );
  if (!row) throw new AifiError('NOT_FOUND', 'no such job at this gateway');
  return readTrace(sources, row, jobId);
}

interface StudyRow {
  readonly study_id: number;
  readonly study_uid: string;
  readonly revision: number;
}

async function readTrace(
  sources: GatewaySources,
  row: StudyRow,
  onlyJobId?: string,
): Promise<StudyTrace> {
  const { database, config } = sources;
  const { tables, jobs } = database.read((sql) => ({
    tables: readTables(sql, row, onlyJobId),
    jobs: readJobs(sql, row, onlyJobId).map(({ sinceMs, ...job }) => ({
      ...job,
      deadlineAtMs: sinceMs + deadlineMs(config.deadlines, job.lane),
      ...readSteps(sql, job.jobId),
    })),
  }));
  const { instances, ...facts } = tables;
  return {
    siteId: config.siteId,
    ...facts,
    files: await filesOnDisk('incoming', instances),
    jobs: await Promise.all(
      jobs.map(async ({ fileRows, ...job }) => ({
        ...job,
        files: [
          await filesOnDisk('spool', fileRows.spool),
          await filesOnDisk('inbound', fileRows.inbound),
          await filesOnDisk('outgoing', fileRows.outgoing),
        ],
      })),
    ),
  };
}

const deadlineMs = (deadlines: GatewaySources['config']['deadlines'], lane: string): number =>
  lane === 'acute' ? deadlines.acuteMs : deadlines.routineMs;

function readTables(
  sql: Sql,
  { study_id: studyId, study_uid: studyInstanceUid, revision }: StudyRow,
  onlyJobId?: string,
): Omit<StudyTrace, 'siteId' | 'files' | 'jobs'> & { instances: FileRow[] } {
  const received = sql.get<Omit<StudyTrace['received'], 'callingAeTitles'>>(
    `SELECT COUNT(*) AS instances, COUNT(*) FILTER (WHERE revision IS NULL) AS open,
       COALESCE(SUM(conflict), 0) AS conflicts, COALESCE(SUM(size_bytes), 0) AS bytes,
       MIN(received_ms) AS firstAtMs, MAX(received_ms) AS lastAtMs
     FROM instance WHERE study_id = ?`,
    studyId,
  )!;
  const callers = sql.all<{ title: string }>(
    'SELECT DISTINCT calling_ae AS title FROM instance WHERE study_id = ? ORDER BY 1',
    studyId,
  );
  const first = sql.get<{ header: string }>(
    'SELECT header FROM instance WHERE study_id = ? LIMIT 1',
    studyId,
  );
  return {
    studyInstanceUid,
    modality: (JSON.parse(first?.header ?? '{}') as InstanceHeader).modality ?? null,
    revision,
    received: { ...received, callingAeTitles: callers.map(({ title }) => title) },
    journal: readHops(sql, studyId, onlyJobId),
    statusObjects: sql.all<StatusObjectTrace>(
      `SELECT revision, created_ms AS createdAtMs, ${DELIVERY_COLUMNS}
       FROM status_object WHERE study_id = ? ORDER BY issue`,
      studyId,
    ),
    instances: sql.all<FileRow>(
      // What retention has removed is no file that is missing.
      'SELECT path, size_bytes AS bytes FROM instance WHERE study_id = ? AND removed_ms IS NULL',
      studyId,
    ),
  };
}

/** In the journal's own order. `received` has one row per instance: its sum is told elsewhere. */
function readHops(sql: Sql, studyId: number, onlyJobId?: string): GatewayHop[] {
  const rows = sql.all<Omit<GatewayHop, 'detail'> & { detail: string }>(
    `SELECT stage, event, job_id AS jobId, at_ms AS atMs, detail FROM journal
     WHERE study_id = ?1 AND stage <> 'receive' AND (?2 IS NULL OR COALESCE(job_id, ?2) = ?2)
     ORDER BY sequence DESC LIMIT ?3`,
    studyId,
    onlyJobId ?? null,
    JOURNAL_MAX,
  );
  return rows
    .reverse()
    .map((hop) => ({ ...hop, detail: JSON.parse(hop.detail) as GatewayHop['detail'] }));
}

interface JobRow extends Omit<
  GatewayJob,
  'deadlineAtMs' | 'waitingImages' | 'upload' | 'outcomes' | 'deliveries' | 'files'
> {
  /** Since when its deadline counts: a person may have had it taken up again. */
  readonly sinceMs: number;
}

function readJobs(sql: Sql, { study_id: studyId }: StudyRow, onlyJobId?: string): JobRow[] {
  return sql.all<JobRow>(
    `SELECT job_id AS jobId, product, product_version AS version, model_digest AS modelDigest,
       lane, revision, state, code, detail, created_ms AS createdAtMs, terminal_ms AS terminalAtMs,
       COALESCE(reopened_ms, created_ms) AS sinceMs
     FROM job WHERE study_id = ?1 AND (?2 IS NULL OR job_id = ?2)
     ORDER BY revision DESC, product LIMIT ?3`,
    studyId,
    onlyJobId ?? null,
    JOBS_MAX,
  );
}

interface Steps extends Pick<GatewayJob, 'waitingImages' | 'upload' | 'outcomes' | 'deliveries'> {
  readonly fileRows: Readonly<Record<'spool' | 'inbound' | 'outgoing', readonly FileRow[]>>;
}

function readSteps(sql: Sql, jobId: string): Steps {
  const select = (table: string, size: string): FileRow[] =>
    sql.all<FileRow>(`SELECT path, ${size} AS bytes FROM ${table} WHERE job_id = ?`, jobId);
  const { waiting } = sql.get<{ waiting: number }>(
    `SELECT COUNT(*) AS waiting FROM pixel_hold WHERE job_id = ? AND state = 'WAITING'`,
    jobId,
  )!;
  return {
    ...(waiting > 0 && { waitingImages: waiting }),
    upload: readUpload(sql, jobId),
    outcomes: readOutcomes(sql, jobId),
    deliveries: sql.all<GatewayJob['deliveries'][number]>(
      `SELECT output_index AS "index", role, ${DELIVERY_COLUMNS}
       FROM delivery WHERE job_id = ? ORDER BY issue, output_index`,
      jobId,
    ),
    fileRows: {
      spool: select('spool_object', 'size_bytes'),
      inbound: select('inbound_object', 'size_bytes'),
      outgoing: sql.all<FileRow>(
        'SELECT path, NULL AS bytes FROM delivery WHERE job_id = ? AND removed_ms IS NULL',
        jobId,
      ),
    },
  };
}

function readUpload(sql: Sql, jobId: string): GatewayJob['upload'] {
  const row = sql.get<Omit<NonNullable<GatewayJob['upload']>, 'inputDigest'>>(
    `SELECT state, manifest_sha256 AS manifestSha256, attempts,
       next_attempt_ms AS nextAttemptAtMs, last_fault AS lastFault,
       (SELECT COUNT(*) FROM spool_object o WHERE o.job_id = s.job_id) AS objects,
       (SELECT COUNT(*) FROM spool_object o WHERE o.job_id = s.job_id AND acked = 1)
         AS acknowledged,
       (SELECT COALESCE(SUM(size_bytes), 0) FROM spool_object o WHERE o.job_id = s.job_id) AS bytes
     FROM spool_job s WHERE job_id = ?`,
    jobId,
  );
  if (!row) return null;
  const digests = sql.all<{ sha256: Sha256 }>(
    'SELECT sha256 FROM spool_object WHERE job_id = ?',
    jobId,
  );
  return { ...row, inputDigest: objectsDigest(digests.map(({ sha256 }) => sha256)) };
}

function readOutcomes(sql: Sql, jobId: string): GatewayJob['outcomes'] {
  const rows = sql.all<{
    issue: number;
    sequence: number;
    state: string;
    receivedAtMs: number;
    manifest: Uint8Array;
  }>(
    `SELECT issue, sequence, state, received_ms AS receivedAtMs, manifest FROM inbound
     WHERE job_id = ? ORDER BY issue`,
    jobId,
  );
  return rows.map(({ manifest: bytes, ...row }) => {
    const { outcome, code, inputDigest } = decodeManifest(outcomeManifestSchema, bytes);
    return { ...row, outcome, code: code ?? null, inputDigest: inputDigest ?? null };
  });
}
