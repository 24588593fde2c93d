/**
 * Product requests: "run this AI on this study", from a PACS, a page, a command or an order.
 * Decides that one push of a study is one request, however many images it has, and that what was
 * asked for once counts for every later revision of the study.
 * Invariants: written in the transaction of what asks; a request lifts nothing but the study's age
 * and the hospital's choice of products. Source: features 37; governance specification 4.3.
 */
import type { Sql } from './gateway-database.js';

export interface ProductRequest {
  readonly studyUid: string;
  readonly product: string;
  readonly source: 'ae-title' | 'page' | 'command-line' | 'order' | 'rule';
  /** @default that of the product */
  readonly lane?: 'acute' | 'routine' | undefined;
  readonly atMs: number;
}
export interface RequestedProduct {
  readonly product: string;
  readonly lane: 'acute' | 'routine' | null;
}

/** Silence between two images after which the next one is a new press of the button. @unit ms */
export const ONE_PUSH_MS = 60_000;

/** True: a request that has to be answered; false: it is part of one that is known. */
export function requestProduct(sql: Sql, request: ProductRequest): boolean {
  const { studyUid, product, source, lane, atMs } = request;
  const open = sql.run(
    `UPDATE product_request SET last_ms = ?1, lane = COALESCE(?2, lane)
      WHERE study_uid = ?3 AND product = ?4 AND source = ?5
        AND (taken_ms IS NULL OR source = 'ae-title' AND last_ms > ?1 - ?6)`,
    ...[atMs, lane ?? null, studyUid, product, source, ONE_PUSH_MS],
  );
  if (open > 0) return false;
  sql.run(
    `INSERT INTO product_request (study_uid, product, source, lane, requested_ms, last_ms)
     VALUES (?1, ?2, ?3, ?4, ?5, ?5)`,
    ...[studyUid, product, source, lane ?? null, atMs],
  );
  return true;
}

/** What was ever asked for; acute when any request says so. */
export function requestedProducts(sql: Sql, studyUid: string): readonly RequestedProduct[] {
  return sql.all<RequestedProduct>(
    `SELECT product, MIN(lane) AS lane FROM product_request WHERE study_uid = ?
      GROUP BY product ORDER BY product`,
    studyUid,
  );
}
