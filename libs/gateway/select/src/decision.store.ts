/**
 * DecisionStore: rows of what select decided, with the facts that it rested on.
 * Decides how long they are kept: facts long enough to ask what other rules would have done, the
 * decisions as long as the law asks for.
 * Invariants: one row per product and look, also for a refusal, in the transaction of the look;
 * facts that are alike are kept once. Source: governance specification 4.7 (RoutingDecision).
 */
import type { Sql } from '@aifi/gateway-database';
import { sha256Hex, type Sha256 } from '@aifi/shared-kernel';
import type { StudyFacts } from '@aifi/policy-routing-rules';
import type { Decision } from './decision.js';
import type { RevisionKey } from './study-facts.js';

/** @unit ms */
const DAY_MS = 24 * 60 * 60 * 1000;
export const FACTS_KEPT_MS = 90 * DAY_MS;
/** Five years, and what leap days add. */
export const DECISIONS_KEPT_MS = 5 * 366 * DAY_MS;
/** In one transaction, so that images come in meanwhile. */
const EXPIRED_AT_ONCE = 1_000;

/** Why it was looked at: a new revision, a request by name, or rules that are newer. */
export type DecisionCause = 'revision' | 'request' | 'newer-rules';

export interface Look extends RevisionKey {
  readonly cause: DecisionCause;
  readonly facts: StudyFacts;
  readonly ruleSetSha256: Sha256;
  readonly atMs: number;
}

/** Keeps the facts; the digest under which decisions name them. */
export function recordFacts(sql: Sql, { facts, atMs }: Look): Sha256 {
  const json = JSON.stringify(facts);
  const sha256 = sha256Hex(json);
  sql.run(
    `INSERT INTO routing_facts (sha256, facts, at_ms) VALUES (?, ?, ?)
     ON CONFLICT (sha256) DO UPDATE SET at_ms = excluded.at_ms`,
    ...[sha256, json, atMs],
  );
  return sha256;
}

export function recordDecision(
  sql: Sql,
  look: Look,
  { product, verdict }: Decision,
  factsSha256: Sha256,
): void {
  const reasons = verdict.allow ? [] : verdict.reasons;
  const ordered = verdict.allow
    ? []
    : [verdict.decisive, ...reasons.filter((reason) => reason !== verdict.decisive)];
  sql.run(
    `INSERT INTO routing_decision (study_id, revision, product, product_version, cause, verdict,
       codes, reasons, facts_sha256, rule_set_sha256, at_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    look.studyId,
    look.revision,
    product.product,
    product.version,
    look.cause,
    verdict.allow ? 'allow' : verdict.decisive.review ? 'review' : 'deny',
    JSON.stringify([...new Set(ordered.map(({ code }) => code))]),
    JSON.stringify(ordered.map(({ code, rule, words }) => ({ code, rule, words }))),
    ...[factsSha256, look.ruleSetSha256, look.atMs],
  );
}

/** Removes what is over its time, requests with their decisions; says whether there is more. */
export function expireDecisions(sql: Sql, nowMs: number): boolean {
  const facts = sql.run(
    `DELETE FROM routing_facts WHERE sha256 IN
       (SELECT sha256 FROM routing_facts WHERE at_ms < ? LIMIT ?)`,
    ...[nowMs - FACTS_KEPT_MS, EXPIRED_AT_ONCE],
  );
  const decisions = sql.run(
    `DELETE FROM routing_decision WHERE decision_id IN
       (SELECT decision_id FROM routing_decision WHERE at_ms < ? LIMIT ?)`,
    ...[nowMs - DECISIONS_KEPT_MS, EXPIRED_AT_ONCE],
  );
  const requests = sql.run(
    `DELETE FROM product_request WHERE request_id IN
       (SELECT request_id FROM product_request WHERE taken_ms < ? LIMIT ?)`,
    ...[nowMs - DECISIONS_KEPT_MS, EXPIRED_AT_ONCE],
  );
  return Math.max(facts, decisions, requests) === EXPIRED_AT_ONCE;
}
