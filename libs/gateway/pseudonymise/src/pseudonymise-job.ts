/**
 * One job: the images of its series to files that may leave, or the reason why not.
 * Decides what is recorded before anything moves on: the identity as sent, every UID, the envelope.
 * Invariants: every header is read once; linkage and files are durable before the spool learns of
 * the study; a second run gives the same bytes; one patient per study; one refused image stops the
 * job, one held image holds it. Source: reliability specification C4, C5, P1.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { deidentificationContractSchema } from '@aifi/contracts-manifests';
import { readPart10Header } from '@aifi/dicom-core';
import {
  PseudonymisedFolder,
  type DeidentificationContext,
  type PendingInstance,
  type PixelClearance,
  type PseudonymisedStudy,
  type SiteDeidentification,
} from '@aifi/dicom-deidentification';
import type { PixelGate, PixelQuestion } from '@aifi/dicom-pixel-gate';
import type { GatewayDatabase } from '@aifi/gateway-database';
import {
  areOnePatient,
  type Identity,
  type IdentityEventLog,
  type Vault,
} from '@aifi/gateway-vault';
import {
  AifiError,
  crashPoint,
  fileFault,
  ok,
  refuse,
  type Clock,
  type OriginalUid,
  type PseudonymousUid,
  type Refusal,
  type Result,
  type SiteId,
} from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import type { KeyRing, SiteKeys } from '@aifi/shared-site-keys';
import { judgePixels, OnePatient, type PixelVerdict } from './judge-image.js';
import { holdJob, releasedFiles, type NewPixelHold } from './pixel-hold.store.js';
import { sealStudy } from './seal-study.js';
import {
  hasRemovedImages,
  siblingPathsOf,
  sourcesOf,
  type SelectedJob,
  type SourceInstance,
} from './selected-job.js';
import { sideBySide } from './side-by-side.js';

export interface JobDependencies {
  readonly database: GatewayDatabase;
  readonly vault: Vault;
  /** What the hospital has said: two numbers in one study are explained by it, or refused. */
  readonly identityEvents?: IdentityEventLog | undefined;
  readonly keys: KeyRing;
  readonly pixelGate: Pick<PixelGate, 'judge'>;
  readonly siteId: SiteId;
  /** What this hospital decides for all products. @default as strict as it can be */
  readonly site?: SiteDeidentification | undefined;
  readonly dataFolder: string;
  /** Takes a finished study and moves its job on; the spool in production. */
  readonly sink: { put(study: PseudonymisedStudy): Promise<void> };
  readonly clock: Clock;
  readonly logger: Logger;
}
/** What became of a job that was not refused. */
export type JobOutcome = 'handed-over' | 'held';

/**
 * Images of one job in work: two are read and examined (the writer's turns, which bound memory),
 * while others wait for the disk, which serves several with one commit.
 */
const IMAGES_AT_A_TIME = 6;

export async function pseudonymiseJob(
  dependencies: JobDependencies,
  job: SelectedJob,
): Promise<Result<JobOutcome>> {
  const { database, dataFolder, clock } = dependencies;
  const sources = sourcesOf(database, job);
  if (sources.length === 0) return refuse('INPUT_INCOMPLETE', 'no instances');
  // A late image of a study that was finished a day ago: neither the series nor the proof that all
  // of it is one patient is whole any more.
  if (hasRemovedImages(database, job)) {
    return refuse('INPUT_INCOMPLETE', 'images that came earlier are no longer kept');
  }
  const { identityEvents } = dependencies;
  const patient = new OnePatient(identityEvents && ((a, b) => areOnePatient(identityEvents, a, b)));
  // The same image decides each time whose number the others get; its own faults show below.
  await admitSibling(patient, sources[0]!.path);
  const siblings = await admitSiblings(patient, siblingPathsOf(database, job));
  if (!siblings.ok) return siblings;
  const path = join(dataFolder, 'spool', job.jobId);
  await removeFolder(path);
  const folder = await PseudonymisedFolder.open(path);
  const work = { job, sources, patient, folder, keys: keysOf(dependencies, job) };
  const images = await writeImages(dependencies, work);
  const refused = images.find((image) => image.kind === 'refused');
  if (refused) return { ok: false, refusal: refused.refusal };
  const holds = images.flatMap((image) => (image.kind === 'held' ? [image.hold] : []));
  if (holds.length > 0) {
    await removeFolder(path);
    crashPoint('gateway.pseudonymise.before-hold');
    await holdJob(database, job.jobId, holds, clock.nowMs());
    return ok('held');
  }
  const written = images.flatMap((image) => (image.kind === 'written' ? [image] : []));
  await handOver(dependencies, work, written);
  return ok('handed-over');
}

