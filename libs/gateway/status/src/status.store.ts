/**
 * StatusStore: which studies owe a status object, what it has to tell, and the rows that say so.
 * Decides when a study is due: its last product has ended, or one ended without a result and the
 * deadline of that lane has passed; not while products may still be to come, as after an early
 * start. Invariants: every end is told once; object row, jobs and
 * journal change in one transaction, and only while the study is as it was read; a study has one
 * current status object. Source: results specification 4.3a; hazards H5, H7.
 */
import {
  recordJournal,
  type GatewayDatabase,
  type JobState,
  type Sql,
} from '@aifi/gateway-database';
import { EARLY_NEGATIVE_DETAIL } from '@aifi/contracts-manifests';
import {
  AifiError,
  canonicalJson,
  sha256Hex,
  type OriginalUid,
  type ReasonCode,
  type Sha256,
} from '@aifi/shared-kernel';

/** The job of one eligible product, as it stands. */
export interface EligibleJob {
  readonly jobId: string;
  readonly product: string;
  readonly version: string;
  readonly state: JobState;
  readonly code: ReasonCode | null;
  readonly detail: string | null;
  readonly results: readonly ResultRow[];
}
/** One object of a product that the PACS has. */
export interface ResultRow {
  readonly sopClassUid: string;
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
  readonly path: string;
  readonly sha256: Sha256;
}
interface ObjectRow {
  readonly issue: number;
  readonly state: string;
  readonly attempts: number;
  readonly contentSha256: string;
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
  readonly createdMs: number;
}
/** Everything that decides what a study's status is. */
export interface StudySnapshot {
  readonly studyId: number;
  readonly studyUid: OriginalUid;
  /** Newest revision with an eligible product. */
  readonly revision: number;
  /** At least one; by product name. */
  readonly jobs: readonly EligibleJob[];
  /** Status objects of the study, newest first. */
  readonly objects: readonly ObjectRow[];
}
export interface ImageRow {
  readonly sopClassUid: string;
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
  readonly path: string;
  readonly modality: string | null;
}
export interface NewStatusObject {
  readonly jobId: string;
  readonly sopClassUid: string;
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
  readonly path: string;
  readonly sha256: Sha256;
}
export interface LaneDeadlines {
  /** @unit ms */
  readonly acuteMs: number;
  /** @unit ms */
  readonly routineMs: number;
}

const ENDED = `state IN ('RESULT_IN_PACS', 'NOT_ANALYSED_NOTIFIED')`;
const UNTOLD = `told_issue IS NULL AND ${ENDED}`;
/** The newest revision that it is the job of. */
const OF_REVISION = 'COALESCE(stands_in, job.revision)';
/** A negative of an early start, before the whole study has been looked at: not told as an end. */
const WAITS_FOR_STUDY = `early IS NOT NULL AND state = 'NOT_ANALYSED_NOTIFIED'
  AND detail = '${EARLY_NEGATIVE_DETAIL}' AND (stands_in IS NOT NULL OR NOT EXISTS (
    SELECT 1 FROM whole_revision w WHERE w.study_id = job.study_id
      AND w.revision > job.revision AND w.state = 'SELECTED'))`;
/** Told on the gateway's page, not in the PACS. */
const PAGE = -1;

export class StatusStore {
  constructor(
    private readonly database: GatewayDatabase,
    private readonly deadlines: LaneDeadlines,
  ) {}

