/**
 * OutcomeReceiver: one outcome from the stream to durable files and rows.
 * Decides when an outcome may be acknowledged: signature verified, every object whole under its
 * digest, rows committed. Invariant: receiving it twice changes nothing and acknowledges again.
 * Source: reliability specification 2 (P5), C6.
 */
import { join } from 'node:path';
import {
  AifiError,
  crashPoint,
  DurableWriter,
  LIMITS,
  type Clock,
  type FileSystem,
  type JobId,
} from '@aifi/shared-kernel';
import {
  decodeManifest,
  outcomeManifestSchema,
  verifyManifest,
  type OutcomeManifest,
  type VerifyingKeys,
} from '@aifi/contracts-manifests';
import type { downlink } from '@aifi/contracts-proto';
import {
  endOvertakenJobs,
  moveJob,
  recordJournal,
  type GatewayDatabase,
  type Sql,
} from '@aifi/gateway-database';

interface ReceivedObject {
  readonly index: number;
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

interface JobRow {
  readonly state: string;
  readonly study_id: number;
  readonly product: string;
}

export interface ReceiverDependencies {
  readonly database: GatewayDatabase;
  readonly clock: Clock;
  /** Of the hub. */
  readonly signingKeys: VerifyingKeys;
  /** Folder with one sub-folder per job. */
  readonly inboundFolder: string;
  /** @default the disk of this machine */
  readonly files?: FileSystem | undefined;
}

export class OutcomeReceiver {
  readonly manifest: OutcomeManifest;
  readonly #received: ReceivedObject[] = [];
  #writer: DurableWriter | undefined;

  /** Throws UNTRUSTED, INVALID_ARGUMENT or NOT_FOUND before anything is written. */
  constructor(
    private readonly dependencies: ReceiverDependencies,
    private readonly header: downlink.OutcomeHeader,
  ) {
    verifyManifest(header.manifest, header.signature, dependencies.signingKeys);
    this.manifest = decodeManifest(outcomeManifestSchema, header.manifest);
    // Before a byte is kept: a restored gateway may be sent many that it knows nothing of.
    const { jobId, revision } = this.manifest;
    const job = dependencies.database.read((sql) =>
      sql.get('SELECT 1 AS known FROM job WHERE job_id = ? AND revision = ?', jobId, revision),
    );
    if (!job) throw new AifiError('NOT_FOUND', 'an outcome for a job of nobody here');
  }

