/**
 * Study list: jobs of pseudonymous studies over all sites, newest first, page by page.
 * Decides one statement for each form of the question, so that each is answered from its index;
 * several sites are merged from one index scan each. Invariant: read by the queue role, so columns
 * of the queue only (guard C3); a page never costs more than its lines for each site.
 * Source: conventions 3 (query-plan tests for hot queries).
 */
import type { HubStudy } from '@aifi/contracts-rest';
import type { HubDatabase } from './hub-database.js';
import { cursorMicros, cursorTime, pageOfRows, readCursor, type Page } from './page-cursor.js';
import type { SqlValue } from './sql.js';

export interface StudyListQuery {
  /** Undefined: all sites. */
  readonly siteIds: readonly string[] | undefined;
  readonly state?: string | undefined;
  readonly studyPseudonym?: string | undefined;
  readonly cursor?: string | undefined;
  readonly limit: number;
}

const COLUMNS = `site_id, study_pseudonym, job_id, revision, product, version, lane, state, code,
  opened_at, concluded_at, acknowledged_at`;
// $1 to $3: time, site and job of the line before the page; $4: lines wanted.
const BEFORE = `(opened_at, site_id, job_id) < (${cursorTime(1)}, $2, $3)`;
const NEWEST = 'ORDER BY opened_at DESC, site_id DESC, job_id DESC LIMIT $4';
const SELECT = `SELECT ${COLUMNS}, ${cursorMicros('opened_at')} AS micros FROM`;

/** Over all sites: the order of the index is the order of the list. */
const everywhere = (filter: string): string =>
  `${SELECT} study_job WHERE ${filter} ${BEFORE} ${NEWEST}`;
/**
 * Of the sites $5: a page of each, then the newest of those. The bounds name the site as a range,
 * so that only the index that begins with it gives the order: the planner must not look for a quiet
 * site's jobs among everybody's. A site before that of the cursor has not shown its jobs of the
 * cursor's own moment yet, one after it has; 'g' is after every job id.
 */
const ofSites = (columns: string, values: string): string => `${SELECT} (
  SELECT site, CASE WHEN site = $2 THEN $3 WHEN site < $2 THEN 'g' ELSE '' END AS job
  FROM unnest($5::text[]) AS site) AS asked CROSS JOIN LATERAL (
  SELECT ${COLUMNS} FROM study_job
  WHERE (${columns}) >= (${values})
    AND (${columns}, opened_at, job_id) < (${values}, ${cursorTime(1)}, asked.job)
  ORDER BY ${columns.replace(/\w+/g, '$& DESC')}, opened_at DESC, job_id DESC LIMIT $4
) AS newest ${NEWEST}`;

/** The statements of the list; a test asks the planner about each. */
export const STUDY_LIST_SQL = {
  all: everywhere(''),
  inState: everywhere('state = $5 AND'),
  ofStudy: everywhere('study_pseudonym = $5 AND'),
  ofSites: ofSites('site_id', 'asked.site'),
  ofSitesInState: ofSites('site_id, state', 'asked.site, $6'),
  /** A study has few jobs: those of all sites and states are looked through. */
  ofStudyFiltered: everywhere(
    `study_pseudonym = $5 AND ($6::text[] IS NULL OR site_id = ANY($6))
     AND ($7::text IS NULL OR state = $7) AND`,
  ),
} as const;
export type StudyListForm = keyof typeof STUDY_LIST_SQL;

/** The form of a question, and its values after the first four. */
export function studyListForm({
  siteIds,
  state,
  studyPseudonym,
}: StudyListQuery): [StudyListForm, SqlValue[]] {
  if (studyPseudonym !== undefined) {
    if (!siteIds && state === undefined) return ['ofStudy', [studyPseudonym]];
    return ['ofStudyFiltered', [studyPseudonym, siteIds ?? null, state ?? null]];
  }
  if (siteIds) {
    const sites = [...new Set(siteIds)];
    return state === undefined ? ['ofSites', [sites]] : ['ofSitesInState', [sites, state]];
  }
  return state === undefined ? ['all', []] : ['inState', [state]];
}

interface StudyRow {
  readonly site_id: string;
  readonly study_pseudonym: string;
  readonly job_id: string;
  readonly revision: number;
  readonly product: string;
  readonly version: string;
  readonly lane: string;
  readonly state: string;
  readonly code: string | null;
  readonly opened_at: Date;
  readonly concluded_at: Date | null;
  readonly acknowledged_at: Date | null;
  readonly micros: string;
}

/** One page of the list. INVALID_ARGUMENT for a cursor that is none. */
export async function listStudies(
  database: HubDatabase,
  query: StudyListQuery,
): Promise<Page<HubStudy>> {
  const [form, values] = studyListForm(query);
  const before = readCursor(query.cursor);
  const { limit } = query;
  const rows = await database.withQueue((sql) =>
    sql.rows<StudyRow>(STUDY_LIST_SQL[form], ...before, limit + 1, ...values),
  );
  return pageOfRows(rows, limit, {
    item: studyOf,
    cursor: (row) => [Number(row.micros), row.site_id, row.job_id],
  });
}

function studyOf(row: StudyRow): HubStudy {
  const { revision, product, version, lane, state, code } = row;
  return {
    siteId: row.site_id,
    studyPseudonym: row.study_pseudonym,
    jobId: row.job_id,
    ...{ revision, product, version, lane, state, code },
    openedAtMs: row.opened_at.getTime(),
    concludedAtMs: row.concluded_at?.getTime() ?? null,
    acknowledgedAtMs: row.acknowledged_at?.getTime() ?? null,
  };
}
