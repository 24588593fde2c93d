/**
 * End checks: what must be true when all faults are over and everything had time to heal.
 * Decides by the rows and files of each gateway against the reference model: what was accepted is
 * there, each product of each revision has one end and one only, each result that is owed is in the
 * PACS, and what a guard had to stop was stopped.
 * Source: reliability specification 2 (invariants asserted at run time), P0 to P7.
 */
import { EARLY_NEGATIVE_DETAIL } from '@aifi/contracts-manifests';
import {
  SUPERSEDED_CODE,
  SUPERSEDED_REASON,
  WITHDRAWN_REASON,
  type Sql,
} from '@aifi/gateway-database';
import { LIMITS, sha256Hex } from '@aifi/shared-kernel';
import type { Simulated, Site } from './simulation.js';

interface JobRow {
  readonly job_id: string;
  readonly study_uid: string;
  readonly revision: number;
  readonly product: string;
  readonly state: string;
  readonly code: string | null;
  readonly isSuperseded: 0 | 1;
  readonly isPoison: 0 | 1;
}
/** It ended because a newer revision had an outcome, and nothing may follow that (hazard H7). */
const IS_SUPERSEDED = `state = 'NOT_ANALYSED_NOTIFIED' AND code = '${SUPERSEDED_CODE}'
  AND detail = '${SUPERSEDED_REASON}' AND EXISTS (
    SELECT 1 FROM job newer JOIN inbound USING (job_id) WHERE newer.study_id = job.study_id
      AND newer.product = job.product AND newer.revision > job.revision)`;
/** The hospital rejected its images, or a negative had to come from the whole study, and did. */
const IS_OVER = `state = 'NOT_ANALYSED_NOTIFIED' AND (detail = '${WITHDRAWN_REASON}'
  OR detail LIKE '%${WITHDRAWN_REASON}'
  OR detail = '${EARLY_NEGATIVE_DETAIL}' AND EXISTS (
    SELECT 1 FROM job newer WHERE newer.study_id = job.study_id
      AND newer.product = job.product AND newer.revision > job.revision))`;
/** Held for a person because a process ended at each try. */
const IS_POISON = "COALESCE(job.detail, '') LIKE 'the process ended each time %'";
const TERMINAL = ['RESULT_IN_PACS', 'NOT_ANALYSED_NOTIFIED', 'NOT_ELIGIBLE_LOGGED'];
const PASSED = ['REIDENTIFIED', 'RESULT_IN_PACS'];

export function checkEnd(simulated: Simulated): void {
  if (simulated.unsent > 0) simulated.model.violated('P0: an instance was never accepted');
  for (const site of simulated.sites) {
    site.gateway.database.read((sql) => {
      checkAccepted(simulated, site, sql);
      checkJobs(simulated, site, sql);
      checkRecords(simulated, site, sql);
    });
  }
}

/** Every accepted instance has its row and its file, and belongs to a closed revision. */
function checkAccepted({ model }: Simulated, { gateway }: Site, sql: Sql): void {
  const { siteId } = gateway.parts;
  for (const [sopInstanceUid, sha256] of model.accepted.get(siteId) ?? []) {
    const row = sql.get<{ path: string; sha256: string; revision: number | null }>(
      'SELECT path, sha256, revision FROM instance WHERE sop_instance_uid = ?',
      sopInstanceUid,
    );
    if (!row) {
      model.violated('P0: an accepted instance is lost');
      continue;
    }
    const bytes = gateway.disk.peek(row.path);
    if (!bytes || sha256Hex(bytes) !== sha256) model.violated('P0: an accepted file is not whole');
    if (row.revision === null) model.violated('H5: an accepted instance is in no revision');
  }
}

function checkJobs({ model }: Simulated, { gateway, pacs }: Site, sql: Sql): void {
  const { siteId } = gateway.parts;
  const open = sql.all("SELECT 1 FROM study_revision WHERE state <> 'SELECTED'");
  if (open.length > 0) model.violated('H5: a revision was never looked at');
  const jobs = sql.all<JobRow>(
    `SELECT job_id, study_uid, job.revision, product, state, code,
         (${IS_SUPERSEDED} OR ${IS_OVER}) AS isSuperseded, ${IS_POISON} AS isPoison
       FROM job JOIN study USING (study_id)`,
  );
  for (const job of jobs) {
    const { job_id: jobId, study_uid: studyUid, revision, product, state, code } = job;
    if (job.isSuperseded) continue;
    const guard = model.guardOf(siteId, jobId);
    if (guard && PASSED.includes(state)) model.violated(`${guard}: a mix-up was believed`);
    const isExcused = model.isExcused(siteId, jobId) || model.isStudyExcused(siteId, studyUid);
    const isStopped = state === 'QUARANTINED' || state === 'HELD';
    // What was in hand at every death is left alone: that may be a chance of the schedule.
    if (isStopped && job.isPoison && gateway.deaths >= LIMITS.parseAttemptsMax) continue;
    if (!TERMINAL.includes(state) && !(isExcused && isStopped)) {
      model.violated(`H5: a job has not ended: ${state} ${code ?? ''}`);
    }
    if (state === 'NOT_ANALYSED_NOTIFIED' && !isExcused) {
      model.violated(`H5: a job has no result for no reason: ${code ?? ''}`);
    }
    if (state !== 'RESULT_IN_PACS') continue;
    const result = model.resultOf(siteId, { studyUid, product, revision });
    if (!result || !pacs.has(result.sopInstanceUid)) {
      model.violated('P6: a delivered result is not in the PACS');
    }
  }
}

/** Each end is on record once; each object in the PACS is on the register. */
function checkRecords({ model }: Simulated, { gateway, pacs }: Site, sql: Sql): void {
  const ends = sql.all<{ ends: number }>(
    `SELECT count(*) AS ends FROM journal JOIN job USING (job_id)
      WHERE terminal_ms IS NOT NULL AND journal.detail ->> '$.state' IN
        ('RESULT_IN_PACS', 'NOT_ANALYSED_NOTIFIED', 'NOT_ELIGIBLE_LOGGED') GROUP BY job_id`,
  );
  if (ends.some((row) => row.ends !== 1)) model.violated('P7: an end is not on record once');
  for (const uid of pacs.objects) {
    if (!gateway.vault?.registeredResult(uid)) {
      model.violated('P7: a result in the PACS is not on the register');
    }
  }
}
