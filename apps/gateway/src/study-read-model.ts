/**
 * Read model of the list of studies: each with its products, results and status object.
 * Decides the order (arrival, newest first) and the state of a study, from the tables alone.
 * Invariants: a page stays in place while studies come in; a question with a filter looks at a
 * bounded number of studies, so a page can be short or empty and still have a next one; no patient.
 */
import { isReasonCode, REASON_CODES } from '@aifi/shared-kernel';
import type { GatewayStudyView, gatewayRoutes, RouteInput } from '@aifi/contracts-rest';
import { cursorOf, placeOf } from '@aifi/gateway-access';
import type { GatewayDatabase, InstanceHeader, Sql } from '@aifi/gateway-database';

export type StudyQuery = RouteInput<(typeof gatewayRoutes)['listStudies']>['query'];
/** A study without what is known of the patient. */
export type StudyFacts = Omit<GatewayStudyView, 'patient' | 'masked' | 'studyDescription'>;
type ProductView = StudyFacts['products'][number];
type ResultView = ProductView['results'][number];

/** Studies that one question with a filter looks at: about 20 ms. */
export const SCAN_ROWS_MAX = 2_000;

/** The studies that a page is chosen from; a test asks the planner about it. */
export const STUDY_WINDOW_SQL = `
  SELECT a.study_id, a.first_received_ms, s.study_uid, s.revision,
    CASE
      WHEN s.revision = 0 OR EXISTS (
        SELECT 1 FROM instance i WHERE i.study_id = a.study_id AND i.revision IS NULL)
        OR EXISTS (SELECT 1 FROM early_study e WHERE e.study_id = a.study_id)
        THEN 'RECEIVING'
      WHEN NOT EXISTS (
        SELECT 1 FROM job j WHERE j.study_id = a.study_id
          AND COALESCE(j.stands_in, j.revision) = s.revision)
        THEN 'WAITING_FOR_RULES'
      WHEN EXISTS (
        SELECT 1 FROM job j WHERE j.study_id = a.study_id
          AND COALESCE(j.stands_in, j.revision) = s.revision
          AND j.state NOT IN ('RESULT_IN_PACS', 'NOT_ANALYSED_NOTIFIED', 'NOT_ELIGIBLE_LOGGED'))
        THEN 'IN_PROGRESS'
      ELSE 'DONE'
    END AS state
  FROM study_arrival a JOIN study s ON s.study_id = a.study_id
  WHERE (a.first_received_ms, a.study_id) < (?, ?) AND a.first_received_ms >= ?
  ORDER BY a.first_received_ms DESC, a.study_id DESC LIMIT ?`;

interface StudyRow {
  readonly study_id: number;
  readonly first_received_ms: number;
  readonly study_uid: string;
  readonly revision: number;
  readonly state: string;
}

/** One page, by the first image of each study: that time never changes. */
export function readStudies(
  database: GatewayDatabase,
  { cursor, limit, fromMs = 0, state }: StudyQuery,
): { readonly items: StudyFacts[]; readonly nextCursor: string | null } {
  const place = placeOf(cursor);
  const windowRows = state === undefined ? limit + 1 : SCAN_ROWS_MAX;
  return database.read((sql) => {
    const window = sql.all<StudyRow>(
      STUDY_WINDOW_SQL,
      ...[place.atMs, place.id, fromMs, windowRows],
    );
    const matching = window.filter((row) => state === undefined || row.state === state);
    const rows = matching.slice(0, limit);
    const isFull = window.length === windowRows;
    const last = matching.length > limit ? rows.at(-1) : isFull ? window.at(-1) : undefined;
    return {
      items: rows.map((row) => studyFacts(sql, row)),
      nextCursor: last ? cursorOf({ atMs: last.first_received_ms, id: last.study_id }) : null,
    };
  });
}

function studyFacts(sql: Sql, row: StudyRow): StudyFacts {
  const { study_id: studyId } = row;
  const { instances } = sql.get<{ instances: number }>(
    'SELECT COUNT(*) AS instances FROM instance WHERE study_id = ?',
    studyId,
  )!;
  const first = sql.get<{ header: string }>(
    'SELECT header FROM instance WHERE study_id = ? LIMIT 1',
    studyId,
  );
  return {
    studyInstanceUid: row.study_uid,
    modality: (JSON.parse(first?.header ?? '{}') as InstanceHeader).modality ?? null,
    receivedInstances: instances,
    receivedAtMs: row.first_received_ms,
    revision: row.revision,
    state: row.state,
    products: readProducts(sql, row),
    statusObject: readStatusObject(sql, studyId),
  };
}

function readProducts(sql: Sql, row: StudyRow): ProductView[] {
  const jobs = sql.all<Omit<ProductView, 'results' | 'words'>>(
    `SELECT product, product_version AS version, job_id AS jobId, revision, state, code, detail
     FROM job WHERE study_id = ? AND COALESCE(stands_in, revision) = ? ORDER BY product`,
    row.study_id,
    row.revision,
  );
  return jobs.map((job) => ({
    ...job,
    words: wordsOf(job.code),
    results: sql.all<ResultView>(
      `SELECT role, sop_class_uid AS sopClassUid, series_uid AS seriesInstanceUid,
         sop_instance_uid AS sopInstanceUid, state
       FROM delivery WHERE job_id = ? ORDER BY issue, output_index`,
      job.jobId,
    ),
  }));
}

function wordsOf(code: string | null): ProductView['words'] {
  if (code === null || !isReasonCode(code)) return null;
  const { nl, en } = REASON_CODES[code];
  return { nl, en };
}

function readStatusObject(sql: Sql, studyId: number): StudyFacts['statusObject'] {
  const found = sql.get<NonNullable<StudyFacts['statusObject']>>(
    `SELECT sop_class_uid AS sopClassUid, series_uid AS seriesInstanceUid,
       sop_instance_uid AS sopInstanceUid, state, issue
     FROM status_object WHERE study_id = ? ORDER BY issue DESC LIMIT 1`,
    studyId,
  );
  return found ?? null;
}
