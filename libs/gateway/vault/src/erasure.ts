/**
 * Erasure: what leaves the vault, by time or because a patient asks.
 * Decides which rows go together: a study's linkages, its history, and, where the hospital wants
 * it, its results; a patient also goes from the past of studies that are another's now.
 * Invariants: the data key is overwritten first (crypto-erasure), then the ciphertext; what came
 * after an erasure stays when the erasure is applied again.
 * Source: GDPR Article 17; reliability specification 2 (deletion rules).
 */
import type { Sql } from '@aifi/gateway-database';
import type { JobId } from '@aifi/shared-kernel';
import type { Erasure } from './erasure-list.js';
import {
  eraseFromOthers,
  eraseHistory,
  orphanedStudies,
  studyIndexesOfPatient,
} from './identity-history.store.js';
import { eraseLinkage, isLinked, jobsOfStudy, studyIndexOf } from './linkage.store.js';
import { eraseResults } from './result-register.store.js';

export interface Erased {
  readonly jobs: number;
  readonly results: number;
}

/** Does what a line of the list says, once; runs in a transaction. */
export function applyErasure(sql: Sql, erasure: Erasure): Erased {
  const { id, atMs, results } = erasure;
  const patient = Buffer.from(erasure.patient, 'hex');
  const listed = erasure.studies.map((study) => Buffer.from(study, 'hex'));
  // In a restored backup the patient may have studies that were moved away later: they go as well.
  const studies = [...listed, ...studyIndexesOfPatient(sql, patient)];
  const erased = { jobs: 0, results: 0 };
  for (const study of studies) {
    const jobs = jobsOfStudy(sql, study, atMs);
    for (const jobId of jobs) eraseLinkage(sql, jobId);
    eraseHistory(sql, study, atMs);
    erased.jobs += jobs.length;
    if (results) erased.results += eraseResults(sql, { column: 'study_index', index: study }, atMs);
  }
  eraseFromOthers(sql, patient, atMs);
  if (results) {
    erased.results += eraseResults(sql, { column: 'patient_index', index: patient }, atMs);
  }
  sql.run('INSERT OR IGNORE INTO erasure_applied VALUES (?, ?)', id, atMs);
  return erased;
}

export function isApplied(sql: Sql, { id }: Erasure): boolean {
  return sql.get('SELECT 1 FROM erasure_applied WHERE erasure_id = ?', id) !== undefined;
}

/** Erases the linkages of jobs, and the history of a study that no linkage needs any more. */
export function expireJobs(sql: Sql, jobs: readonly JobId[]): number {
  let count = 0;
  for (const jobId of jobs) {
    const study = studyIndexOf(sql, jobId);
    if (!study || !isLinked(sql, jobId)) continue;
    eraseLinkage(sql, jobId);
    count += 1;
    const isNeeded = jobsOfStudy(sql, study, Number.MAX_SAFE_INTEGER).length > 0;
    if (!isNeeded) eraseHistory(sql, study, Number.MAX_SAFE_INTEGER);
  }
  return count;
}

/** Erases identities of studies that never had, or no longer have, a linkage. */
export function expireOrphans(sql: Sql, beforeMs: number): void {
  for (const study of orphanedStudies(sql, beforeMs)) {
    eraseHistory(sql, study, Number.MAX_SAFE_INTEGER);
  }
}
