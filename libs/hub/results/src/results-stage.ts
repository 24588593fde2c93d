/**
 * Results: inference records to signed outcomes with sealed objects.
 * Decides that a result exists when its objects are durable and its signed manifest is committed
 * with the claim's fencing token, that unusable output ends the job with OUTPUT_INVALID, and that
 * a negative of an early start waits for the whole study unless the product needs no more.
 * Invariants: bytes are sealed once and never built anew after commit; every object is listed.
 * Source: architecture 2 (results); reliability specification P4, C6.
 */
import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { readPart10Header } from '@aifi/dicom-core';
import {
  AifiError,
  backoffMs,
  crashPoint,
  LIMITS,
  pollingStage,
  type Clock,
  type PseudonymousUid,
  type Sha256,
  type Stage,
  type Wake,
} from '@aifi/shared-kernel';
import type { ModelManifest, OutcomeManifest } from '@aifi/contracts-manifests';
import {
  advanceClaim,
  claimJob,
  concludeJob,
  notAnalysed,
  readStudyJob,
  releaseClaim,
  type Claim,
  type HubDatabase,
  type StudyJob,
} from '@aifi/hub-database';
import { putBytes, type FolderObjectStore } from '@aifi/hub-object-store';
import type { Logger } from '@aifi/shared-observability';
import { withheldEarly } from './early-negative.js';
import { readModelOutput } from './model-output.js';
import { buildResultObjects, type ResultObject } from './result-objects.js';

export const resultsConfigSchema = z.strictObject({
  language: z.enum(['nl-NL', 'en-GB']).default('nl-NL').describe('language of our own sentences'),
});

export interface ResultsDependencies {
  readonly database: HubDatabase;
  readonly store: FolderObjectStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly wake: Wake;
  readonly config: z.infer<typeof resultsConfigSchema>;
  readonly platformVersion: string;
  readonly findModel: (product: string, version: string) => ModelManifest | undefined;
  /** Ed25519 key of the hub. */
  readonly signingKey: KeyObject;
  /** Rung when a job has an outcome. */
  readonly onConcluded: () => void;
}

interface RecordRow {
  readonly lease_epoch: string;
  readonly input_digest: Sha256;
  readonly output_sha256: Sha256;
  readonly header_size_bytes: number;
  readonly started_at: Date;
  readonly finished_at: Date;
}
interface Work {
  readonly claim: Claim;
  readonly job: StudyJob;
  readonly record: RecordRow;
}

export function createResultsStage(dependencies: ResultsDependencies): Stage {
  const { database, clock, logger, wake } = dependencies;
  return pollingStage({
    name: 'results',
    clock,
    wake,
    intervalMs: 1_000,
    onFault: (error) => logger.fault('results failed', error, { stage: 'results' }),
    runOnce: async () => {
      const claim = await claimJob(database, 'INFERRED');
      if (!claim) return 0;
      await handle(dependencies, claim);
      return 1;
    },
  });
}

async function handle(dependencies: ResultsDependencies, claim: Claim): Promise<void> {
  const { database, logger, onConcluded } = dependencies;
  const { siteId, jobId } = claim;
  const fields = { stage: 'results', siteId, jobId };
  const work = await readWork(database, claim);
  try {
    if (deathsOf(work) >= LIMITS.parseAttemptsMax) {
      throw new AifiError('POISON_INPUT', 'reading the output has ended the process each time');
    }
    const manifest = await makeResult(dependencies, work);
    crashPoint('hub.results.sealed');
    await conclude(dependencies, claim, manifest);
    crashPoint('hub.results.committed');
    logger.info('result made', fields);
  } catch (error) {
    const fault = AifiError.from(error);
    logger.fault('no result made', fault, fields);
    if (fault.retryClass !== 'permanent') {
      const { code } = fault;
      return releaseClaim(database, claim, { delayMs: backoffMs(1), failed: true, fault: code });
    }
    const refusal = { code: 'OUTPUT_INVALID' } as const;
    const manifest = notAnalysed(work.job, refusal, dependencies.clock.nowMs());
    await conclude(dependencies, claim, manifest);
  }
  onConcluded();
}

