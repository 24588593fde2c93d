/**
 * DeliveryStore: the rows of what goes into the PACS, results of jobs and status objects of
 * studies, and what their moves mean. Decides that a job is in the PACS when every object of its
 * issue is verified there; a status object moves no job.
 * Invariants: an attempt is committed before the PACS is asked to store, a transaction before its
 * request leaves; a row moves only from the state it was read in; an object that the PACS lost is
 * sent again a bounded number of times, each loss being on record in the journal.
 * Source: reliability specification P6.
 */
import {
  endOvertakenJobs,
  moveJob,
  recordJournal,
  type GatewayDatabase,
  type JobState,
  type Sql,
} from '@aifi/gateway-database';
import { AifiError, invariant, type ErrorCode, type ReasonCode } from '@aifi/shared-kernel';
import type { DeliveryRow } from './delivery-row.js';

/** Why an object is a dead letter. */
export type DeadCode =
  /** The PACS answered A9xx, Cxxx, 0122 or 0124, or refused the presentation context. */
  | 'PEER_REFUSED'
  /** Accepted and lost, again and again. */
  | 'RESULT_LOST'
  /** The PACS says that it has it (0111) and does not list it. */
  | 'RESULT_NOT_LISTED'
  /** Storage commitment failed for a reason that sending again does not heal. */
  | 'COMMITMENT_FAILED'
  /** Not delivered before the deadline: the study or the PACS was not there. */
  | 'TIMEOUT'
  /** Status objects only, as their jobs have ended before. */
  | 'IDENTITY_UNEXPLAINED'
  | 'OUTPUT_INVALID';

/** Closed transactions; a report that comes still later changes nothing. @unit ms */
const COMMITMENTS_KEPT_MS = 30 * 86_400_000;
/** How often an object is sent before its losses make it a dead letter. */
const LOSSES_MAX = 3;
/** Journal events of the ends that are not a delivery. */
const EVENTS = {
  NOT_ANALYSED_NOTIFIED: 'refused',
  HELD: 'held',
  QUARANTINED: 'quarantined',
} as const;

/** An end of a job that came with a move of one of its rows. */
export type JobEnd = 'RESULT_IN_PACS' | 'NOT_ANALYSED_NOTIFIED';
export interface Later {
  readonly atMs: number;
  readonly attempts: number;
  readonly fault?: ErrorCode;
}

export class DeliveryStore {
  constructor(private readonly database: GatewayDatabase) {}

