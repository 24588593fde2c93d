/**
 * SimHub: the hub, as far as a schedule needs it.
 * Decides what it keeps (studies and objects by the real ingest over its rows in memory, a queue
 * with leases and fencing tokens, numbered outcomes) and when: each change is one commit that takes
 * its time, and a process that dies before it has changed nothing. Its rows outlive its processes.
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
import type { StudyManifest } from '@aifi/contracts-manifests';
import type { uplink } from '@aifi/contracts-proto';
import { MemoryOutcomeStore, type KeptOutcome } from '@aifi/hub-downlink';
import type { LinkPeer } from '@aifi/hub-identity';
import {
  createUplinkHandlers,
  MemoryIngestStore,
  ObjectCommit,
  type IngestStore,
  type MemoryStudyJob,
  type ObjectName,
  type ObjectRecords,
  type UplinkHandlers,
} from '@aifi/hub-ingest';
import type { FinishedObject } from '@aifi/hub-object-store';
import type { Bug } from './bugs.js';
import { CANARY, SITES } from './hospital.js';
import { RULES } from './products.js';
import type { Random } from './random.js';
import type { ReferenceModel } from './reference-model.js';
import { SimClock } from './sim-clock.js';
import { never, type Life, type World } from './world.js';

export interface HubJob {
  readonly siteId: SiteId;
  readonly jobId: JobId;
  readonly manifest: StudyManifest;
  readonly manifestSha256: Sha256;
  readonly envelope: Buffer;
  state: 'QUEUED' | 'DONE';
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
/** An idle worker sees within this time that there is something. @unit ms */
const LOOK_MS_MAX = 4_000;

/** What outlives a process of the hub. */
export class HubRows {
  readonly jobs = new Map<string, HubJob>();
  readonly objects = new Map<string, Buffer>();
  readonly ingest = new MemoryIngestStore();
  readonly outcomes = new MemoryOutcomeStore();
  /** Every outcome that was ever made, whoever got it. */
  readonly concluded: KeptOutcome[] = [];

  constructor() {
    for (const siteId of [EVERYBODY, ...SITES.map((site) => site.siteId)]) {
      this.ingest.enrol(siteId, RULES.sha256);
    }
  }
}
/** The planted fault: one tenant for all. */
const EVERYBODY = 'everybody' as SiteId;

interface Received {
  readonly expected: { readonly sha256: Sha256; readonly sizeBytes: number };
  readonly bytes: Buffer;
}
const peerOf = (siteId: SiteId): LinkPeer => ({ siteId, gateway: 1 }) as LinkPeer;

/** What routing makes of a study that is held whole. */
function queued(siteId: SiteId, { opening, manifestSha256 }: MemoryStudyJob): HubJob {
  const { manifest, envelope } = opening;
  return {
    ...{ siteId, jobId: manifest.jobId, manifest, manifestSha256, state: 'QUEUED' },
    ...{ envelope: Buffer.from(envelope), leaseUntilMs: 0, leaseEpoch: 0, attempts: 0 },
  };
}

export const keyOf = (siteId: SiteId, name: string): string => `${siteId}/${name}`;

/** One life of the hub. */
export class SimHub {
  readonly #clock: SimClock;
  readonly #uplink: UplinkHandlers;
  readonly #objects: ObjectCommit;

