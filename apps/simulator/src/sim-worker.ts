/**
 * SimWorker: claims jobs, reads their objects, and makes a result that says what it read.
 * Decides how long a model takes, when it crashes, when its machine freezes (no renewal, and it
 * goes on afterwards as if nothing had been), and when it mixes two jobs up.
 * Invariants: the digest in the result is that of the bytes that were read; equal input gives equal
 * bytes; a mix-up is told to the reference model, which wants it stopped at the gateway.
 * Source: reliability specification P3, P4, C4, C6.
 */
import { DicomDataset, encodePart10 } from '@aifi/dicom-core';
import {
  EARLY_NEGATIVE_DETAIL,
  encodeManifest,
  outcomeManifestSchema,
  signManifest,
  type OutcomeManifest,
} from '@aifi/contracts-manifests';
import {
  keyedUid,
  LIMITS,
  objectsDigest,
  sha256Hex,
  type PseudonymousUid,
} from '@aifi/shared-kernel';
import { SECONDARY_CAPTURE, withPixels } from './hospital.js';
import { HUB_KEYS } from './hub-keys.js';
import type { Random } from './random.js';
import type { ReferenceModel } from './reference-model.js';
import type { Claimed, HubJob, HubRows, SimHub } from './sim-hub.js';
import { EPOCH_MS } from './sim-clock.js';
import type { World } from './world.js';

export interface WorkerTroubles {
  readonly crashes: number;
  readonly freezes: number;
  /** Two jobs are mixed up. */
  readonly mixes: number;
  /** The product finds nothing, and may not say so of a part of a study. @default never */
  readonly negatives?: number;
}
export interface WorkerParts {
  readonly world: World;
  readonly random: Random;
  readonly rows: HubRows;
  readonly model: ReferenceModel;
  readonly troubles: () => WorkerTroubles;
  /** Rung when there is an outcome. */
  readonly onConcluded: () => void;
}
const HUB_UID_KEY = Buffer.alloc(32, 3);
type Mix = 'none' | 'envelope' | 'input';

export async function runWorker(hub: SimHub, parts: WorkerParts): Promise<void> {
  while (hub.life.isAlive) {
    const claimed = await hub.claim();
    if (claimed) await tryJob(hub, parts, claimed);
    else await hub.untilClaimable();
  }
}

async function tryJob(hub: SimHub, parts: WorkerParts, claimed: Claimed): Promise<void> {
  const { world, random, troubles } = parts;
  const { crashes, freezes, mixes, negatives = 0 } = troubles();
  const modelMs = random.int(500, 30_000);
  if (random.chance(crashes)) {
    await world.wait(modelMs, hub.life);
    return hub.release(claimed);
  }
  if (random.chance(freezes)) await world.wait(LIMITS.leaseMs + modelMs, hub.life);
  else await renewing(hub, parts, { claimed, modelMs });
  const { early } = claimed.job.manifest;
  if (early && !early.negativeAllowed && random.chance(negatives)) {
    const { envelope } = claimed.job;
    const outcome = { ...signed(withheld(claimed.job)), envelope, isResult: false };
    if (await hub.conclude(claimed, outcome, [])) parts.onConcluded();
    return;
  }
  const mix: Mix = random.chance(mixes) ? random.pick(['envelope', 'input'] as const) : 'none';
  const made = resultOf(parts, claimed.job, mix);
  if (!made) return hub.release(claimed);
  const { manifest, object, envelope } = made;
  const outcome = { ...signed(manifest), envelope, isResult: true };
  const isKept = await hub.conclude(claimed, outcome, [object]);
  if (isKept && made.mixed) {
    parts.model.mustBeStopped(claimed.job.siteId, claimed.job.jobId, made.mixed);
  }
  if (isKept) parts.onConcluded();
}

function signed(outcome: OutcomeManifest): { manifest: Buffer; signature: Buffer } {
  const manifest = encodeManifest(outcomeManifestSchema, outcome);
  return { manifest, signature: signManifest(manifest, HUB_KEYS.privateKey) };
}