  /**
   * Durable before the first byte goes out: whoever finds attempts > 0 asks the PACS first.
   * STATE_CONFLICT when the row is not queued any more (a newer status object took its place).
   */
  async countAttempt(row: DeliveryRow): Promise<DeliveryRow> {
    const attempts = row.attempts + 1;
    await this.database.write((sql) =>
      change(sql, row, 'attempts = ?, transaction_uid = NULL', attempts),
    );
    return { ...row, attempts, transaction_uid: null, commitment: null };
  }
  /** Other bytes of the same instance, before it is stored: the patient has another identity. */
  async rewritten(
    row: DeliveryRow,
    file: { readonly path: string; readonly sha256: string },
    atMs: number,
  ): Promise<DeliveryRow> {
    invariant(row.state === 'QUEUED', 'a stored object is never rewritten');
    const { study_id: studyId, job_id: jobId, issue, output_index: output } = row;
    await this.database.write((sql) => {
      change(sql, row, 'path = ?, sha256 = ?', file.path, file.sha256);
      recordJournal(sql, {
        ...{ studyId, stage: 'deliver', event: 'rewritten', atMs },
        ...(row.source === 'delivery' && { jobId }),
        detail: { issue, output },
      });
    });
    return { ...row, ...file };
  }
  /** From here on `attempts` counts the looks for it. */
  async stored(row: DeliveryRow, dimseStatus: number): Promise<DeliveryRow> {
    await this.database.write((sql) =>
      change(
        sql,
        row,
        "state = 'STORED', attempts = 1, dimse_status = ?, last_fault = NULL",
        dimseStatus,
      ),
    );
    return { ...row, state: 'STORED', attempts: 1, dimse_status: dimseStatus };
  }
  /** Another try or look later. */
  async postpone(row: DeliveryRow, { atMs, attempts, fault }: Later): Promise<void> {
    await this.database.write((sql) =>
      set(
        sql,
        row,
        'attempts = ?, next_attempt_ms = ?, last_fault = ?',
        attempts,
        atMs,
        fault ?? null,
      ),
    );
  }
  /** Later as well, but nothing was tried: the study is not there, or a report is on its way. */
  async wait(row: DeliveryRow, atMs: number): Promise<void> {
    await this.database.write((sql) =>
      set(sql, row, 'next_attempt_ms = ?, last_fault = NULL', atMs),
    );
  }
  /**
   * The transaction is on record before its request leaves. `retryAtMs`: when to ask anew if
   * nothing is heard of this one, a crash included.
   */
  async requested(
    row: DeliveryRow,
    request: { readonly transactionUid: string; readonly atMs: number; readonly retryAtMs: number },
  ): Promise<DeliveryRow> {
    const { transactionUid, atMs, retryAtMs } = request;
    await this.database.write((sql) => {
      closeCommitment(sql, row, 'EXPIRED');
      sql.run(
        "DELETE FROM storage_commitment WHERE requested_ms < ? AND state <> 'REQUESTED'",
        atMs - COMMITMENTS_KEPT_MS,
      );
      sql.run("INSERT INTO storage_commitment VALUES (?, ?, 'REQUESTED')", transactionUid, atMs);
      change(sql, row, 'transaction_uid = ?, next_attempt_ms = ?', transactionUid, retryAtMs);
    });
    return {
      ...row,
      ...{ transaction_uid: transactionUid, commitment: 'REQUESTED', requested_ms: atMs },
    };
  }
  /** No report came, or none will: the PACS is asked by C-FIND instead. */
  async expired(row: DeliveryRow): Promise<DeliveryRow> {
    await this.database.write((sql) => closeCommitment(sql, row, 'EXPIRED'));
    return { ...row, commitment: 'EXPIRED' };
  }

