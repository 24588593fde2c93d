/**
 * PixelHoldStore: images that wait for a person, and what the person decides.
 * Decides that a job goes on when all its held files are released, and ends at once when one is
 * rejected. Invariants: a decision names the digest of the file that was shown, is taken once and
 * is never taken back; a decision after the deadline counts too; each has its journal row.
 * Source: pseudonymisation specification 1.5 (human release); reliability specification H11.
 */
import { moveJob, recordJournal, reselectJob } from '@aifi/gateway-database';
import type { GatewayDatabase, JobState, Sql } from '@aifi/gateway-database';
import type { PixelFinding } from '@aifi/dicom-pixel-gate';
import { AifiError } from '@aifi/shared-kernel';

export interface PixelHold {
  readonly id: string;
  readonly jobId: string;
  readonly studyUid: string;
  readonly product: string;
  readonly lane: 'acute' | 'routine';
  readonly reason: string;
  readonly findings: readonly PixelFinding[];
  readonly sha256: string;
  readonly heldMs: number;
  /** Since when the deadline of the job counts. */
  readonly sinceMs: number;
  readonly jobState: JobState;
  /** Files of the job that wait, this one among them. */
  readonly files: number;
  /** Where the received file lies. */
  readonly path: string;
}
export interface HoldSubject extends Pick<PixelHold, 'jobId' | 'studyUid' | 'sha256'> {
  /** Of the hold. */
  readonly state: 'WAITING' | HoldDecision['state'];
}
/** The last one of the page before. */
export type HoldPlace = Pick<PixelHold, 'lane' | 'heldMs' | 'id'>;
/** Of one job, or one alone. */
export interface HoldFilter {
  readonly jobId?: string | undefined;
  readonly holdId?: string | undefined;
}
export interface HoldPage extends HoldFilter {
  readonly limit: number;
  readonly after?: HoldPlace | undefined;
}
export interface HoldDecision {
  readonly id: string;
  readonly sha256: string;
  readonly state: 'RELEASED' | 'REJECTED';
  /** Makes a decision carried out twice one decision. */
  readonly atMs: number;
}
export interface DecidedHold {
  readonly state: string;
  /** False: somebody had decided before. */
  readonly isDecided: boolean;
  readonly waiting: number;
  readonly isTakenUp: boolean;
}

/** What waits and is still there: images that retention has removed are nobody's work any more. */
const WAITING = `
  SELECT hold_id AS id, h.job_id AS jobId, study_uid AS studyUid, product, lane, h.reason, findings,
      h.sha256, held_ms AS heldMs, COALESCE(reopened_ms, created_ms) AS sinceMs,
      job.state AS jobState, (SELECT COUNT(*) FROM pixel_hold w
        WHERE w.job_id = h.job_id AND w.state = 'WAITING') AS files,
      (SELECT path FROM instance i WHERE i.study_id = job.study_id AND i.sha256 = h.sha256
        AND i.removed_ms IS NULL LIMIT 1) AS path
    FROM pixel_hold h JOIN job USING (job_id) JOIN study USING (study_id)
    WHERE h.state = 'WAITING'`;
const MATCHING = `WHERE path IS NOT NULL AND (?1 IS NULL OR jobId = ?1)
  AND (?2 IS NULL OR id = ?2)`;
const valuesOf = ({ jobId, holdId }: HoldFilter): (string | number | null)[] => [
  ...[jobId ?? null, holdId === undefined ? null : Number(holdId)],
];
type HoldRow = Omit<PixelHold, 'id' | 'findings'> & {
  readonly id: number;
  readonly findings: string;
};

export class PixelHoldStore {
  constructor(private readonly database: GatewayDatabase) {}

  /** Acute first, then the oldest. */
  list({ limit, after, ...filter }: HoldPage): PixelHold[] {
    const place = after && [after.lane === 'acute' ? 0 : 1, after.heldMs, Number(after.id)];
    const rows = this.database.read((sql) =>
      sql.all<HoldRow>(
        `SELECT * FROM (${WAITING}) ${MATCHING}
           AND (?3 IS NULL OR (lane <> 'acute', heldMs, id) > (?3, ?4, ?5))
         ORDER BY lane <> 'acute', heldMs, id LIMIT ?6`,
        ...[...valuesOf(filter), ...(place ?? [null, null, null]), limit],
      ),
    );
    return rows.map(holdOf);
  }

  /** How many there are, and since when the oldest. */
  totals(filter: HoldFilter = {}): { readonly count: number; readonly oldestMs: number | null } {
    return this.database.read((sql) =>
      sql.get<{ count: number; oldestMs: number | null }>(
        `SELECT COUNT(*) AS count, MIN(heldMs) AS oldestMs FROM (${WAITING}) ${MATCHING}`,
        ...valuesOf(filter),
      )!,
    );
  }