  constructor(
    readonly life: Life,
    private readonly world: World,
    private readonly rows: HubRows,
    private readonly parts: HubParts,
  ) {
    this.#clock = new SimClock(world, life);
    const onDone = (): void => this.#ring(world.nowMs);
    this.#uplink = createUplinkHandlers({ ingest: this.#ingest(), clock: this.#clock, onDone });
    this.#objects = this.#objectCommit();
  }

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
    return this.#uplink.openStudy(peerOf(siteId), request);
  }
  closeStudy(
    siteId: SiteId,
    request: uplink.CloseStudyRequest,
  ): Promise<uplink.CloseStudyResponse> {
    return this.#uplink.closeStudy(peerOf(siteId), request);
  }
  /** The planted fault: rows are found by their job alone. */
  #tenant(siteId: SiteId): SiteId {
    return this.parts.bug === 'c3-key-without-site' ? EVERYBODY : siteId;
  }

  /** The rows of ingest; the job is queued in the transaction that closes it. */
  #ingest(): IngestStore {
    const { ingest, jobs } = this.rows;
    const open: IngestStore['open'] = (opening) => {
      const peer = { ...opening.peer, siteId: this.#tenant(opening.peer.siteId) } as LinkPeer;
      return this.commit(() => ingest.open({ ...opening, peer }));
    };
    const close: IngestStore['close'] = (closing) =>
      this.commit(async () => {
        const { siteId, jobId } = closing;
        const tenant = this.#tenant(siteId);
        if (!(await ingest.close({ ...closing, siteId: tenant }))) return false;
        const job = queued(siteId, ingest.sites.get(tenant)!.jobs.get(jobId)!);
        jobs.set(keyOf(tenant, jobId), job);
        this.world.note(`hub holds ${siteId} ${job.manifest.product.id} r${job.manifest.revision}`);
        return true;
      });
    return { open, close };
  }

  /** Resolves when the object is durable and its row as well. */
  async putObject(siteId: SiteId, name: ObjectName, bytes: Buffer): Promise<void> {
    const { model } = this.parts;
    if (bytes.includes(CANARY)) model.violated('H11: identity has left the hospital');
    const [listed] = await this.rows.ingest.listed(this.#tenant(siteId), name);
    if (!listed) throw new AifiError('NOT_FOUND', 'no job lists the object');
    const { sha256, sizeBytes } = listed;
    if (bytes.length !== sizeBytes || sha256Hex(bytes) !== sha256) {
      throw new AifiError('DIGEST_MISMATCH', 'the bytes are not those that were declared');
    }
    const object: Received = { expected: { sha256, sizeBytes }, bytes };
    await this.#objects.add(siteId, object as Received & FinishedObject['object']);
  }

  #objectCommit(): ObjectCommit {
    const { rows, world, life, parts } = this;
    const place = async (group: readonly FinishedObject[]): Promise<void> => {
      const keep = (): void => {
        for (const { siteId, object } of group) {
          const { expected, bytes } = object as Received & typeof object;
          rows.objects.set(keyOf(siteId, expected.sha256), bytes);
        }
      };
      // The planted fault: the row does not wait for the disk.
      if (parts.bug === 'p2-ack-before-durable') {
        world.in(parts.random.int(1_000, 20_000), life, keep);
      } else {
        await world.wait(parts.random.int(1, 20), life);
        keep();
      }
    };
    const records: ObjectRecords = {
      listed: (siteId, name) => rows.ingest.listed(siteId, name),
      stored: (siteId, objects) =>
        this.commit(() => rows.ingest.stored(this.#tenant(siteId), objects)),
    };
    return new ObjectCommit({ store: { place }, records, clock: this.#clock });
  }

  readonly #idle = new Set<() => void>();
  /** Resolves when there may be something to claim: a job came, or a lease is over. */
  untilClaimable(): Promise<void> {
    if (!this.life.isAlive) return never();
    const leases = [...this.rows.jobs.values()].filter(({ state }) => state === 'QUEUED');
    const dueMs = Math.min(...leases.map(({ leaseUntilMs }) => leaseUntilMs));
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.#idle.delete(look)) resolve();
      };
      this.#idle.add(look);
      if (dueMs < Infinity) this.#ring(dueMs);
    });
  }
  /** Idle workers look, each in its time. */
  #ring(atMs: number): void {
    const { world, life, parts } = this;
    for (const look of this.#idle) {
      world.in(atMs - world.nowMs + parts.random.int(0, LOOK_MS_MAX), life, look);
    }
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
      this.#ring(job.leaseUntilMs);
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
      this.#ring(job.leaseUntilMs);
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
