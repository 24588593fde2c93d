/**
 * SimHub: the hub, as far as a schedule needs it.
 * Decides what it keeps (jobs, objects, a queue with leases and fencing tokens, numbered outcomes)
 * and when: each change is one commit that takes its time, and a process that dies before it has
 * changed nothing. Its rows outlive its processes.
 * Invariants: an acknowledgement follows the commit that it tells of; tables are keyed by site; a
 * claim whose token is old writes nothing.
 * Source: reliability specification P2 to P5, C3.
 */
import {
  AifiError,
  LIMITS,
  sha256Hex,
  type JobId,
  type Sha256,
  type SiteId,
} from '@aifi/shared-kernel';
import { decodeManifest, studyManifestSchema, type StudyManifest } from '@aifi/contracts-manifests';
import type { uplink } from '@aifi/contracts-proto';
import { MemoryOutcomeStore, type KeptOutcome } from '@aifi/hub-downlink';
import type { Bug } from './bugs.js';
import { CANARY } from './hospital.js';
import type { Random } from './random.js';
import type { ReferenceModel } from './reference-model.js';
import type { Life, World } from './world.js';

export interface HubJob {
  readonly siteId: SiteId;
  readonly jobId: JobId;
  readonly manifest: StudyManifest;
  readonly manifestSha256: Sha256;
  readonly envelope: Buffer;
  state: 'OPEN' | 'QUEUED' | 'DONE';
  leaseUntilMs: number;
  leaseEpoch: number;
  attempts: number;
}
export interface Claimed {
  readonly job: HubJob;
  /** Fencing token. */
  readonly epoch: number;
}
export interface HubParts {
  readonly random: Random;
  readonly model: ReferenceModel;
  readonly bug: Bug | undefined;
}
/** Commit of the database, with its synchronous standby. @unit ms */
const COMMIT_MS_MAX = 8;

/** What outlives a process of the hub. */
export class HubRows {
  readonly jobs = new Map<string, HubJob>();
  readonly objects = new Map<string, Buffer>();
  readonly outcomes = new MemoryOutcomeStore();
  /** Every outcome that was ever made, whoever got it. */
  readonly concluded: KeptOutcome[] = [];
}

export const keyOf = (siteId: SiteId, name: string): string => `${siteId}/${name}`;

/** One life of the hub. */
export class SimHub {
  constructor(
    readonly life: Life,
    private readonly world: World,
    private readonly rows: HubRows,
    private readonly parts: HubParts,
  ) {}

  /** One transaction: all of it, or nothing when the process dies before. */
  async commit<T>(work: () => T | Promise<T>): Promise<T> {
    const { random } = this.parts;
    await this.world.wait(random.int(0, COMMIT_MS_MAX), this.life);
    const value = await work();
    await this.world.wait(random.int(0, 2), this.life);
    return value;
  }