  /** Undefined when nobody has to decide on it (any more), or its images are gone. */
  waiting(id: string): PixelHold | undefined {
    return this.list({ holdId: id, limit: 1 })[0];
  }

  /** Whose image it is or was, whatever has become of it. */
  subject(id: string): HoldSubject | undefined {
    return this.database.read((sql) =>
      sql.get<HoldSubject>(
        `SELECT job_id AS jobId, study_uid AS studyUid, sha256, pixel_hold.state
           FROM pixel_hold JOIN job USING (job_id) JOIN study USING (study_id) WHERE hold_id = ?`,
        Number(id),
      ),
    );
  }

  /** Durable on return; NOT_FOUND for a hold that never was. */
  decide(decision: HoldDecision): Promise<DecidedHold> {
    const { id, sha256, state, atMs } = decision;
    return this.database.write((sql) => {
      const changed = sql.run(
        `UPDATE pixel_hold SET state = ?, decided_ms = ?
          WHERE hold_id = ? AND sha256 = ? AND state = 'WAITING' AND held_ms <= ?`,
        ...[state, atMs, Number(id), sha256, atMs],
      );
      if (changed === 1) follow(sql, decision);
      return decidedHold(sql, decision);
    });
  }

  /** Takes a job up again that was stopped; false when it cannot be. NOT_FOUND when unknown. */
  retry(jobId: string, atMs: number): Promise<{ isTakenUp: boolean; state: string }> {
    return this.database.write((sql) => {
      tryReselect(sql, jobId, atMs);
      const job = sql.get<{ state: string; reopened: number | null }>(
        'SELECT state, reopened_ms AS reopened FROM job WHERE job_id = ?',
        jobId,
      );
      if (!job) throw new AifiError('NOT_FOUND', 'no such job at this gateway');
      return { isTakenUp: job.reopened === atMs, state: job.state };
    });
  }
}

const holdOf = ({ id, findings, ...row }: HoldRow): PixelHold => ({
  ...{ ...row, id: String(id) },
  findings: JSON.parse(findings) as PixelFinding[],
});

interface HeldJob {
  readonly job_id: string;
  readonly study_id: number;
  readonly state: JobState;
  readonly waiting: number;
}

/** What a decision means for the job. */
function follow(sql: Sql, { id, state, atMs }: HoldDecision): void {
  const job = sql.get<HeldJob>(
    `SELECT job_id, study_id, job.state, (SELECT COUNT(*) FROM pixel_hold w
        WHERE w.job_id = h.job_id AND w.state = 'WAITING') AS waiting
      FROM pixel_hold h JOIN job USING (job_id) WHERE hold_id = ?`,
    Number(id),
  )!;
  const { job_id: jobId, study_id: studyId, waiting } = job;
  const event = state === 'RELEASED' ? 'released' : 'rejected';
  if (state === 'REJECTED') {
    // Nothing of the job will leave: nobody has to look at its other images.
    sql.run(
      `UPDATE pixel_hold SET state = 'REJECTED', decided_ms = ?
        WHERE job_id = ? AND state = 'WAITING'`,
      ...[atMs, jobId],
    );
  }
  if (state === 'REJECTED' && job.state === 'QUARANTINED') {
    moveJob(sql, {
      ...{ jobId, from: 'QUARANTINED', to: 'NOT_ANALYSED_NOTIFIED', stage: 'pseudonymise' },
      ...{ event, atMs, code: 'QUARANTINED_PIXELS', reason: 'a person has rejected the images' },
    });
    return;
  }
  const detail = { waiting: state === 'REJECTED' ? 0 : waiting };
  recordJournal(sql, { studyId, jobId, stage: 'pseudonymise', event, atMs, detail });
  // With an image that waits or was rejected it stays where it is.
  if (state === 'RELEASED') tryReselect(sql, jobId, atMs);
}

/** False when the job has to stay where it is; nothing has changed then. */
function tryReselect(sql: Sql, jobId: string, atMs: number): boolean {
  try {
    reselectJob(sql, { jobId, atMs });
    return true;
  } catch (error) {
    if (AifiError.from(error).code === 'STATE_CONFLICT') return false;
    throw error;
  }
}

function decidedHold(sql: Sql, { id, state, atMs }: HoldDecision): DecidedHold {
  const row = sql.get<{ state: string; decided: number; waiting: number; reopened: number }>(
    `SELECT h.state, decided_ms AS decided, reopened_ms AS reopened,
        (SELECT COUNT(*) FROM pixel_hold w WHERE w.job_id = h.job_id AND w.state = 'WAITING')
          AS waiting
      FROM pixel_hold h JOIN job USING (job_id) WHERE hold_id = ?`,
    Number(id),
  );
  if (!row) throw new AifiError('NOT_FOUND', 'there are no such images at this gateway');
  const isDecided = row.state === state && row.decided === atMs;
  const isTakenUp = isDecided && row.reopened === atMs;
  return { state: row.state, isDecided, waiting: row.waiting, isTakenUp };
}