  /** Bytes of the objects in manifest order; a chunk may end one object and begin the next. */
  async append(chunk: Uint8Array): Promise<void> {
    let rest = chunk;
    while (rest.length > 0) {
      const object = this.manifest.objects[this.#received.length];
      if (!object) throw new AifiError('DIGEST_MISMATCH', 'more bytes than the manifest lists');
      if (object.sizeBytes > LIMITS.objectBytesMax) {
        throw new AifiError('LIMIT_EXCEEDED', 'a result object is too large');
      }
      this.#writer ??= await DurableWriter.open(this.#folder(), this.dependencies.files);
      const owed = object.sizeBytes - this.#writer.sizeBytes;
      await this.#writer.append(rest.subarray(0, owed));
      rest = rest.subarray(owed);
      if (this.#writer.sizeBytes === object.sizeBytes) await this.#commitObject(object);
    }
  }

  async #commitObject(object: OutcomeManifest['objects'][number]): Promise<void> {
    const path = join(this.#folder(), `${this.manifest.issue}-${object.index}.dcm`);
    const { sha256, sizeBytes } = await this.#writer!.commit(path);
    this.#writer = undefined;
    if (sha256 !== object.sha256) {
      throw new AifiError('DIGEST_MISMATCH', 'a result object has another digest');
    }
    this.#received.push({ index: object.index, path, sha256, sizeBytes });
  }

  /** Commits the rows; the caller acknowledges afterwards. */
  async finish(): Promise<void> {
    if (this.#received.length !== this.manifest.objects.length) {
      throw new AifiError('DIGEST_MISMATCH', 'fewer objects than the manifest lists');
    }
    crashPoint('gateway.downlink.before-commit');
    await this.dependencies.database.write((sql) => this.#commitRows(sql));
    crashPoint('gateway.downlink.after-commit');
  }

  async discard(): Promise<void> {
    await this.#writer?.discard();
  }

  #folder(): string {
    return join(this.dependencies.inboundFolder, this.manifest.jobId);
  }

  #commitRows(sql: Sql): void {
    const { jobId, revision, issue } = this.manifest;
    const atMs = this.dependencies.clock.nowMs();
    const job = sql.get<JobRow>(
      'SELECT state, study_id, product FROM job WHERE job_id = ? AND revision = ?',
      jobId,
      revision,
    );
    if (!job) throw new AifiError('NOT_FOUND', 'an outcome for a job of nobody here');
    const isNew = sql.run(
      `INSERT OR IGNORE INTO inbound
         (job_id, revision, issue, sequence, manifest, envelope, state, received_ms)
       VALUES (?, ?, ?, ?, ?, ?, 'RECEIVED', ?)`,
      jobId,
      revision,
      issue,
      this.header.sequence,
      this.header.manifest,
      this.header.envelope,
      atMs,
    );
    if (isNew === 0) return this.#raiseCursor(sql);
    for (const { index, path, sha256, sizeBytes } of this.#received) {
      sql.run(
        `INSERT INTO inbound_object
           (job_id, revision, issue, output_index, path, sha256, size_bytes)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
        jobId,
        revision,
        issue,
        index,
        path,
        sha256,
        sizeBytes,
      );
    }
    // The hub releases nothing of an older revision after a newer one: what waits for it is over.
    endOvertakenJobs(sql, { studyId: job.study_id, stage: 'downlink', atMs });
    if (this.#isOvertaken(sql, job)) return this.#setAside(sql, job, 'SUPERSEDED');
    if (job.state === 'SPOOLED' || job.state === 'UPLOADED') {
      // An outcome proves that the hub holds the study, also when its StudyAck was lost.
      sql.run(`UPDATE spool_job SET state = 'STORED' WHERE job_id = ?`, jobId);
      moveJob(sql, {
        jobId,
        from: job.state,
        to: 'RETURNED',
        stage: 'downlink',
        event: 'returned',
        atMs,
        detail: { objects: this.#received.length, issue, outcome: this.manifest.outcome },
      });
      return;
    }
    // After the deadline: kept and visible, but it changes no terminal state by itself.
    this.#setAside(sql, job, 'LATE');
  }

  /** A restore has lowered the numbers: what the hub sends again is held up to its number. */
  #raiseCursor(sql: Sql): void {
    const { jobId, revision, issue } = this.manifest;
    sql.run(
      `UPDATE inbound SET sequence = MAX(sequence, ?)
        WHERE job_id = ? AND revision = ? AND issue = ?`,
      ...[this.header.sequence, jobId, revision, issue],
    );
  }

  /** Kept and acknowledged, so that the hub is done with it; nothing is ever made of it. */
  #setAside(sql: Sql, { study_id: studyId }: JobRow, state: 'LATE' | 'SUPERSEDED'): void {
    const { jobId, issue } = this.manifest;
    sql.run('UPDATE inbound SET state = ? WHERE job_id = ? AND issue = ?', state, jobId, issue);
    const event = state.toLowerCase();
    const atMs = this.dependencies.clock.nowMs();
    recordJournal(sql, { studyId, jobId, stage: 'downlink', event, atMs, detail: { issue } });
  }

  /**
   * Whether the outcome of a newer revision, or a newer issue of this job, came before: an older
   * one never follows it (hazard H7).
   */
  #isOvertaken(sql: Sql, { study_id: studyId, product }: JobRow): boolean {
    const { jobId, revision, issue } = this.manifest;
    const newer = sql.get(
      `SELECT 1 FROM inbound WHERE job_id = ?1 AND issue > ?2
       UNION ALL
       SELECT 1 FROM job newer WHERE study_id = ?3 AND product = ?4 AND revision > ?5
          AND (EXISTS (SELECT 1 FROM inbound WHERE inbound.job_id = newer.job_id)
            OR EXISTS (SELECT 1 FROM delivery WHERE delivery.job_id = newer.job_id)) LIMIT 1`,
      jobId,
      issue,
      studyId,
      product,
      revision,
    );
    return newer !== undefined;
  }
}

/** The acknowledgement of an outcome that is durable here. */
export function acknowledgementOf(manifest: OutcomeManifest): {
  jobId: JobId;
  revision: number;
  issue: number;
} {
  const { jobId, revision, issue } = manifest;
  return { jobId, revision, issue };
}
