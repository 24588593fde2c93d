/**
 * DeliveryStore: the rows of what goes into the PACS, results of jobs and status objects of
 * studies, and what their moves mean. Decides that a job is in the PACS when every object of its
 * issue is verified there; a status object moves no job.
 * Invariants: an attempt is committed before the PACS is asked to store; a row moves only forward,
 * except that an object which the PACS lost is queued again. Source: reliability specification P6.
 */
import { moveJob, recordJournal, type GatewayDatabase, type Sql } from '@aifi/gateway-database';
import { AifiError, type ErrorCode, type ReasonCode } from '@aifi/shared-kernel';

export interface DeliveryRow {
  /** Table of the row, and its key there. */
  readonly source: 'delivery' | 'status_object';
  readonly row_id: number;
  readonly study_id: number;
  readonly job_id: string;
  readonly issue: number;
  readonly sop_class_uid: string;
  readonly series_uid: string;
  readonly sop_instance_uid: string;
  readonly path: string;
  readonly sha256: string;
  readonly state: 'QUEUED' | 'STORED';
  readonly attempts: number;
  /** When a status object was made; null for a result. */
  readonly created_ms: number | null;
}
/** Journal events of the ends that are not a delivery. */
const EVENTS = {
  NOT_ANALYSED_NOTIFIED: 'refused',
  HELD: 'held',
  QUARANTINED: 'quarantined',
} as const;
const COLUMNS = [
  ...['job_id', 'issue', 'sop_class_uid', 'series_uid', 'sop_instance_uid', 'path', 'sha256'],
  ...['state', 'attempts', 'next_attempt_ms'],
]
  .map((name) => `row.${name}`)
  .join(', ');

export class DeliveryStore {
  constructor(private readonly database: GatewayDatabase) {}

  /**
   * The row that is due first: results of the jobs that still wait for their delivery, and status
   * objects. Of rows due since the same time a result goes first: it never waits for its status.
   */
  next(nowMs: number): DeliveryRow | undefined {
    return this.database.read((sql) =>
      sql.get<DeliveryRow>(
        `SELECT 'delivery' AS source, row.rowid AS row_id, study_id, output_index, ${COLUMNS},
            NULL AS created_ms
          FROM delivery row JOIN job USING (job_id)
          WHERE row.state IN ('QUEUED', 'STORED') AND job.state = 'REIDENTIFIED'
            AND next_attempt_ms <= ?1
         UNION ALL
         SELECT 'status_object', row.rowid, study_id, 0, ${COLUMNS}, created_ms
          FROM status_object row
          WHERE row.state IN ('QUEUED', 'STORED') AND next_attempt_ms <= ?1
         ORDER BY next_attempt_ms, source, job_id, issue, output_index LIMIT 1`,
        nowMs,
      ),
    );
  }

  /**
   * Durable before the first byte goes out: whoever finds attempts > 0 asks the PACS first.
   * STATE_CONFLICT when the row is not queued any more (a newer status object took its place).
   */
  async countAttempt(row: DeliveryRow): Promise<void> {
    await this.database.write((sql) => {
      const changed = sql.run(
        `UPDATE ${row.source} SET attempts = ? WHERE rowid = ? AND state = 'QUEUED'`,
        row.attempts + 1,
        row.row_id,
      );
      if (changed !== 1) throw new AifiError('STATE_CONFLICT', 'object is not queued any more');
    });
  }
  /** From here on `attempts` counts the looks for it. */
  async stored(row: DeliveryRow, dimseStatus: number): Promise<void> {
    await this.database.write((sql) =>
      sql.run(
        `UPDATE ${row.source} SET state = 'STORED', attempts = 1, dimse_status = ?
          WHERE rowid = ?`,
        dimseStatus,
        row.row_id,
      ),
    );
  }
  /** Another look at the row later; `state` QUEUED sends the object again. */
  async postpone(
    row: DeliveryRow,
    later: { readonly atMs: number; readonly state?: 'QUEUED'; readonly fault?: ErrorCode },
  ): Promise<void> {
    await this.database.write((sql) =>
      sql.run(
        `UPDATE ${row.source} SET attempts = ?, next_attempt_ms = ?, state = COALESCE(?, state),
            last_fault = ? WHERE rowid = ?`,
        row.attempts + 1,
        later.atMs,
        later.state ?? null,
        later.fault ?? null,
        row.row_id,
      ),
    );
  }

