/**
 * A dead letter in the rows of a gateway, as deliver leaves one: the job ended with it.
 * Decides nothing; what is planted can be sent again.
 */
import type { Sql } from '@aifi/gateway-database';

export interface DeadLetterSeed {
  /** Distinguishes job, product and instance from all others. */
  readonly number: number;
  readonly studyUid: string;
  readonly atMs: number;
  readonly code: string;
  readonly dimseStatus: number | null;
  readonly path: string;
  readonly sha256: string;
  readonly sopInstanceUid: string;
}

/** `delivery:<rowid>` */
export function plantDeadLetter(sql: Sql, seed: DeadLetterSeed): string {
  const { number, studyUid, atMs, code, dimseStatus, path, sha256, sopInstanceUid } = seed;
  const study = sql.get<{ study_id: number }>(
    'SELECT study_id FROM study WHERE study_uid = ?',
    studyUid,
  );
  if (!study) throw new Error('no such study');
  const jobId = `dead${number.toString(16).padStart(28, '0')}`;
  sql.run(
    `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
       rule_set_sha256, attestations, state, code, created_ms, terminal_ms)
     VALUES (?, ?, 1, ?, '1.0.0', ?, 'routine', 'x', '[]', 'NOT_ANALYSED_NOTIFIED',
       'PACS_REFUSED', ?, ?)`,
    ...[jobId, study.study_id, `product-${number}`, 'f'.repeat(64), atMs, atMs],
  );
  const rowId = sql.insert(
    `INSERT INTO delivery (job_id, issue, output_index, role, sop_class_uid, series_uid,
       sop_instance_uid, path, sha256, state, dimse_status, attempts, dead_ms, dead_code)
     VALUES (?, 0, 0, 'SR', '1.2.840.10008.5.1.4.1.1.88.33', '1.9', ?, ?, ?, 'DEAD', ?, 3, ?, ?)`,
    ...[jobId, sopInstanceUid, path, sha256, dimseStatus, atMs, code],
  );
  return `delivery:${rowId}`;
}