/** The keys of the job's linkage when it has one: a second run gives the same bytes. */
function keysOf({ keys, vault }: JobDependencies, { jobId }: SelectedJob): SiteKeys {
  const epoch = vault.linkage(jobId)?.epoch ?? keys.current.epoch;
  const found = keys.epoch(epoch);
  if (!found) throw new AifiError('CONFIG_INVALID', 'the keys of a study in flight are gone');
  return found;
}

/** The study's other series stay behind, but must be of the same patient. */
async function admitSiblings(
  patient: OnePatient,
  paths: readonly string[],
): Promise<Result<undefined>> {
  const answers = await sideBySide(paths, IMAGES_AT_A_TIME, async (path) => {
    const result = await admitSibling(patient, path);
    return { result, stop: !result.ok };
  });
  return answers.find((answer) => answer && !answer.ok) ?? ok(undefined);
}

async function admitSibling(patient: OnePatient, path: string): Promise<Result<undefined>> {
  try {
    const admitted = patient.admit((await readPart10Header(path)).dataset);
    return admitted.ok ? ok(undefined) : admitted;
  } catch (error) {
    if (AifiError.from(error).code !== 'DICOM_MALFORMED') throw error;
    return refuse('QUARANTINED_IDENTIFIER', 'identity does not decode');
  }
}

interface WrittenImage {
  readonly kind: 'written';
  readonly instance: PendingInstance;
  readonly identity: Identity;
  readonly uids: ReadonlyMap<PseudonymousUid, OriginalUid>;
}
type Image =
  | WrittenImage
  | { readonly kind: 'held'; readonly hold: NewPixelHold }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

interface SeriesWork {
  readonly job: SelectedJob;
  readonly sources: readonly SourceInstance[];
  readonly keys: SiteKeys;
  readonly patient: OnePatient;
  readonly folder: PseudonymisedFolder;
}

async function writeImages(dependencies: JobDependencies, work: SeriesWork): Promise<Image[]> {
  const { database, siteId, site } = dependencies;
  const { job, sources, keys, patient, folder } = work;
  const context: DeidentificationContext = {
    siteCode: siteId.toUpperCase(),
    keys,
    contract: deidentificationContractSchema.parse(JSON.parse(job.deidentification ?? '{}')),
    ...site,
  };
  const released = releasedFiles(database, job.jobId);
  return sideBySide(sources, IMAGES_AT_A_TIME, async (source) => {
    const isReleased = released.has(source.sha256);
    const image = await writeImage(dependencies, {
      ...{ job, source, patient, context, folder, isReleased },
    });
    // After a hold the others go on: a person is not asked about a job that would be refused.
    return { result: image, stop: image.kind === 'refused' };
  });
}

interface ImageWork {
  readonly job: SelectedJob;
  readonly source: SourceInstance;
  readonly patient: OnePatient;
  readonly context: DeidentificationContext;
  readonly folder: PseudonymisedFolder;
  readonly isReleased: boolean;
}

async function writeImage(dependencies: JobDependencies, work: ImageWork): Promise<Image> {
  const { source, context, folder } = work;
  const { path, sha256 } = source;
  let hold: NewPixelHold | undefined;
  let identity: Identity | undefined;
  let uids: WrittenImage['uids'] = new Map();
  const written = await folder.write({
    ...{ sourcePath: path, expectedSha256: sha256, context },
    clear: async (header, received) => {
      const admitted = work.patient.admit(header);
      if (!admitted.ok) return admitted;
      identity = admitted.value;
      const verdict = await judged(dependencies, work, { header, received });
      if (!verdict.ok || !('reason' in verdict.value)) return verdict as Result<PixelClearance>;
      hold = { sha256, ...verdict.value };
      return refuse('QUARANTINED_PIXELS', hold.reason);
    },
    onUids: (added) => (uids = added),
  });
  if (written.ok) return { kind: 'written', instance: written.value, identity: identity!, uids };
  return hold ? { kind: 'held', hold } : { kind: 'refused', refusal: written.refusal };
}

function judged(
  { pixelGate, logger }: JobDependencies,
  { job, source, isReleased }: ImageWork,
  read: Pick<PixelQuestion, 'header' | 'received'>,
): Promise<Result<PixelVerdict>> {
  const question = { ...read, path: source.path, isReleased };
  return judgePixels(pixelGate, question, (error) =>
    logger.fault('pixel gate failed', error, { jobId: job.jobId }),
  );
}

/** Files durable, then the linkage, then the spool: in this order nothing leaves unlinked. */
async function handOver(
  { vault, clock, sink, siteId }: JobDependencies,
  { job, sources, keys, folder }: SeriesWork,
  written: readonly WrittenImage[],
): Promise<void> {
  crashPoint('gateway.pseudonymise.before-sync');
  const instances = await folder.seal(written.map(({ instance }) => instance));
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
async function removeFolder(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    throw fileFault(error);
  }
}
