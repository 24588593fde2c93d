/**
 * IngestStore in memory: what PostgreSQL would answer, for the simulator and for tests.
 * Decides nothing of its own; a call does all of its work before anybody else gets a turn, as a
 * transaction would. Invariant: the shared suite gives the same answers on both.
 * Source: reliability specification 3 (deterministic simulation: cores behind ports).
 */
import { AifiError, sha256Hex, type Sha256, type SiteId } from '@aifi/shared-kernel';
import {
  OPEN_JOBS_MAX,
  OPEN_JOBS_SPAN_MS,
  RULE_SETS_TAKEN,
  type IngestStore,
  type StudyClosing,
  type StudyOpening,
  type StudyProgress,
} from './ingest-store.js';
import {
  LISTED_MAX,
  type DurableObject,
  type ListedObject,
  type ObjectName,
  type ObjectRecords,
} from './objects/object-records.js';

/** A job as the hub keeps it. */
export interface MemoryStudyJob {
  readonly opening: StudyOpening;
  readonly manifestSha256: Sha256;
  state: 'OPEN' | 'STORED';
  storedAtMs: number | undefined;
}
/** What a site has at the hub; survives a crash of the process that uses it. */
export interface MemorySite {
  /** Digests of its rule sets, oldest first. */
  readonly ruleSets: Sha256[];
  readonly jobs: Map<string, MemoryStudyJob>;
  readonly held: Map<Sha256, number>;
}

/** Holds the rows of objects as well: OpenStudy and CloseStudy look at both. */
export class MemoryIngestStore implements IngestStore, ObjectRecords {
  /** Names are those of LinkPeer.siteId. Each STORED job is one event for routing. */
  readonly sites = new Map<string, MemorySite>();

  constructor(private readonly openJobsMax = OPEN_JOBS_MAX) {}

  enrol(siteName: string, ...ruleSets: readonly Sha256[]): void {
    const site: MemorySite = this.sites.get(siteName) ?? {
      ...{ ruleSets: [], jobs: new Map(), held: new Map() },
    };
    site.ruleSets.push(...ruleSets);
    this.sites.set(siteName, site);
  }

  async open(opening: StudyOpening): Promise<StudyProgress> {
    const { peer, manifest, manifestBytes, envelope } = opening;
    const site = this.sites.get(peer.siteId);
    if (!site) throw new AifiError('FORBIDDEN', 'the site is not enrolled');
    const manifestSha256 = sha256Hex(manifestBytes);
    const job = site.jobs.get(manifest.jobId) ?? {
      ...{ opening, manifestSha256, state: 'OPEN' as const, storedAtMs: undefined },
    };
    if (!site.jobs.has(manifest.jobId)) {
      if (!site.ruleSets.slice(-RULE_SETS_TAKEN).includes(manifest.ruleSetSha256)) {
        throw new AifiError('RULES_OUTDATED', 'the study was selected by older rules');
      }
      const sinceMs = opening.atMs - OPEN_JOBS_SPAN_MS;
      const open = [...site.jobs.values()].filter(
        (one) => one.state === 'OPEN' && one.opening.atMs > sinceMs,
      );
      if (open.length >= this.openJobsMax) {
        throw new AifiError('LIMIT_EXCEEDED', 'the site has too many studies open');
      }
      site.jobs.set(manifest.jobId, job);
    }
    const isSameEnvelope = Buffer.compare(job.opening.envelope, envelope) === 0;
    if (job.manifestSha256 !== manifestSha256 || !isSameEnvelope) {
      throw new AifiError('STATE_CONFLICT', 'the job was opened with other bytes');
    }
    const digests = new Set(manifest.objects.map((object) => object.sha256));
    const held = [...digests].filter((sha256) => site.held.has(sha256));
    return { isStored: job.state !== 'OPEN', held };
  }

  async close(closing: StudyClosing): Promise<boolean> {
    const site = this.#site(closing.siteId);
    const job = site?.jobs.get(closing.jobId);
    const isSame =
      job?.manifestSha256 === closing.manifestSha256 &&
      job.opening.manifest.revision === closing.revision;
    if (!site || !isSame) throw new AifiError('NOT_FOUND', 'no such job');
    if (job.state !== 'OPEN') return false;
    if (job.opening.manifest.objects.some((object) => !site.held.has(object.sha256))) {
      throw new AifiError('STATE_CONFLICT', 'objects of the job are missing');
    }
    job.state = 'STORED';
    job.storedAtMs = closing.atMs;
    return true;
  }

  async listed(siteId: SiteId, { jobId, sha256 }: ObjectName): Promise<readonly ListedObject[]> {
    const manifest = this.#site(siteId)?.jobs.get(jobId)?.opening.manifest;
    const at = manifest?.objects.findIndex((object) => object.sha256 === sha256) ?? -1;
    if (!manifest || at < 0) return [];
    const { jobId: ownJobId, lane } = manifest;
    return manifest.objects
      .slice(at, at + LISTED_MAX)
      .map((object) => ({ ...object, jobId: ownJobId, lane }));
  }

  async stored(siteId: SiteId, objects: readonly DurableObject[]): Promise<void> {
    const site = this.#site(siteId);
    for (const { sha256, sizeBytes } of objects) {
      if (site && !site.held.has(sha256)) site.held.set(sha256, sizeBytes);
    }
  }

  #site(siteId: SiteId): MemorySite | undefined {
    return this.sites.get(siteId);
  }
}
