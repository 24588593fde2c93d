/**
 * Read model of the gateway's page: every study with its products, results, status object, journal.
 * Decides what hospital IT sees without reading a log. Holds identifiable UIDs: served to the
 * hospital only. Invariant: states come from the tables, never from a stage's memory.
 */
import type { GatewayDatabase, InstanceHeader, Sql } from '@aifi/gateway-database';

export interface ProductView {
  readonly product: string;
  readonly version: string;
  readonly jobId: string;
  readonly revision: number;
  readonly state: string;
  readonly code: string | null;
  readonly detail: string | null;
  readonly results: readonly ResultView[];
}
export interface ResultView {
  readonly role: string;
  readonly sopClassUid: string;
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
  readonly state: string;
}
/** The study's one status object: of its issues the newest. */
export interface StatusObjectView {
  readonly sopClassUid: string;
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
  /** QUEUED, STORED, VERIFIED, DEAD, or SUPERSEDED when the page has taken its place. */
  readonly state: string;
  readonly issue: number;
}
export interface JournalView {
  readonly sequence: number;
  readonly stage: string;
  readonly event: string;
  readonly jobId: string | null;
  readonly atMs: number;
  readonly detail: unknown;
}
export interface StudyView {
  readonly studyInstanceUid: string;
  readonly modality: string | null;
  readonly receivedInstances: number;
  readonly revision: number;
  /** RECEIVING, WAITING_FOR_RULES, IN_PROGRESS or DONE. */
  readonly state: string;
  readonly products: readonly ProductView[];
  /** Null when none is owed, none is made yet, or only this page tells (journal: told-on-page). */
  readonly statusObject: StatusObjectView | null;
  readonly journal: readonly JournalView[];
}

/** Newest studies first. `limit` bounds the page. */
export function readStudies(database: GatewayDatabase, limit = 100): StudyView[] {
  return database.read((sql) =>
    sql
      .all<StudyRow>(
        `SELECT study_id, study_uid, revision,
           (SELECT COUNT(*) FROM instance i WHERE i.study_id = s.study_id) AS instances,
           (SELECT header FROM instance i WHERE i.study_id = s.study_id LIMIT 1) AS header,
           (SELECT COUNT(*) FROM instance i
              WHERE i.study_id = s.study_id AND i.revision IS NULL) AS unassembled
         FROM study s ORDER BY study_id DESC LIMIT ?`,
        limit,
      )
      .map((row) => studyView(sql, row)),
  );
}

interface StudyRow {
  readonly study_id: number;
  readonly study_uid: string;
  readonly revision: number;
  readonly instances: number;
  readonly unassembled: number;
  readonly header: string | null;
}

function studyView(sql: Sql, row: StudyRow): StudyView {
  const products = readProducts(sql, row);
  return {
    studyInstanceUid: row.study_uid,
    modality: (JSON.parse(row.header ?? '{}') as InstanceHeader).modality ?? null,
    receivedInstances: row.instances,
    revision: row.revision,
    state: studyState(row, products),
    products,
    statusObject: readStatusObject(sql, row.study_id),
    journal: readJournal(sql, row.study_id),
  };
}

function studyState(row: StudyRow, products: readonly ProductView[]): string {
  if (row.revision === 0 || row.unassembled > 0) return 'RECEIVING';
  if (products.length === 0) return 'WAITING_FOR_RULES';
  const terminal = ['RESULT_IN_PACS', 'NOT_ANALYSED_NOTIFIED', 'NOT_ELIGIBLE_LOGGED'];
  return products.every((p) => terminal.includes(p.state)) ? 'DONE' : 'IN_PROGRESS';
}

function readProducts(sql: Sql, row: StudyRow): ProductView[] {
  const jobs = sql.all<Omit<ProductView, 'results'>>(
    `SELECT product, product_version AS version, job_id AS jobId, revision, state, code, detail
     FROM job WHERE study_id = ? AND revision = ? ORDER BY product`,
    row.study_id,
    row.revision,
  );
  return jobs.map((job) => ({
    ...job,
    results: sql.all<ResultView>(
      `SELECT role, sop_class_uid AS sopClassUid, series_uid AS seriesInstanceUid,
         sop_instance_uid AS sopInstanceUid, state
       FROM delivery WHERE job_id = ? ORDER BY issue, output_index`,
      job.jobId,
    ),
  }));
}

function readStatusObject(sql: Sql, studyId: number): StatusObjectView | null {
  const found = sql.get<StatusObjectView>(
    `SELECT sop_class_uid AS sopClassUid, series_uid AS seriesInstanceUid,
       sop_instance_uid AS sopInstanceUid, state, issue
     FROM status_object WHERE study_id = ? ORDER BY issue DESC LIMIT 1`,
    studyId,
  );
  return found ?? null;
}

function readJournal(sql: Sql, studyId: number): JournalView[] {
  // A study of thousands of instances has as many "received" rows: its first and last tell enough.
  const rows = sql.all<JournalView & { detail: string }>(
    `SELECT sequence, stage, event, job_id AS jobId, at_ms AS atMs, detail FROM journal
     WHERE study_id = ?1 AND (stage <> 'receive' OR sequence IN (
       SELECT MIN(sequence) FROM journal WHERE study_id = ?1 AND stage = 'receive' UNION
       SELECT MAX(sequence) FROM journal WHERE study_id = ?1 AND stage = 'receive'))
     ORDER BY sequence`,
    studyId,
  );
  return rows.map((entry) => ({ ...entry, detail: JSON.parse(entry.detail) as unknown }));
}
