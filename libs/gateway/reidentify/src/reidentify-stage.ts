/**
 * Reidentify: outcomes of the hub to objects of the hospital.
 * Decides whether an outcome is believed (guards C4 to C6) and gives its objects the patient and
 * the final UIDs. Invariants: files first, then delivery rows and job state in one transaction;
 * once the rows are there the bytes are never made again. Source: reliability specification 1, P5.
 */
import { join } from 'node:path';
import type { OutcomeManifest } from '@aifi/contracts-manifests';
import { readPart10Header } from '@aifi/dicom-core';
import { WorkAttempts, type GatewayDatabase } from '@aifi/gateway-database';
import {
  identityElements,
  settleIdentity,
  type IdentityEventLog,
  type Linkage,
  type Vault,
} from '@aifi/gateway-vault';
import {
  crashPoint,
  keyedUid,
  nodeFileSystem,
  ok,
  pollingStage,
  refuse,
  sha256Hex,
  writeDurableFile,
  type Clock,
  type FileSystem,
  type Result,
  type SiteId,
  type Stage,
  type Wake,
} from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import type { KeyRing, SiteKeys } from '@aifi/shared-site-keys';
import { checkGuards } from './guards.js';
import { InboundStore, type Inbound, type InboundRow, type NewDelivery } from './inbound.store.js';
import { reidentifyObject, type ReidentificationPlan } from './reidentify-object.js';
import { offsetMinutes } from './result-dates.js';
import { shiftedDays } from './shifted-days.js';

/** Far above any report, capture or segmentation; an object is held whole. @unit bytes */
const OBJECT_BYTES_MAX = 268_435_456;

export interface ReidentifyDependencies {
  readonly database: GatewayDatabase;
  readonly vault: Vault;
  /** What the hospital said about its patients. @default nothing */
  readonly events?: IdentityEventLog | undefined;
  readonly keys: KeyRing;
  readonly siteId: SiteId;
  readonly dataFolder: string;
  /** @default the disk of this machine */
  readonly files?: FileSystem | undefined;
  readonly clock: Clock;
  readonly wake: Wake;
  readonly logger: Logger;
  readonly onDone: () => void;
}

export function createReidentifyStage(dependencies: ReidentifyDependencies): Stage {
  const { database, clock, wake, onDone } = dependencies;
  const logger = dependencies.logger.child({ stage: 'reidentify' });
  const store = new InboundStore(database, clock);
  const attempts = new WorkAttempts(database, clock, 'reidentify');
  const handle = async (row: InboundRow): Promise<void> => {
    if (!(await attempts.begin(row.jobId))) {
      // Parsing it has ended the process three times: a person sees it before it is parsed again.
      await store.poisoned(row.jobId);
      logger.error('outcome quarantined: it ends the process', { jobId: row.jobId });
      return onDone();
    }
    const inbound = store.opened(row);
    const { jobId } = inbound.manifest;
    const parsed = (): Promise<void> => attempts.ended(row.jobId);
    const outcome = await takeBack({ ...dependencies, parsed }, store, inbound);
    if (outcome.ok) {
      logger.info('outcome taken back', { jobId });
    } else {
      await store.quarantine(inbound, outcome.refusal);
      logger.error('outcome quarantined', { jobId, code: outcome.refusal.code });
    }
    onDone();
  };
  return pollingStage({
    name: 'reidentify',
    clock,
    wake,
    intervalMs: 1_000,
    onFault: (error) => logger.fault('reidentify failed', error),
    runOnce: async (signal) => {
      let handled = 0;
      for (const row of store.received()) {
        if (signal.aborted) break;
        try {
          await handle(row);
          handled += 1;
        } catch (error) {
          // The next one must pass; this one is tried again at the next look.
          logger.fault('reidentify failed', error, { jobId: row.jobId });
          await attempts.ended(row.jobId).catch(() => undefined);
        }
      }
      return handled;
    },
  });
}

/** `parsed`: what came has been read without ending the process. */
type TakeBack = ReidentifyDependencies & { readonly parsed: () => Promise<void> };

async function takeBack(
  dependencies: TakeBack,
  store: InboundStore,
  inbound: Inbound,
): Promise<Result<void>> {
  const { vault, events, keys, siteId, clock, parsed } = dependencies;
  const { manifest, envelope } = inbound;
  const sent = store.sentJob(manifest.jobId);
  if (!sent) return refuse('IDENTITY_MISMATCH', 'nothing was sent for this job');
  const linkage = checkGuards({ manifest, envelope, sent, vault, keys, siteId });
  if (!linkage.ok || manifest.outcome === 'NOT_ANALYSED') await parsed();
  if (!linkage.ok) return linkage;
  if (manifest.outcome === 'NOT_ANALYSED') {
    await store.finishWithoutResult(inbound);
    return ok(undefined);
  }
  const { studyUid } = linkage.value;
  // What was said of the patient before these images came is in the history from here on.
  if (events) await settleIdentity({ vault, events }, studyUid, clock.nowMs());
  const deliveries = await writeObjects(dependencies, store, inbound, linkage.value);
  await parsed();
  if (!deliveries.ok) return deliveries;
  crashPoint('gateway.reidentify.before-register');
  await register(dependencies, manifest, linkage.value, deliveries.value);
  crashPoint('gateway.reidentify.before-commit');
  await store.finishWithResult(inbound, deliveries.value);
  crashPoint('gateway.reidentify.after-commit');
  return ok(undefined);
}

