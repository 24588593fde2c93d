/**
 * RequestStore: products that were asked for by name, and what select says to that.
 * Decides which requests wait: those of a study whose images are still on their way, or of which a
 * revision is about to be selected, are answered by that revision; one without images stays.
 * Invariant: a request is answered once, with SELECTED or the code that stays in the way.
 * Source: features 37; governance specification 4.3.
 */
import type { Sql } from '@aifi/gateway-database';

/** Answered at one look; the rest waits for the next. */
const AT_ONCE = 50;

export interface OpenRequest {
  readonly requestId: number;
  readonly studyId: number;
  /** The newest revision of the study, which is selected. */
  readonly revision: number;
  readonly product: string;
  readonly source: string;
  readonly lastMs: number;
}

/** Those that no coming revision answers. */
export function requestsOfSelected(sql: Sql): readonly OpenRequest[] {
  return sql.all<OpenRequest>(
    `SELECT request_id AS requestId, study.study_id AS studyId, study.revision, product, source,
       MAX(requested_ms, last_ms) AS lastMs
      FROM product_request JOIN study USING (study_uid)
      JOIN whole_revision AS newest
        ON newest.study_id = study.study_id AND newest.revision = study.revision
      WHERE taken_ms IS NULL AND newest.state = 'SELECTED' AND NOT EXISTS (
        SELECT 1 FROM instance i WHERE i.study_id = study.study_id AND i.revision IS NULL)
      ORDER BY requested_ms LIMIT ?`,
    AT_ONCE,
  );
}

export function answerRequest(
  sql: Sql,
  requestId: number,
  { answer, atMs }: { readonly answer: string; readonly atMs: number },
): void {
  sql.run(
    'UPDATE product_request SET taken_ms = ?, answer = ? WHERE request_id = ? AND taken_ms IS NULL',
    ...[atMs, answer, requestId],
  );
}

export interface RevisionAnswer {
  readonly studyUid: string;
  /** @default whatever was asked for */
  readonly product?: string | undefined;
  readonly answer: string;
  readonly atMs: number;
}

export function answerOpenRequests(sql: Sql, said: RevisionAnswer): void {
  sql.run(
    `UPDATE product_request SET taken_ms = ?1, answer = ?2
      WHERE study_uid = ?3 AND taken_ms IS NULL AND (?4 IS NULL OR product = ?4)`,
    ...[said.atMs, said.answer, said.studyUid, said.product ?? null],
  );
}
