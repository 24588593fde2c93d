/**
 * Rows of inbound outcomes and of what was sent for their jobs.
 * Decides the transaction in which an outcome is finished: inbound, delivery and job together.
 * Invariant: an outcome leaves RECEIVED exactly once.
 */
import { decodeManifest, outcomeManifestSchema } from '@aifi/contracts-manifests';
import type { OutcomeManifest } from '@aifi/contracts-manifests';
import { moveJob, type GatewayDatabase, type JobMove, type Sql } from '@aifi/gateway-database';
import { invariant, type Clock, type Refusal, type Sha256 } from '@aifi/shared-kernel';
import type { SentJob } from './guards.js';
import type { ReidentifiedObject } from './reidentify-object.js';

export interface Inbound {
  readonly manifest: OutcomeManifest;
  readonly envelope: Uint8Array;
  /** File of each object by its index. */
  readonly paths: ReadonlyMap<number, string>;
}
/** An outcome as it is stored: not decoded, so that one that does not decode blocks no other. */
export interface InboundRow {
  readonly jobId: string;
  readonly manifest: Uint8Array;
  readonly envelope: Uint8Array;
}
export interface NewDelivery extends Omit<ReidentifiedObject, 'bytes'> {
  readonly index: number;
  readonly role: string;
  readonly path: string;
  readonly sha256: Sha256;
}

export class InboundStore {
  constructor(
    private readonly database: GatewayDatabase,
    private readonly clock: Clock,
  ) {}

  /** Outcomes to work on, in the hub's order; a bounded batch. */
  received(): InboundRow[] {
    return this.database.read((sql) =>
      // A job that its deadline has ended meanwhile keeps its outcome, unused.
      sql.all<InboundRow>(
        `SELECT job_id AS jobId, manifest, envelope FROM inbound JOIN job USING (job_id)
         WHERE inbound.state = 'RECEIVED' AND job.state = 'RETURNED'
         ORDER BY sequence LIMIT 20`,
      ),
    );
  }

  /** The outcome of a row; INVALID_ARGUMENT when its manifest does not fit the schema. */
  opened({ manifest: bytes, envelope }: InboundRow): Inbound {
    const manifest = decodeManifest(outcomeManifestSchema, bytes);
    const paths = this.database.read((sql) => pathsOf(sql, manifest));
    return { manifest, envelope, paths };
  }

  /** What was sent for a job; undefined when it is not ours. */
  sentJob(jobId: string): SentJob | undefined {
    return this.database.read((sql) => {
      const row = sql.get<Omit<SentJob, 'objectSha256s'>>(
        `SELECT job.revision, product, product_version AS productVersion,
           model_digest AS modelDigest, manifest_sha256 AS manifestSha256
         FROM job JOIN spool_job USING (job_id) WHERE job_id = ?`,
        jobId,
      );
      if (!row) return undefined;
      const objects = sql.all<{ sha256: Sha256 }>(
        'SELECT sha256 FROM spool_object WHERE job_id = ?',
        jobId,
      );
      return { ...row, objectSha256s: objects.map(({ sha256 }) => sha256) };
    });
  }

  /** One of the images of the job's series that is still kept. */
  sourcePath(jobId: string): string | undefined {
    return this.database.read((sql) =>
      sql.get<{ path: string }>(
        `SELECT path FROM job JOIN instance USING (study_id, series_uid)
         WHERE job_id = ? AND removed_ms IS NULL ORDER BY instance_id LIMIT 1`,
        jobId,
      ),
    )?.path;
  }

  finishWithResult(inbound: Inbound, deliveries: readonly NewDelivery[]): Promise<void> {
    const { jobId, issue } = inbound.manifest;
    return this.database.write((sql) => {
      for (const delivery of deliveries) {
        sql.run(
          `INSERT INTO delivery (job_id, issue, output_index, role, sop_class_uid, series_uid,
             sop_instance_uid, path, sha256, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'QUEUED')`,
          jobId,
          issue,
          delivery.index,
          delivery.role,
          delivery.sopClassUid,
          delivery.seriesInstanceUid,
          delivery.sopInstanceUid,
          delivery.path,
          delivery.sha256,
        );
      }
      this.#finish(sql, inbound, 'DONE', {
        to: 'REIDENTIFIED',
        event: 'reidentified',
        detail: { objects: deliveries.length },
      });
    });
  }

  finishWithoutResult(inbound: Inbound): Promise<void> {
    const { code, detail } = inbound.manifest;
    return this.database.write((sql) =>
      this.#finish(sql, inbound, 'DONE', {
        to: 'NOT_ANALYSED_NOTIFIED',
        event: 'not-analysed',
        ...(code ? { code } : {}),
        ...(detail ? { reason: detail } : {}),
      }),
    );
  }

  /** Held until the deadline of the lane; never resolved by itself (C5). */
  quarantine(inbound: Inbound, { code, detail }: Refusal): Promise<void> {
    return this.database.write((sql) =>
      this.#finish(sql, inbound, 'QUARANTINED', {
        to: 'QUARANTINED',
        event: 'quarantined',
        code,
        ...(detail ? { reason: detail } : {}),
      }),
    );
  }

  /** As quarantined, for an outcome whose parsing ends the process: nothing of it is opened. */
  poisoned(jobId: string): Promise<void> {
    const atMs = this.clock.nowMs();
    return this.database.write((sql) => {
      sql.run(
        `UPDATE inbound SET state = 'QUARANTINED' WHERE job_id = ? AND state = 'RECEIVED'`,
        jobId,
      );
      moveJob(sql, {
        ...{ jobId, from: 'RETURNED', to: 'QUARANTINED', stage: 'reidentify' },
        ...{ event: 'quarantined', atMs, code: 'OUTPUT_INVALID' },
        reason: 'the process ended each time it read this result',
      });
    });
  }

  #finish(
    sql: Sql,
    { manifest }: Inbound,
    state: 'DONE' | 'QUARANTINED',
    move: Pick<JobMove, 'to' | 'event' | 'code' | 'reason' | 'detail'>,
  ): void {
    const { jobId, revision, issue } = manifest;
    const changed = sql.run(
      `UPDATE inbound SET state = ? WHERE job_id = ? AND revision = ? AND issue = ?
         AND state = 'RECEIVED'`,
      state,
      jobId,
      revision,
      issue,
    );
    invariant(changed === 1, 'an outcome was finished twice');
    const atMs = this.clock.nowMs();
    moveJob(sql, { jobId, from: 'RETURNED', stage: 'reidentify', atMs, ...move });
  }
}

function pathsOf(sql: Sql, { jobId, revision, issue }: OutcomeManifest): Map<number, string> {
  const rows = sql.all<{ output_index: number; path: string }>(
    `SELECT output_index, path FROM inbound_object
     WHERE job_id = ? AND revision = ? AND issue = ?`,
    jobId,
    revision,
    issue,
  );
  return new Map(rows.map((row) => [row.output_index, row.path]));
}