  /** Studies that owe a status object; a bounded batch. */
  due(nowMs: number): number[] {
    const rows = this.database.read((sql) =>
      sql.all<{ study_id: number }>(
        `WITH latest AS (
           SELECT study_id, MAX(${OF_REVISION}) AS revision FROM job
            WHERE state <> 'NOT_ELIGIBLE_LOGGED'
              AND study_id IN (SELECT study_id FROM job WHERE ${UNTOLD})
            GROUP BY study_id),
         own AS (
           SELECT job.*, latest.revision AS of_revision FROM latest JOIN job USING (study_id)
            WHERE ${OF_REVISION} = latest.revision AND state <> 'NOT_ELIGIBLE_LOGGED')
         SELECT study_id FROM latest
          WHERE EXISTS (
              SELECT 1 FROM whole_revision w WHERE w.study_id = latest.study_id
                AND w.revision >= latest.revision AND w.state = 'SELECTED')
            AND NOT EXISTS (
              SELECT 1 FROM own job WHERE job.study_id = latest.study_id
                AND (NOT ${ENDED} OR ${WAITS_FOR_STUDY}))
            OR EXISTS (
              SELECT 1 FROM own job WHERE job.study_id = latest.study_id AND ${UNTOLD}
                AND state = 'NOT_ANALYSED_NOTIFIED' AND NOT (${WAITS_FOR_STUDY})
                AND created_ms <= CASE lane WHEN 'acute' THEN ? ELSE ? END)
          ORDER BY study_id LIMIT 100`,
        nowMs - this.deadlines.acuteMs,
        nowMs - this.deadlines.routineMs,
      ),
    );
    return rows.map((row) => row.study_id);
  }

  snapshot(studyId: number): StudySnapshot {
    return this.database.read((sql) => readSnapshot(sql, studyId));
  }

  /**
   * The first image of each series that the products took, or of every series when one took none:
   * a reader is to see the status, not hundreds of lines of images.
   */
  images({ studyId, revision }: StudySnapshot, limit: number): ImageRow[] {
    return this.database.read((sql) =>
      sql.all<ImageRow>(
        `WITH taken AS (
           SELECT series_uid FROM job
            WHERE study_id = ?1 AND ${OF_REVISION} = ?2 AND state <> 'NOT_ELIGIBLE_LOGGED'),
         usable AS (
           SELECT * FROM revision_instance WHERE study_id = ?1 AND of_revision = ?2
              AND conflict = 0 AND removed_ms IS NULL AND header ->> '$.rows' IS NOT NULL),
         first AS (
           SELECT MIN(instance_id) AS instance_id FROM usable
            WHERE series_uid IN (SELECT series_uid FROM taken)
              OR EXISTS (SELECT 1 FROM taken WHERE series_uid IS NULL)
            GROUP BY series_uid
           -- The hospital has rejected every image: its status has none other to refer to.
           UNION SELECT MIN(instance_id) FROM instance
            WHERE study_id = ?1 AND rejected_revision <= ?2 AND conflict = 0
              AND removed_ms IS NULL AND header ->> '$.rows' IS NOT NULL
              AND NOT EXISTS (SELECT 1 FROM usable)
            GROUP BY series_uid)
         SELECT sop_class_uid AS sopClassUid, series_uid AS seriesInstanceUid,
            sop_instance_uid AS sopInstanceUid, path, header ->> '$.modality' AS modality
          FROM first JOIN instance USING (instance_id) ORDER BY instance_id LIMIT ?3`,
        studyId,
        revision,
        limit,
      ),
    );
  }