  /** True when that was the last object and the job is now RESULT_IN_PACS. */
  verified(row: DeliveryRow, atMs: number): Promise<boolean> {
    return this.database.write((sql) => {
      setState(sql, row, 'VERIFIED');
      if (row.source === 'status_object') {
        tell(sql, row, { event: 'status-delivered', atMs });
        return false;
      }
      const { objects, open } = progress(sql, row);
      if (open > 0) return false;
      moveJob(sql, {
        jobId: row.job_id,
        from: 'REIDENTIFIED',
        to: 'RESULT_IN_PACS',
        stage: 'deliver',
        event: 'delivered',
        atMs,
        detail: { objects, issue: row.issue },
      });
      return true;
    });
  }
  /** The PACS will never take this object: a dead letter, and the job ends with its reason. */
  async refused(row: DeliveryRow, dimseStatus: number | undefined, atMs: number): Promise<void> {
    await this.database.write((sql) => {
      setState(sql, row, 'DEAD');
      sql.run(
        `UPDATE ${row.source} SET dimse_status = ? WHERE rowid = ?`,
        dimseStatus ?? null,
        row.row_id,
      );
      this.#end(sql, row, { to: 'NOT_ANALYSED_NOTIFIED', code: 'PACS_REFUSED', atMs });
    });
  }
  async held(row: DeliveryRow, atMs: number): Promise<void> {
    await this.database.write((sql) =>
      this.#end(sql, row, { to: 'HELD', code: 'IDENTITY_UNEXPLAINED', atMs }),
    );
  }
  /** Our own copy is damaged; what is in the PACS of this job stays. */
  async quarantined(row: DeliveryRow, atMs: number): Promise<void> {
    await this.database.write((sql) =>
      this.#end(sql, row, { to: 'QUARANTINED', code: 'OUTPUT_INVALID', atMs }),
    );
  }
  /** A status object of a study that never came to the PACS: nothing waits for it for ever. */
  async abandoned(row: DeliveryRow, atMs: number): Promise<void> {
    await this.database.write((sql) =>
      this.#end(sql, row, { to: 'NOT_ANALYSED_NOTIFIED', code: 'TIMEOUT', atMs }),
    );
  }

  #end(
    sql: Sql,
    row: DeliveryRow,
    move: {
      readonly to: keyof typeof EVENTS;
      readonly code: ReasonCode;
      readonly atMs: number;
    },
  ): void {
    if (row.source === 'status_object') {
      // Its job ended before; what it tells is now on the gateway's page only.
      setState(sql, row, 'DEAD');
      tell(sql, row, { event: 'told-on-page', atMs: move.atMs, code: move.code });
      return;
    }
    const event = EVENTS[move.to];
    const jobId = row.job_id;
    moveJob(sql, { jobId, from: 'REIDENTIFIED', stage: 'deliver', event, ...move });
  }
}

function setState(sql: Sql, row: DeliveryRow, state: 'VERIFIED' | 'DEAD'): void {
  sql.run(`UPDATE ${row.source} SET state = ? WHERE rowid = ?`, state, row.row_id);
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

function progress(sql: Sql, row: DeliveryRow): { objects: number; open: number } {
  return sql.get<{ objects: number; open: number }>(
    `SELECT count(*) AS objects, count(*) FILTER (WHERE state <> 'VERIFIED') AS open
       FROM delivery WHERE job_id = ? AND issue = ?`,
    row.job_id,
    row.issue,
  )!;
}
