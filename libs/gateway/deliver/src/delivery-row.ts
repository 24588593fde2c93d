/**
 * DeliveryRow: one object that goes into the PACS, and which row is due next.
 * Decides the order: the acute lane, then what is due first; a result before a status object that
 * is due since the same time; an issue, and a product's result of a newer revision, only after the
 * one before it. Invariants: a study has one object in hand, so that nothing overtakes within it;
 * nothing of an older revision is sent after a newer one; a SOP Instance is never in hand twice.
 * Source: reliability specification P6; hazards H7, H8, H15.
 */
import type { GatewayDatabase } from '@aifi/gateway-database';

export interface DeliveryRow {
  /** Table of the row, and its key there. */
  readonly source: 'delivery' | 'status_object';
  readonly row_id: number;
  readonly study_id: number;
  readonly study_uid: string;
  readonly job_id: string;
  readonly issue: number;
  /** 0 for a status object. */
  readonly output_index: number;
  readonly sop_class_uid: string;
  readonly series_uid: string;
  readonly sop_instance_uid: string;
  readonly path: string;
  readonly sha256: string;
  readonly state: 'QUEUED' | 'STORED';
  /** QUEUED: tries; STORED: looks for it. */
  readonly attempts: number;
  /** Last answer to its C-STORE. */
  readonly dimse_status: number | null;
  /** STORED: the commitment that was asked for; QUEUED: the one by which the PACS disowned it. */
  readonly transaction_uid: string | null;
  /** State of that commitment, and when it was asked for. */
  readonly commitment: 'REQUESTED' | 'REPORTED' | 'EXPIRED' | null;
  readonly requested_ms: number | null;
  readonly replays: number;
  /** Null for a status object. */
  readonly lane: 'acute' | 'routine' | null;
  /** Since when the job, or the status object, waits for its end. */
  readonly since_ms: number;
}

/** What may be taken now. */
export interface Selection {
  readonly nowMs: number;
  /** Rows in hand: their studies and instances are left alone. */
  readonly inHand: readonly DeliveryRow[];
  /** Whether a first C-STORE, and a second or later one, may be tried. */
  readonly mayStore: boolean;
  readonly mayRetry: boolean;
}

const COLUMNS = [
  ...['job_id', 'issue', 'sop_class_uid', 'series_uid', 'sop_instance_uid', 'path', 'sha256'],
  ...['state', 'attempts', 'dimse_status', 'transaction_uid', 'next_attempt_ms', 'replays'],
]
  .map((name) => `row.${name}`)
  .join(', ');
/** Every row that waits, of jobs and of studies. */
const ROWS = `
  SELECT 'delivery' AS source, row.rowid AS row_id, study_id, output_index, lane,
      COALESCE(reopened_ms, job.created_ms) AS since_ms, job.state AS job_state, ${COLUMNS}
    FROM delivery row JOIN job USING (job_id) WHERE row.state IN ('QUEUED', 'STORED')
      AND NOT EXISTS (SELECT 1 FROM delivery older WHERE older.job_id = row.job_id
        AND older.issue < row.issue AND older.state IN ('QUEUED', 'STORED'))
      AND NOT (row.state = 'QUEUED' AND EXISTS (
        SELECT 1 FROM job other CROSS JOIN delivery its USING (job_id)
        WHERE other.study_id = job.study_id AND other.product = job.product AND CASE
          WHEN other.revision < job.revision
            THEN row.attempts = 0 AND other.state = 'REIDENTIFIED'
              AND its.state IN ('QUEUED', 'STORED')
          -- A newer one that was begun may be in the PACS already, whatever was answered.
          WHEN other.revision > job.revision THEN its.state IN ('STORED', 'VERIFIED')
            OR its.state = 'QUEUED' AND its.attempts > 0 END))
  UNION ALL
  SELECT 'status_object', row.rowid, study_id, 0, NULL, created_ms, 'REIDENTIFIED', ${COLUMNS}
    FROM status_object row WHERE row.state IN ('QUEUED', 'STORED')
      AND NOT EXISTS (SELECT 1 FROM status_object older WHERE older.study_id = row.study_id
        AND older.issue < row.issue AND older.state IN ('QUEUED', 'STORED'))`;
const WITH_COMMITMENT = `
  SELECT waiting.*, study_uid, commitment.state AS commitment, requested_ms
    FROM (${ROWS}) waiting JOIN study USING (study_id)
      LEFT JOIN storage_commitment commitment USING (transaction_uid)`;

/** The row that goes first; only jobs that still wait for their delivery have one. */
export function nextRow(database: GatewayDatabase, selection: Selection): DeliveryRow | undefined {
  const { nowMs, inHand, mayStore, mayRetry } = selection;
  return database.read((sql) =>
    sql.get<DeliveryRow>(
      `${WITH_COMMITMENT}
        WHERE job_state = 'REIDENTIFIED' AND next_attempt_ms <= ?
          AND study_id NOT IN (SELECT value FROM json_each(?))
          AND sop_instance_uid NOT IN (SELECT value FROM json_each(?))
          AND (waiting.state = 'STORED' OR CASE attempts WHEN 0 THEN ? ELSE ? END)
        ORDER BY lane IS NOT 'acute', next_attempt_ms, source, job_id, issue, output_index LIMIT 1`,
      nowMs,
      JSON.stringify(inHand.map((row) => row.study_id)),
      JSON.stringify(inHand.map((row) => row.sop_instance_uid)),
      mayStore ? 1 : 0,
      mayRetry ? 1 : 0,
    ),
  );
}

/**
 * The row that a commitment is about, while it waits for proof; undefined when nothing does. A
 * report that comes late is as true as one in time.
 */
export function rowOfCommitment(
  database: GatewayDatabase,
  transactionUid: string,
): DeliveryRow | undefined {
  return database.read((sql) =>
    sql.get<DeliveryRow>(
      `${WITH_COMMITMENT}
        WHERE transaction_uid = ? AND waiting.state = 'STORED'`,
      transactionUid,
    ),
  );
}
