/**
 * Pseudonymise: the selected series of a job to files that may leave.
 * Decides what is recorded before anything moves on: the identity as sent, every UID, the envelope.
 * Invariants: linkage durable before the spool learns of the study; a second run gives the same
 * bytes; one patient per job. Source: reliability specification C4, C5, P1.
 */
import { join } from 'node:path';
import { deidentificationContractSchema } from '@aifi/contracts-manifests';
import { readPart10Header } from '@aifi/dicom-core';
import {
  writePseudonymisedInstance,
  type DeidentificationContext,
  type PixelClearance,
  type PseudonymisedInstance,
  type PseudonymisedStudy,
} from '@aifi/dicom-deidentification';
import type { PixelGate } from '@aifi/dicom-pixel-gate';
import { blackOut } from '@aifi/dicom-pixels';
import { moveJob, type GatewayDatabase } from '@aifi/gateway-database';
import { identityOf, type Identity, type Vault } from '@aifi/gateway-vault';
import {
  AifiError,
  crashPoint,
  ok,
  pollingStage,
  refuse,
  type Clock,
  type OriginalUid,
  type PseudonymousUid,
  type Refusal,
  type Result,
  type SiteId,
  type Stage,
  type Wake,
} from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import type { KeyRing, SiteKeys } from '@aifi/shared-site-keys';
import { holdJob, releasedFiles, type NewPixelHold } from './pixel-hold.store.js';
import {
  hasRemovedImages,
  selectedJobs,
  siblingPathsOf,
  sourcesOf,
  type SelectedJob,
  type SourceInstance,
} from './selected-job.js';
import { sealStudy } from './seal-study.js';

export interface PseudonymiseDependencies {
  readonly database: GatewayDatabase;
  readonly vault: Vault;
  readonly keys: KeyRing;
  readonly pixelGate: Pick<PixelGate, 'judge'>;
  readonly siteId: SiteId;
  readonly dataFolder: string;
  /** Takes a finished study and moves its job on; the spool in production. */
  readonly sink: { put(study: PseudonymisedStudy): Promise<void> };
  readonly clock: Clock;
  readonly wake: Wake;
  readonly logger: Logger;
  readonly onDone: () => void;
}

export function createPseudonymiseStage(dependencies: PseudonymiseDependencies): Stage {
  const { database, clock, wake, onDone } = dependencies;
  const logger = dependencies.logger.child({ stage: 'pseudonymise' });
  const handle = async (job: SelectedJob): Promise<void> => {
    const outcome = await pseudonymiseJob(dependencies, job);
    if (!outcome.ok) await decline(dependencies, job, outcome.refusal);
    const code = outcome.ok ? undefined : outcome.refusal.code;
    logger.info('job pseudonymised', { jobId: job.jobId, ...(code ? { code } : {}) });
    onDone();
  };
  return pollingStage({
    name: 'pseudonymise',
    clock,
    wake,
    intervalMs: 1_000,
    onFault: (error) => logger.fault('pseudonymise failed', error),
    runOnce: async (signal) => {
      let handled = 0;
      for (const job of selectedJobs(database)) {
        if (signal.aborted) break;
        try {
          await handle(job);
          handled += 1;
        } catch (error) {
          // The next one must pass; this one is tried again at the next look.
          logger.fault('pseudonymise failed', error, { jobId: job.jobId });
        }
      }
      return handled;
    },
  });
}

async function pseudonymiseJob(
  dependencies: PseudonymiseDependencies,
  job: SelectedJob,
): Promise<Result<void>> {
  const { database, siteId, vault, clock, sink } = dependencies;
  const sources = sourcesOf(database, job);
  if (sources.length === 0) return refuse('INPUT_INCOMPLETE', 'no instances');
  // A late image of a study that was finished a day ago: neither the series nor the proof that all
  // of it is one patient is whole any more.
  if (hasRemovedImages(database, job)) {
    return refuse('INPUT_INCOMPLETE', 'images that came earlier are no longer kept');
  }
  const ownPaths = sources.map(({ path }) => path);
  const identity = await onePatient([...ownPaths, ...siblingPathsOf(database, job)]);
  if (!identity.ok) return identity;
  const keys = keysOf(dependencies, job);
  const written = await writeInstances(dependencies, job, sources);
  if (!written.ok) return written;
  // Held for a person: the job is in quarantine already.
  if (!written.value) return ok(undefined);
  const { instances, uids } = written.value;
  const sealed = sealStudy({ job, sources, instances, identity: identity.value, keys, siteId });
  crashPoint('gateway.pseudonymise.before-linkage');
  await vault.recordLinkage(
    {
      jobId: job.jobId,
      studyUid: job.studyUid,
      seriesUid: job.seriesUid,
      pseudonymousStudyUid: instances[0]!.studyInstanceUid,
      epoch: keys.epoch,
      asSent: identity.value,
    },
    uids,
    clock.nowMs(),
  );
  crashPoint('gateway.pseudonymise.after-linkage');
  await sink.put({ jobId: job.jobId, revision: job.revision, ...sealed, instances });
  return ok(undefined);
}

