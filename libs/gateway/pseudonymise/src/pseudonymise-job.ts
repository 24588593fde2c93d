/**
 * One job: the images of its series to files that may leave, or the reason why not.
 * Decides what is recorded before anything moves on: the identity as sent, every UID, the envelope.
 * Invariants: linkage and files are durable before the spool learns of the study; a second run
 * gives the same bytes; one refused image stops the job, one held image holds it.
 * Source: reliability specification C4, C5, P1.
 */
import { join } from 'node:path';
import { deidentificationContractSchema } from '@aifi/contracts-manifests';
import {
  sealInstances,
  type DeidentificationContext,
  type PseudonymisedStudy,
  type SiteDeidentification,
} from '@aifi/dicom-deidentification';
import { moveJob, WorkAttempts, type GatewayDatabase } from '@aifi/gateway-database';
import { areOnePatient, type IdentityEventLog, type Vault } from '@aifi/gateway-vault';
import {
  AifiError,
  crashPoint,
  fileFault,
  nodeFileSystem,
  ok,
  refuse,
  type Clock,
  type FileSystem,
  type Result,
  type SiteId,
} from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import type { KeyRing, SiteKeys } from '@aifi/shared-site-keys';
import { holdJob, releasedFiles } from './pixel-hold.store.js';
import { sealStudy } from './seal-study.js';
import {
  hasRemovedImages,
  siblingPathsOf,
  sourcesOf,
  type SelectedJob,
  type SourceInstance,
} from './selected-job.js';
import type { SeriesClient, SeriesWork, WrittenImage } from './series-work.js';

export interface JobDependencies {
  readonly database: GatewayDatabase;
  readonly vault: Vault;
  /** What the hospital has said: two numbers in one study are explained by it, or refused. */
  readonly identityEvents?: IdentityEventLog | undefined;
  readonly keys: KeyRing;
  /** Pseudonymises the images of a job; a thread of its own in production. */
  readonly series: SeriesWork;
  readonly siteId: SiteId;
  /** What this hospital decides for all products. @default as strict as it can be */
  readonly site?: SiteDeidentification | undefined;
  readonly dataFolder: string;
  /** @default the disk of this machine */
  readonly files?: FileSystem | undefined;
  /** Takes a finished study and moves its job on; the spool in production. */
  readonly sink: { put(study: PseudonymisedStudy): Promise<void> };
  readonly clock: Clock;
  readonly logger: Logger;
}
/** What became of a job that was not refused. */
export type JobOutcome = 'handed-over' | 'held';

export async function pseudonymiseJob(
  dependencies: JobDependencies,
  job: SelectedJob,
): Promise<Result<JobOutcome>> {
  const { database, dataFolder, clock, files = nodeFileSystem } = dependencies;
  const sources = sourcesOf(database, job);
  if (sources.length === 0) return refuse('INPUT_INCOMPLETE', 'no instances');
  // A late image of a study that was finished a day ago: neither the series nor the proof that all
  // of it is one patient is whole any more.
  if (hasRemovedImages(database, job)) {
    return refuse('INPUT_INCOMPLETE', 'images that came earlier are no longer kept');
  }
  const path = join(dataFolder, 'spool', job.jobId);
  await removeFolder(path, files);
  const keys = keysOf(dependencies, job);
  const attempts = new WorkAttempts(database, clock, 'pseudonymise');
  const work = (): ReturnType<SeriesWork> =>
    dependencies.series(
      {
        folder: path,
        sources: sources.map((source) => ({ path: source.path, sha256: source.sha256 })),
        siblings: siblingPathsOf(database, job),
        released: releasedFiles(database, job.jobId),
        context: contextOf(dependencies, job, keys),
      },
      clientOf(dependencies, job),
    );
  const worked = await attempts.parse(job.jobId, work);
  if (!worked) return poisoned(dependencies, job);
  if (!worked.ok) return worked;
  const images = worked.value;
  const refused = images.find((image) => image.kind === 'refused');
  if (refused) return { ok: false, refusal: refused.refusal };
  const holds = images.flatMap((image) => (image.kind === 'held' ? [image.hold] : []));
  if (holds.length > 0) {
    await removeFolder(path, files);
    crashPoint('gateway.pseudonymise.before-hold');
    await holdJob(database, job.jobId, holds, clock.nowMs());
    return ok('held');
  }
  const written = images.flatMap((image) => (image.kind === 'written' ? [image] : []));
  await handOver(dependencies, { job, sources, keys, folder: path }, written);
  return ok('handed-over');
}