  /** The end of the job when that was its last object. */
  verified(row: DeliveryRow, atMs: number): Promise<JobEnd | undefined> {
    return this.database.write((sql) => {
      change(sql, row, "state = 'VERIFIED', last_fault = NULL");
      closeCommitment(sql, row, 'REPORTED');
      if (row.source === 'status_object') {
        tell(sql, row, { event: 'status-delivered', atMs });
        return undefined;
      }
      // Nothing of an older revision follows it: what waits for that is over (hazard H7).
      endOvertakenJobs(sql, { studyId: row.study_id, stage: 'deliver', atMs });
      return endOfJob(sql, row, atMs);
    });
  }
  /**
   * The PACS accepted the object and does not have it: it is sent again, or is a dead letter when
   * that happened too often. `isDisowned`: the PACS said so itself, so it is not
   * asked by C-FIND whether it has it after all.
   */
  lost(
    row: DeliveryRow,
    loss: { readonly nowMs: number; readonly atMs: number; readonly isDisowned: boolean },
  ): Promise<JobEnd | undefined> {
    return this.database.write((sql) => {
      closeCommitment(sql, row, 'REPORTED');
      const losses = countLosses(sql, row) + 1;
      const { study_id: studyId, job_id: jobId, issue, output_index: output, replays } = row;
      recordJournal(sql, {
        ...{ studyId, stage: 'deliver', event: 'lost', atMs: loss.nowMs },
        ...(row.source === 'delivery' && { jobId }),
        detail: { issue, output, replays, losses },
      });
      if (losses >= LOSSES_MAX) {
        return bury(sql, row, { code: 'RESULT_LOST', atMs: loss.nowMs });
      }
      const transaction = loss.isDisowned ? row.transaction_uid : null;
      change(
        sql,
        row,
        "state = 'QUEUED', attempts = ?, next_attempt_ms = ?, transaction_uid = ?",
        losses,
        loss.atMs,
        transaction,
      );
      return undefined;
    });
  }
  /** A dead letter: the PACS will not take or not keep this object, and its job ends with that. */
  dead(row: DeliveryRow, death: Death): Promise<JobEnd | undefined> {
    return this.database.write((sql) => {
      closeCommitment(sql, row, 'REPORTED');
      return bury(sql, row, death);
    });
  }
  /** `identityVersion`: of the history that the look was made with. */
  async held(
    row: DeliveryRow,
    { atMs, identityVersion }: { readonly atMs: number; readonly identityVersion: number },
  ): Promise<void> {
    const detail = { identityVersion };
    await this.database.write((sql) =>
      leave(sql, row, { to: 'HELD', code: 'IDENTITY_UNEXPLAINED', atMs, detail }),
    );
  }
  /** The kill switches do not let it go now; its rows stay as they are. */
  async withheld(
    row: DeliveryRow,
    hold: { readonly code: ReasonCode; readonly reason: string; readonly atMs: number },
  ): Promise<void> {
    await this.database.write((sql) => move(sql, row, { to: 'HELD', ...hold }));
  }
  /** Our own copy is damaged; what is in the PACS of this job stays. */
  async quarantined(row: DeliveryRow, atMs: number): Promise<void> {
    await this.database.write((sql) =>
      leave(sql, row, { to: 'QUARANTINED', code: 'OUTPUT_INVALID', atMs }),
    );
  }
  /** A status object of a study that never came to the PACS: nothing waits for it for ever. */
  async abandoned(row: DeliveryRow, atMs: number): Promise<void> {
    await this.database.write((sql) => bury(sql, row, { code: 'TIMEOUT', atMs }));
  }
}

type Values = (string | number | null)[];
/** Changes the row if it is still in the state it was read in; says whether it was. */
function set(sql: Sql, row: DeliveryRow, assignments: string, ...values: Values): boolean {
  const statement = `UPDATE ${row.source} SET ${assignments} WHERE rowid = ? AND state = ?`;
  return sql.run(statement, ...values, row.row_id, row.state) === 1;
}
function change(sql: Sql, row: DeliveryRow, assignments: string, ...values: Values): void {
  if (set(sql, row, assignments, ...values)) return;
  throw new AifiError('STATE_CONFLICT', `object is not in state ${row.state} any more`);
}

function closeCommitment(sql: Sql, row: DeliveryRow, state: 'REPORTED' | 'EXPIRED'): void {
  sql.run(
    "UPDATE storage_commitment SET state = ? WHERE transaction_uid = ? AND state = 'REQUESTED'",
    state,
    row.transaction_uid,
  );
}

/** Since it was queued, by a person or at first. */
function countLosses(sql: Sql, row: DeliveryRow): number {
  return sql.get<{ losses: number }>(
    `SELECT count(*) AS losses FROM journal
      WHERE study_id = ? AND job_id IS ? AND event = 'lost' AND detail ->> '$.issue' = ?
        AND detail ->> '$.output' = ? AND detail ->> '$.replays' = ?`,
    ...[row.study_id, row.source === 'delivery' ? row.job_id : null],
    ...[row.issue, row.output_index, row.replays],
  )!.losses;
}