async function writeObjects(
  dependencies: ReidentifyDependencies,
  store: InboundStore,
  inbound: Inbound,
  linkage: Linkage,
): Promise<Result<readonly NewDelivery[]>> {
  const { keys, dataFolder, files = nodeFileSystem } = dependencies;
  const { manifest } = inbound;
  // The guards have shown that the keys of this epoch are here.
  const minted = mintedUidsOf(manifest, keys.epoch(linkage.epoch)!);
  const zone = await zoneOf(store.sourcePath(manifest.jobId), files);
  const plan = planOf(dependencies, linkage, { minted, zone });
  const deliveries: NewDelivery[] = [];
  for (const listed of manifest.objects) {
    const { index, role, sha256 } = listed;
    if (listed.sizeBytes > OBJECT_BYTES_MAX) return refuse('OUTPUT_INVALID', 'too large a result');
    const bytes = await files.read(inbound.paths.get(index)!);
    if (sha256Hex(bytes) !== sha256) return refuse('OUTPUT_INVALID', 'bytes changed on disk');
    const object = reidentifyObject(bytes, plan);
    if (!object.ok) return object;
    // A result has UIDs of its own: a vault pseudonym here would take an original image's place.
    const isListed =
      minted.get(listed.sopInstanceUid) === object.value.sopInstanceUid &&
      minted.get(listed.seriesInstanceUid) === object.value.seriesInstanceUid &&
      listed.sopClassUid === object.value.sopClassUid;
    if (!isListed) return refuse('IDENTITY_MISMATCH', 'a result is not the object listed');
    const name = `${manifest.issue}-${index}.dcm`;
    const path = join(dataFolder, 'outgoing', manifest.jobId, name);
    const file = await writeDurableFile(path, object.value.bytes, files);
    deliveries.push({ index, role, ...object.value, path, sha256: file.sha256 });
  }
  return ok(deliveries);
}

/** The one rule for UIDs: minted ones are derived again, others come back from the vault. */
function planOf(
  { vault, keys, siteId }: ReidentifyDependencies,
  { jobId, studyUid, epoch, asSent }: Linkage,
  {
    minted,
    zone,
  }: { readonly minted: ReadonlyMap<string, string>; readonly zone?: number | undefined },
): ReidentificationPlan {
  const context = { siteCode: siteId.toUpperCase(), keys: keys.epoch(epoch)! };
  return {
    finalUid: (uid) => minted.get(uid) ?? vault.originalUid(jobId, uid),
    isPseudonymous: (uid) => minted.has(uid) || vault.originalUid(jobId, uid) !== undefined,
    dates: {
      offsetDays: shiftedDays(asSent, context),
      zoneMinutes: (atMs) => zone ?? -new Date(atMs).getTimezoneOffset(),
    },
    identity: identityElements(vault.currentIdentity(studyUid) ?? asSent),
  };
}

/** On the register before the PACS can have it: what is in the PACS can always be recalled. */
async function register(
  { vault, clock }: ReidentifyDependencies,
  { jobId, issue, revision, product }: OutcomeManifest,
  { studyUid, asSent }: Linkage,
  deliveries: readonly NewDelivery[],
): Promise<void> {
  const atMs = clock.nowMs();
  await vault.recordOpened({ jobId, purpose: 'result' }, atMs);
  await vault.registerResults(
    deliveries.map(({ sopInstanceUid, seriesInstanceUid, sopClassUid }) => ({
      ...{ jobId, studyUid, issue, revision, sopClassUid },
      resultSopInstanceUid: sopInstanceUid,
      resultSeriesUid: seriesInstanceUid,
      ...{ product: product.id, productVersion: product.version },
      modelDigest: product.modelDigest,
      studyDate: asSent.fields.StudyDate,
    })),
    atMs,
  );
}

/** Zone of the images; the gateway's own where they do not say, or are no longer kept. */
async function zoneOf(path: string | undefined, files: FileSystem): Promise<number | undefined> {
  if (path === undefined) return undefined;
  try {
    const { dataset } = await readPart10Header(path, files);
    return offsetMinutes(dataset.string('TimezoneOffsetFromUTC'));
  } catch {
    return undefined;
  }
}

/** Final UID of each UID that the hub minted, derived again with the site's key. */
function mintedUidsOf(manifest: OutcomeManifest, keys: SiteKeys): ReadonlyMap<string, string> {
  const { jobId, issue, product } = manifest;
  return new Map(
    manifest.mintedUids.map(({ uid, role, index }): [string, string] => [
      uid,
      keyedUid(keys.result, jobId, product.modelDigest, role, String(index), String(issue)),
    ]),
  );
}