/** A negative of an early start: the hub keeps it to itself. */
function withheld({ jobId, manifest, manifestSha256 }: HubJob): OutcomeManifest {
  const { product, revision } = manifest;
  return {
    ...{ schema: 'aifi.outcome-manifest.v1', jobId, revision, issue: 0, product, manifestSha256 },
    ...{ outcome: 'NOT_ANALYSED', code: 'INPUT_INCOMPLETE', detail: EARLY_NEGATIVE_DETAIL },
    ...{ objects: [], mintedUids: [], finishedAtMs: EPOCH_MS },
  };
}

/** The model runs; its lease is kept. */
async function renewing(
  hub: SimHub,
  { world }: WorkerParts,
  { claimed, modelMs }: { readonly claimed: Claimed; readonly modelMs: number },
): Promise<void> {
  let leftMs = modelMs;
  for (; leftMs > LIMITS.leaseMs / 3; leftMs -= LIMITS.leaseMs / 3) {
    await world.wait(LIMITS.leaseMs / 3, hub.life);
    await hub.renew(claimed);
  }
  await world.wait(leftMs, hub.life);
}

interface Made {
  readonly manifest: OutcomeManifest;
  readonly object: Buffer;
  readonly envelope: Buffer;
  /** Guard that has to stop it. */
  readonly mixed: string | undefined;
}

function resultOf({ rows }: WorkerParts, job: HubJob, mix: Mix): Made | undefined {
  const others = [...rows.jobs.values()].filter(
    (other) =>
      other.siteId === job.siteId &&
      other.manifest.studyInstanceUid !== job.manifest.studyInstanceUid,
  );
  const other = mix === 'none' ? undefined : others[0];
  const read = mix === 'input' && other ? other : job;
  const inputs = read.manifest.objects.map(({ sha256 }) =>
    rows.objects.get(`${job.siteId}/${sha256}`),
  );
  if (inputs.some((bytes) => bytes === undefined)) return undefined;
  const said = inputs.map((bytes) => (JSON.parse(String(bytes)) as { pixels: string }).pixels);
  const { jobId, manifest, manifestSha256 } = job;
  const { product, revision } = manifest;
  // Of several images the last one says which revision it is of.
  const oracle = [...said].sort().at(-1)!.split('|').slice(0, 2).join('|');
  const uid = (role: string): PseudonymousUid =>
    keyedUid(HUB_UID_KEY, job.siteId, jobId, role) as PseudonymousUid;
  const object = resultObject(
    manifest.studyInstanceUid,
    uid,
    `${oracle}|${revision}|${product.id}`,
  );
  return {
    object,
    envelope: mix === 'envelope' && other ? other.envelope : job.envelope,
    mixed: other && (mix === 'envelope' ? 'C4' : 'C6'),
    manifest: {
      ...{ schema: 'aifi.outcome-manifest.v1', jobId, revision, issue: 0, product },
      ...{ outcome: 'RESULT', manifestSha256, finishedAtMs: EPOCH_MS },
      inputDigest: objectsDigest(inputs.map((bytes) => sha256Hex(bytes!))),
      objects: [
        {
          ...{ index: 0, role: 'SC', sizeBytes: object.length, sha256: sha256Hex(object) },
          sopClassUid: SECONDARY_CAPTURE as PseudonymousUid,
          ...{ sopInstanceUid: uid('instance'), seriesInstanceUid: uid('series') },
        },
      ],
      mintedUids: ['instance', 'series'].map((role) => ({ uid: uid(role), role, index: 0 })),
    },
  };
}

function resultObject(studyUid: string, uid: (role: string) => string, oracle: string): Buffer {
  const dataset = new DicomDataset()
    .setString('SOPClassUID', SECONDARY_CAPTURE)
    .setString('SOPInstanceUID', uid('instance'))
    .setString('StudyDate', '')
    .setString('StudyTime', '')
    .setString('AccessionNumber', '')
    .setString('Modality', 'OT')
    .setString('ReferringPhysicianName', '')
    .setString('PatientName', 'PSEUDONYM')
    .setString('PatientID', 'PSEUDONYM')
    .setString('PatientBirthDate', '')
    .setString('PatientSex', '')
    .setString('StudyInstanceUID', studyUid)
    .setString('SeriesInstanceUID', uid('series'))
    .setString('StudyID', '');
  return encodePart10(withPixels(dataset, oracle));
}