interface Death {
  readonly code: DeadCode;
  readonly atMs: number;
  readonly dimseStatus?: number | undefined;
}
/** The row is DEAD; a job that waits for it ends with it, a status object is left to the page. */
function bury(sql: Sql, row: DeliveryRow, death: Death): JobEnd | undefined {
  const { code, atMs, dimseStatus } = death;
  change(
    sql,
    row,
    "state = 'DEAD', dead_ms = ?, dead_code = ?, dimse_status = COALESCE(?, dimse_status)",
    ...[atMs, code, dimseStatus ?? null],
  );
  if (row.source === 'status_object') {
    // Its job ended before; what it tells is now on the gateway's page only.
    tell(sql, row, { event: 'told-on-page', atMs, code: REASONS[code] });
    return undefined;
  }
  if (jobState(sql, row) !== 'REIDENTIFIED') return undefined;
  return refused(sql, row, atMs);
}
function refused(sql: Sql, row: DeliveryRow, atMs: number): JobEnd {
  move(sql, row, { to: 'NOT_ANALYSED_NOTIFIED', code: 'PACS_REFUSED', atMs });
  return 'NOT_ANALYSED_NOTIFIED';
}
/** What the page tells, in the words of the closed table. */
const REASONS: Readonly<Record<DeadCode, ReasonCode>> = {
  PEER_REFUSED: 'PACS_REFUSED',
  RESULT_LOST: 'PACS_REFUSED',
  RESULT_NOT_LISTED: 'PACS_REFUSED',
  COMMITMENT_FAILED: 'PACS_REFUSED',
  TIMEOUT: 'TIMEOUT',
  IDENTITY_UNEXPLAINED: 'IDENTITY_UNEXPLAINED',
  OUTPUT_INVALID: 'OUTPUT_INVALID',
};

interface JobLeave<Code extends ReasonCode> {
  readonly to: keyof typeof EVENTS;
  readonly code: Code;
  readonly atMs: number;
  /** For staff, in fixed words. */
  readonly reason?: string;
  /** For the journal. */
  readonly detail?: Readonly<Record<string, number>>;
}
/** The job cannot be delivered now, for a reason that is not the PACS's. */
function leave(
  sql: Sql,
  row: DeliveryRow,
  way: JobLeave<'IDENTITY_UNEXPLAINED' | 'OUTPUT_INVALID'>,
): void {
  if (row.source === 'delivery') move(sql, row, way);
  else bury(sql, row, way);
}
function move(sql: Sql, { job_id: jobId }: DeliveryRow, way: JobLeave<ReasonCode>): void {
  const event = EVENTS[way.to];
  moveJob(sql, { jobId, from: 'REIDENTIFIED', stage: 'deliver', event, ...way });
}

/** Ends the job when nothing of it waits any more; a dead letter of its issue decides how. */
function endOfJob(sql: Sql, row: DeliveryRow, atMs: number): JobEnd | undefined {
  const { objects, open, dead } = sql.get<{ objects: number; open: number; dead: number }>(
    `SELECT count(*) FILTER (WHERE issue = ?1) AS objects,
        count(*) FILTER (WHERE state IN ('QUEUED', 'STORED')) AS open,
        count(*) FILTER (WHERE issue = ?1 AND state = 'DEAD') AS dead
       FROM delivery WHERE job_id = ?2`,
    row.issue,
    row.job_id,
  )!;
  // A job that has ended meanwhile stays as it is: no state goes backwards.
  if (open > 0 || jobState(sql, row) !== 'REIDENTIFIED') return undefined;
  if (dead > 0) return refused(sql, row, atMs);
  moveJob(sql, {
    ...{ jobId: row.job_id, from: 'REIDENTIFIED', to: 'RESULT_IN_PACS' },
    ...{ stage: 'deliver', event: 'delivered', atMs },
    detail: { objects, issue: row.issue },
  });
  return 'RESULT_IN_PACS';
}
function jobState(sql: Sql, { job_id: jobId }: DeliveryRow): JobState | undefined {
  return sql.get<{ state: JobState }>('SELECT state FROM job WHERE job_id = ?', jobId)?.state;
}

/** Journal row of a status object. */
function tell(
  sql: Sql,
  { study_id: studyId, issue }: DeliveryRow,
  { event, atMs, code }: { readonly event: string; readonly atMs: number; readonly code?: string },
): void {
  const detail = { issue, ...(code && { code }) };
  recordJournal(sql, { studyId, stage: 'deliver', event, atMs, detail });
}