/** The keys of the job's linkage when it has one: a second run gives the same bytes. */
function keysOf({ keys, vault }: PseudonymiseDependencies, { jobId }: SelectedJob): SiteKeys {
  const epoch = vault.linkage(jobId)?.epoch ?? keys.current.epoch;
  const found = keys.epoch(epoch);
  if (!found) throw new AifiError('CONFIG_INVALID', 'the keys of a study in flight are gone');
  return found;
}

interface WrittenInstances {
  readonly instances: readonly PseudonymisedInstance[];
  readonly uids: ReadonlyMap<PseudonymousUid, OriginalUid>;
}

/** All files of the job; undefined when a person has to look at some of them first. */
async function writeInstances(
  dependencies: PseudonymiseDependencies,
  job: SelectedJob,
  sources: readonly SourceInstance[],
): Promise<Result<WrittenInstances | undefined>> {
  const { database, siteId, dataFolder, clock } = dependencies;
  const context: DeidentificationContext = {
    siteCode: siteId.toUpperCase(),
    keys: keysOf(dependencies, job),
    contract: deidentificationContractSchema.parse(JSON.parse(job.deidentification ?? '{}')),
  };
  const released = releasedFiles(database, job.jobId);
  const uids = new Map<PseudonymousUid, OriginalUid>();
  const instances: PseudonymisedInstance[] = [];
  const holds: NewPixelHold[] = [];
  for (const { path, sha256 } of sources) {
    const cleared = await clear(dependencies, job, { path, isReleased: released.has(sha256) });
    if (!cleared.ok) return cleared;
    if ('reason' in cleared.value) {
      holds.push({ sha256, ...cleared.value });
      continue;
    }
    // The job is held already: only the other files to look at are still wanted.
    if (holds.length > 0) continue;
    const written = await writePseudonymisedInstance({
      sourcePath: path,
      folder: join(dataFolder, 'spool', job.jobId),
      context,
      clearance: cleared.value,
      onUids: (added) => added.forEach((original, pseudonym) => uids.set(pseudonym, original)),
    });
    if (!written.ok) return written;
    instances.push(written.value);
  }
  if (holds.length === 0) return ok({ instances, uids });
  await holdJob(database, job.jobId, holds, clock.nowMs());
  return ok(undefined);
}

/** What the pixel gate says of one file: how it is cleared, or why a person has to look. */
async function clear(
  { pixelGate }: PseudonymiseDependencies,
  { lane }: SelectedJob,
  file: { readonly path: string; readonly isReleased: boolean },
): Promise<Result<PixelClearance | Omit<NewPixelHold, 'sha256'>>> {
  const { dataset: header } = await readPart10Header(file.path);
  const decision = await pixelGate.judge({ ...file, header, lane });
  if (decision.kind === 'refuse') return refuse('QUARANTINED_PIXELS', decision.reason);
  if (decision.kind === 'hold') {
    return ok({ reason: decision.reason, findings: decision.findings });
  }
  if (decision.kind === 'clear') return ok({ isExamined: true });
  const cleaned = await blackOut(file.path, decision.regions);
  return cleaned.ok ? ok({ isExamined: true, cleaned: cleaned.value }) : cleaned;
}

/** The identity of the first instance, when all instances of the study name the same patient. */
async function onePatient(paths: readonly string[]): Promise<Result<Identity>> {
  let identity: Identity | undefined;
  try {
    for (const path of paths) {
      const next = identityOf((await readPart10Header(path)).dataset);
      identity ??= next;
      const isSame =
        next.fields.PatientID === identity.fields.PatientID &&
        next.fields.IssuerOfPatientID === identity.fields.IssuerOfPatientID;
      if (!isSame) return refuse('QUARANTINED_IDENTIFIER', 'two patients in one study');
    }
  } catch (error) {
    if (AifiError.from(error).code !== 'DICOM_MALFORMED') throw error;
    return refuse('QUARANTINED_IDENTIFIER', 'identity does not decode');
  }
  return identity ? ok(identity) : refuse('INPUT_INCOMPLETE', 'no instances');
}

async function decline(
  { database, clock }: PseudonymiseDependencies,
  job: SelectedJob,
  { code, detail }: Refusal,
): Promise<void> {
  await database.write((sql) =>
    moveJob(sql, {
      jobId: job.jobId,
      from: 'SELECTED',
      to: 'NOT_ANALYSED_NOTIFIED',
      stage: 'pseudonymise',
      event: 'declined',
      atMs: clock.nowMs(),
      code,
      ...(detail === undefined ? {} : { reason: detail }),
    }),
  );
}