/**
 * Claims since the record was made, less this one and those that came back with a failure: in each
 * of them the process died. The epoch is committed with the claim, before anything is parsed.
 */
function deathsOf({ claim, record }: Work): number {
  return claim.leaseEpoch - Number(record.lease_epoch) - 1 - claim.attempts;
}

async function readWork(database: HubDatabase, claim: Claim): Promise<Work> {
  return database.withSite(claim.siteId, async (sql) => {
    const job = await readStudyJob(sql, claim.jobId);
    const record = await sql.row<RecordRow>(
      `SELECT lease_epoch, input_digest, output_sha256, header_size_bytes, started_at, finished_at
       FROM inference_record WHERE job_id = $1`,
      claim.jobId,
    );
    if (!job || !record) throw new AifiError('INTERNAL', 'a claimed job without its record');
    return { claim, job, record };
  });
}

async function conclude(
  { database, signingKey }: ResultsDependencies,
  claim: Claim,
  manifest: OutcomeManifest,
): Promise<void> {
  await database.withSite(claim.siteId, async (sql) => {
    await advanceClaim(sql, claim, 'INFERRED', 'DONE');
    await concludeJob(sql, { siteId: claim.siteId, manifest, signingKey });
  });
}

async function makeResult(dependencies: ResultsDependencies, work: Work): Promise<OutcomeManifest> {
  const { store, findModel, platformVersion, config, clock } = dependencies;
  const { siteId, jobId } = work.claim;
  const { manifest, manifestSha256 } = work.job;
  const { record } = work;
  const model = findModel(manifest.product.id, manifest.product.version);
  if (!model) throw new AifiError('NOT_FOUND', 'the package of the job is gone');
  const sealedPath = store.path(siteId, record.output_sha256);
  const output = await readModelOutput(sealedPath, record.header_size_bytes, {
    ...{ manifest, model },
    headerOf: async ({ sha256 }) => (await readPart10Header(store.path(siteId, sha256))).dataset,
  });
  const withheld = withheldEarly(manifest, output);
  if (withheld) return notAnalysed(work.job, withheld, clock.nowMs());
  const { objects, mintedUids } = buildResultObjects({
    jobId,
    modelDigest: manifest.product.modelDigest,
    issue: 0,
    product: model,
    output,
    // Not the clock: a second try after a crash must give the same bytes.
    producedAt: record.finished_at,
    platformVersion,
    language: config.language,
    early: manifest.early,
  });
  const listed = [];
  for (const [index, object] of objects.entries()) {
    listed.push(listObject(object, index, await putBytes(store, siteId, object.bytes)));
  }
  return {
    schema: 'aifi.outcome-manifest.v1',
    jobId,
    revision: manifest.revision,
    issue: 0,
    product: manifest.product,
    outcome: 'RESULT',
    manifestSha256,
    inputDigest: record.input_digest,
    objects: listed,
    mintedUids: [...mintedUids],
    startedAtMs: record.started_at.getTime(),
    finishedAtMs: clock.nowMs(),
  };
}

function listObject(
  { role, dataset }: ResultObject,
  index: number,
  sealed: { readonly sha256: Sha256; readonly sizeBytes: number },
): OutcomeManifest['objects'][number] {
  const uid = (keyword: string): PseudonymousUid => dataset.string(keyword) as PseudonymousUid;
  return {
    index,
    role,
    sopClassUid: uid('SOPClassUID'),
    sopInstanceUid: uid('SOPInstanceUID'),
    seriesInstanceUid: uid('SeriesInstanceUID'),
    ...{ sizeBytes: sealed.sizeBytes, sha256: sealed.sha256 },
  };
}
