/**
 * Selects a product anew whose early job stood in the complete revision and turned out negative.
 * Decides on the whole study, as if the early job had not been: what may not be said of a part of
 * the study may be said of all of it.
 * Invariants: once per revision and product; a product that is deployed no more keeps the end that
 * its job has. Source: features specification 6; docs/adr/0026-revisions.md.
 */
import type { Sql } from '@aifi/gateway-database';
import { decide, readForDecision } from './decision.js';
import { recordDecision, recordFacts } from './decision.store.js';
import { insertJob } from './job.store.js';
import type { WaitingProduct } from './revision-scope.js';
import type { Selection } from './select-revision.js';

export function selectWaiting(
  sql: Sql,
  { jobId, product: name, studyId, revision }: WaitingProduct,
  { verified, site, newJobId, atMs }: Omit<Selection, 'studyId' | 'revision'>,
): void {
  const changed = sql.run(
    'UPDATE job SET stands_in = NULL WHERE job_id = ? AND stands_in = ?',
    ...[jobId, revision],
  );
  const product = verified.rules.products.find((one) => one.product === name);
  if (changed === 0 || !product) return;
  const study = readForDecision(sql, { studyId, revision }, site, atMs);
  const decision = decide(product, study, site);
  const ruleSetSha256 = verified.sha256;
  const key = { studyId, revision, ruleSetSha256, atMs };
  const look = { ...key, cause: 'revision', facts: study.facts } as const;
  recordDecision(sql, look, decision, recordFacts(sql, look));
  insertJob(sql, { ...key, decision, jobId: newJobId() });
}