  /** Queues a new current status object. STATE_CONFLICT when the study has changed meanwhile. */
  issue(snapshot: StudySnapshot, object: NewStatusObject, atMs: number): Promise<void> {
    const issue = nextIssue(snapshot);
    return this.#tell(snapshot, issue, (sql) => {
      sql.run(
        `INSERT INTO status_object (study_id, issue, revision, job_id, sop_class_uid, series_uid,
           sop_instance_uid, path, sha256, content_sha256, state, created_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'QUEUED', ?)`,
        ...[snapshot.studyId, issue, snapshot.revision, object.jobId],
        ...[object.sopClassUid, object.seriesInstanceUid, object.sopInstanceUid],
        ...[object.path, object.sha256, contentSha256(snapshot), atMs],
      );
      const detail = { issue, revision: snapshot.revision, products: snapshot.jobs.length };
      const { studyId } = snapshot;
      recordJournal(sql, { studyId, stage: 'deliver', event: 'status-issued', atMs, detail });
    });
  }

  /** No object may go to the PACS: the gateway's page alone tells how the products ended. */
  tellOnPage(snapshot: StudySnapshot, code: ReasonCode, atMs: number): Promise<void> {
    return this.#tell(snapshot, PAGE, (sql) => {
      const { studyId, revision } = snapshot;
      const detail = { code, revision };
      recordJournal(sql, { studyId, stage: 'deliver', event: 'told-on-page', atMs, detail });
    });
  }

  /** The current status object says all of this already. */
  keep(snapshot: StudySnapshot, issue: number): Promise<void> {
    return this.database.write((sql) => {
      assertUnchanged(sql, snapshot);
      markTold(sql, snapshot, issue);
    });
  }

  #tell(snapshot: StudySnapshot, issue: number, record: (sql: Sql) => void): Promise<void> {
    return this.database.write((sql) => {
      assertUnchanged(sql, snapshot);
      // What nobody has tried to send yet is overtaken: an older status never follows a newer one.
      sql.run(
        `UPDATE status_object SET state = 'SUPERSEDED'
          WHERE study_id = ? AND state = 'QUEUED' AND attempts = 0`,
        snapshot.studyId,
      );
      record(sql);
      markTold(sql, snapshot, issue);
    });
  }
}

function readSnapshot(sql: Sql, studyId: number): StudySnapshot {
  const study = sql.get<{ studyUid: OriginalUid; revision: number }>(
    `SELECT study_uid AS studyUid, MAX(${OF_REVISION}) AS revision
      FROM study JOIN job USING (study_id)
      WHERE study_id = ? AND state <> 'NOT_ELIGIBLE_LOGGED'`,
    studyId,
  )!;
  const jobs = sql.all<Omit<EligibleJob, 'results'>>(
    `SELECT job_id AS jobId, product, product_version AS version, state, code, detail FROM job
      WHERE study_id = ? AND ${OF_REVISION} = ? AND state <> 'NOT_ELIGIBLE_LOGGED'
      ORDER BY product`,
    studyId,
    study.revision,
  );
  const objects = sql.all<ObjectRow>(
    `SELECT issue, state, attempts, content_sha256 AS contentSha256,
        series_uid AS seriesInstanceUid, sop_instance_uid AS sopInstanceUid, created_ms AS createdMs
      FROM status_object WHERE study_id = ? ORDER BY issue DESC`,
    studyId,
  );
  const withResults = jobs.map((job) => ({ ...job, results: resultsOf(sql, job.jobId) }));
  return { studyId, ...study, jobs: withResults, objects };
}

function resultsOf(sql: Sql, jobId: string): ResultRow[] {
  return sql.all<ResultRow>(
    `SELECT sop_class_uid AS sopClassUid, series_uid AS seriesInstanceUid,
        sop_instance_uid AS sopInstanceUid, path, sha256
      FROM delivery WHERE job_id = ? AND state = 'VERIFIED' ORDER BY issue, output_index`,
    jobId,
  );
}

/** 0 at first. */
export function nextIssue({ objects }: StudySnapshot): number {
  return (objects[0]?.issue ?? -1) + 1;
}

/** Digest of what a status object of this study tells. */
export function contentSha256({ revision, jobs }: StudySnapshot): Sha256 {
  return sha256Hex(canonicalJson({ revision, jobs }));
}

function assertUnchanged(sql: Sql, snapshot: StudySnapshot): void {
  if (canonicalJson(readSnapshot(sql, snapshot.studyId)) !== canonicalJson(snapshot)) {
    throw new AifiError('STATE_CONFLICT', 'the study has changed while its status was made');
  }
}

/** Ends of older revisions are told with it: they are overtaken. */
function markTold(sql: Sql, { studyId, revision }: StudySnapshot, issue: number): void {
  sql.run(
    `UPDATE job SET told_issue = ?
      WHERE study_id = ? AND revision <= ? AND ${UNTOLD}`,
    issue,
    studyId,
    revision,
  );
}