  #site(siteId: SiteId): SiteId {
    return this.parts.bug === 'c1-site-of-last-caller' ? this.#lastCaller(siteId) : siteId;
  }
  #last: SiteId | undefined;
  /** The planted fault: who called is kept beside the calls. */
  #lastCaller(siteId: SiteId): SiteId {
    const last = this.#last ?? siteId;
    this.#last = siteId;
    return last;
  }

  openStudy(caller: SiteId, request: uplink.OpenStudyRequest): Promise<uplink.OpenStudyResponse> {
    const siteId = this.#site(caller);
    if (siteId !== caller) this.parts.model.violated('C1: a study is of another site');
    const manifest = decodeManifest(studyManifestSchema, request.manifest);
    return this.commit(() => {
      const key = this.#key(siteId, manifest.jobId);
      const known = this.rows.jobs.get(key);
      const manifestSha256 = sha256Hex(request.manifest);
      if (known && known.manifestSha256 !== manifestSha256) {
        throw new AifiError('STATE_CONFLICT', 'the job was opened with other bytes');
      }
      if (!known) {
        this.rows.jobs.set(key, {
          ...{ siteId, jobId: manifest.jobId, manifest, manifestSha256, state: 'OPEN' },
          envelope: Buffer.from(request.envelope),
          ...{ leaseUntilMs: 0, leaseEpoch: 0, attempts: 0 },
        });
      }
      const held = manifest.objects.filter(({ sha256 }) =>
        this.rows.objects.has(keyOf(siteId, sha256)),
      );
      const stored = known !== undefined && known.state !== 'OPEN';
      return { heldSha256: held.map(({ sha256 }) => sha256), stored, partial: [] };
    });
  }
  /** The planted fault: rows are found by their job alone. */
  #key(siteId: SiteId, jobId: JobId): string {
    return this.parts.bug === 'c3-key-without-site' ? jobId : keyOf(siteId, jobId);
  }

  /** Resolves when the object is durable. */
  async putObject(siteId: SiteId, sha256: Sha256, bytes: Buffer): Promise<void> {
    const { model, bug } = this.parts;
    if (bytes.includes(CANARY)) model.violated('H11: identity has left the hospital');
    const keep = (): void => {
      if (sha256Hex(bytes) !== sha256) {
        throw new AifiError('DIGEST_MISMATCH', 'the bytes are not those that were declared');
      }
      this.rows.objects.set(keyOf(siteId, sha256), bytes);
    };
    if (bug === 'p2-ack-before-durable') {
      // The planted fault: the answer does not wait for the disk.
      this.world.in(this.parts.random.int(1_000, 20_000), this.life, keep);
      return;
    }
    await this.world.wait(this.parts.random.int(1, 20), this.life);
    await this.commit(keep);
  }

  closeStudy(
    siteId: SiteId,
    { jobId, manifestSha256 }: uplink.CloseStudyRequest,
  ): Promise<uplink.CloseStudyResponse> {
    return this.commit(() => {
      const job = this.rows.jobs.get(this.#key(siteId, jobId as JobId));
      if (!job || job.manifestSha256 !== manifestSha256) {
        throw new AifiError('NOT_FOUND', 'no such job');
      }
      if (job.state === 'OPEN') {
        const isWhole =
          this.parts.bug === 'p2-ack-before-durable' ||
          job.manifest.objects.every(({ sha256 }) => this.rows.objects.has(keyOf(siteId, sha256)));
        if (!isWhole) throw new AifiError('STATE_CONFLICT', 'objects of the job are missing');
        job.state = 'QUEUED';
        this.world.note(`hub holds ${siteId} ${job.manifest.product.id} r${job.manifest.revision}`);
      }
      return { ack: { jobId, manifestSha256 } };
    });
  }

  /** Claims the next job, acute first; the lease and its token are the claimer's from then on. */
  claim(): Promise<Claimed | undefined> {
    return this.commit(() => {
      const waiting = [...this.rows.jobs.values()].filter(
        (job) => job.state === 'QUEUED' && job.leaseUntilMs <= this.world.nowMs,
      );
      const job = waiting.find(({ manifest }) => manifest.lane === 'acute') ?? waiting[0];
      if (!job) return undefined;
      job.leaseEpoch += 1;
      job.leaseUntilMs = this.world.nowMs + LIMITS.leaseMs;
      return { job, epoch: job.leaseEpoch };
    });
  }
  renew({ job, epoch }: Claimed): Promise<boolean> {
    return this.commit(() => {
      if (job.leaseEpoch !== epoch) return false;
      job.leaseUntilMs = this.world.nowMs + LIMITS.leaseMs;
      return true;
    });
  }
  /** Puts it back; counts a failed try. */
  release({ job, epoch }: Claimed): Promise<void> {
    return this.commit(() => {
      if (job.leaseEpoch !== epoch) return;
      job.attempts += 1;
      job.leaseUntilMs = this.world.nowMs + 1_000;
    });
  }
  /** The outcome in the transaction that ends the job; false when the claim is somebody else's. */
  conclude(
    { job, epoch }: Claimed,
    outcome: Pick<KeptOutcome, 'manifest' | 'signature' | 'envelope' | 'isResult'>,
    objects: readonly Buffer[],
  ): Promise<boolean> {
    const { bug, model } = this.parts;
    return this.commit(() => {
      const isMine = job.leaseEpoch === epoch && job.state === 'QUEUED';
      if (!isMine && bug !== 'p3-no-fencing') return false;
      if (job.state === 'DONE') model.violated('P3: a job was concluded twice');
      job.state = 'DONE';
      const { siteId, jobId, manifest } = job;
      const sealed = objects.map((bytes) => ({
        sha256: sha256Hex(bytes),
        sizeBytes: bytes.length,
      }));
      objects.forEach((bytes, at) =>
        this.rows.objects.set(keyOf(siteId, sealed[at]!.sha256), bytes),
      );
      const kept: KeptOutcome = {
        ...{ ...outcome, jobId, revision: manifest.revision, issue: 0, objects: sealed },
        ...{ siteName: siteId, gateway: 1, studyPseudonym: manifest.studyInstanceUid },
        ...{ product: manifest.product.id, version: manifest.product.version },
      };
      this.rows.outcomes.add(kept);
      this.rows.concluded.push(kept);
      this.world.note(`hub concludes ${siteId} ${kept.product} r${kept.revision}`);
      return true;
    });
  }

  object(siteId: SiteId, sha256: Sha256): Buffer | undefined {
    return this.rows.objects.get(keyOf(siteId, sha256));
  }
}