/** Parsing it has ended the process three times: a person sees it before it is parsed again. */
async function poisoned(
  { database, clock, logger }: JobDependencies,
  { jobId }: SelectedJob,
): Promise<Result<JobOutcome>> {
  crashPoint('gateway.pseudonymise.before-poison');
  await database.write((sql) =>
    moveJob(sql, {
      ...{ jobId, from: 'SELECTED', to: 'QUARANTINED', stage: 'pseudonymise' },
      ...{ event: 'quarantined', atMs: clock.nowMs(), code: 'MALFORMED' },
      reason: 'the process ended each time it read these images',
    }),
  );
  logger.error('job quarantined: it ends the process', { jobId, code: 'POISON_INPUT' });
  return ok('held');
}

function clientOf(
  { identityEvents, logger }: JobDependencies,
  { jobId }: SelectedJob,
): SeriesClient {
  return {
    areOnePatient: (a, b) => identityEvents !== undefined && areOnePatient(identityEvents, a, b),
    onGateFault: (error) => logger.fault('pixel gate failed', error, { jobId }),
  };
}

/** The keys of the job's linkage when it has one: a second run gives the same bytes. */
function keysOf({ keys, vault }: JobDependencies, { jobId }: SelectedJob): SiteKeys {
  const epoch = vault.linkage(jobId)?.epoch ?? keys.current.epoch;
  const found = keys.epoch(epoch);
  if (!found) throw new AifiError('CONFIG_INVALID', 'the keys of a study in flight are gone');
  return found;
}

/** What the images are pseudonymised with. */
function contextOf(
  { siteId, site }: JobDependencies,
  job: SelectedJob,
  { uid, pid, date }: SiteKeys,
): DeidentificationContext {
  return {
    siteCode: siteId.toUpperCase(),
    keys: { uid, pid, date },
    contract: deidentificationContractSchema.parse(JSON.parse(job.deidentification ?? '{}')),
    ...site,
  };
}

interface WorkedJob {
  readonly job: SelectedJob;
  readonly sources: readonly SourceInstance[];
  readonly keys: SiteKeys;
  readonly folder: string;
}

/** Files durable, then the linkage, then the spool: in this order nothing leaves unlinked. */
async function handOver(
  { vault, clock, sink, siteId, files }: JobDependencies,
  { job, sources, keys, folder }: WorkedJob,
  written: readonly WrittenImage[],
): Promise<void> {
  crashPoint('gateway.pseudonymise.before-sync');
  const instances = await sealInstances(
    folder,
    written.map(({ instance }) => instance),
    undefined,
    files,
  );
  const identity = written[0]!.identity;
  const sealed = sealStudy({ job, sources, instances, identity, keys, siteId });
  crashPoint('gateway.pseudonymise.before-linkage');
  await vault.recordLinkage(
    {
      jobId: job.jobId,
      studyUid: job.studyUid,
      seriesUid: job.seriesUid,
      pseudonymousStudyUid: instances[0]!.studyInstanceUid,
      epoch: keys.epoch,
      asSent: identity,
    },
    new Map(written.flatMap(({ uids }) => [...uids])),
    clock.nowMs(),
  );
  crashPoint('gateway.pseudonymise.after-linkage');
  await sink.put({ jobId: job.jobId, revision: job.revision, ...sealed, instances });
}

/** What an earlier run has left is nobody's: the spool has not taken it. */
async function removeFolder(path: string, files: FileSystem): Promise<void> {
  try {
    await files.remove(path);
  } catch (error) {
    throw fileFault(error);
  }
}
