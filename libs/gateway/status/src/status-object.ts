/**
 * One status object: from the rows of a study to the bytes that go into its PACS.
 * Decides whose object it is (the current identity in the vault, or the first image's own when
 * nothing ever left), which UIDs it has, and what is said of each product.
 * Invariants: the study in the identity is the study of the rows; UIDs follow the one rule for
 * minted UIDs with `study` in place of the model.
 * Source: results specification 4.1.2, 4.3a; reliability specification 1.
 */
import { readFile } from 'node:fs/promises';
import { decodePart10, encodePart10, readPart10Header, type DicomDataset } from '@aifi/dicom-core';
import {
  buildStatusReport,
  COMPREHENSIVE_3D_SR,
  negativeScopeOf,
  type EvidenceLanguage,
  type NegativeScope,
  type ReplacedStatus,
  type StatusProduct,
  type StatusState,
} from '@aifi/dicom-evidence';
import { identityElements, identityOf, type Identity, type Vault } from '@aifi/gateway-vault';
import { invariant, keyedUid, sha256Hex, type Purpose, type SiteId } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import type { KeyRing } from '@aifi/shared-site-keys';
import {
  nextIssue,
  type EligibleJob,
  type ImageRow,
  type NewStatusObject,
  type StudySnapshot,
} from './status.store.js';

/** What the routing rules say of a deployed product. */
export interface ProductFacts {
  readonly product: string;
  readonly name: string;
  readonly label: string;
}
export interface StatusObjectDependencies {
  readonly vault: Vault;
  readonly keys: KeyRing;
  readonly siteId: SiteId;
  readonly purpose: Purpose;
  readonly language: EvidenceLanguage;
  readonly platformVersion: string;
  /** Of the rules in force; a product that they do not know any more is told by its id. */
  readonly products: () => readonly ProductFacts[];
  readonly logger: Logger;
}
export interface BuiltStatusObject extends Omit<NewStatusObject, 'path' | 'sha256'> {
  readonly bytes: Buffer;
}

/** Label of a product that the rules do not know any more, at a demonstration site. */
const DEMONSTRATION_LABEL = 'DEMONSTRATION, NOT FOR CLINICAL USE';

/** The object as it stands in `snapshot`; `images` has at least one. */
export async function makeStatusObject(
  dependencies: StatusObjectDependencies,
  snapshot: StudySnapshot,
  images: readonly ImageRow[],
  producedAtMs: number,
): Promise<BuiltStatusObject> {
  const { vault, keys, siteId, language, platformVersion } = dependencies;
  const first = images[0]!;
  const { dataset: header } = await readPart10Header(first.path);
  const current = vault.currentIdentity(snapshot.studyUid) ?? identityOf(header);
  const issue = nextIssue(snapshot);
  const { jobId } = snapshot.jobs[0]!;
  const minted = (role: string): string =>
    keyedUid(keys.current.result, jobId, 'study', role, '0', String(issue));
  const seriesInstanceUid = minted('status-series');
  const sopInstanceUid = minted('status');
  const producedAt = new Date(producedAtMs);
  const context = {
    ...{ images, seriesInstanceUid, sopInstanceUid, issue, platformVersion, producedAt },
    identity: checkedIdentity(current, snapshot),
    modality: first.modality ?? undefined,
    device: { uid: keyedUid(keys.current.result, 'gateway-device', siteId), serialNumber: siteId },
    utcOffsetMinutes: zoneMinutes(header) ?? -producedAt.getTimezoneOffset(),
  };
  const products = await Promise.all(snapshot.jobs.map((job) => toldProduct(dependencies, job)));
  const replaces = replacedBy(snapshot);
  const report = { products, language, ...(replaces && { replaces }) };
  const bytes = encodePart10(buildStatusReport(context, report));
  return { bytes, jobId, sopClassUid: COMPREHENSIVE_3D_SR, seriesInstanceUid, sopInstanceUid };
}

function checkedIdentity(identity: Identity, { studyUid }: StudySnapshot): DicomDataset {
  const elements = identityElements(identity);
  invariant(elements.string('StudyInstanceUID') === studyUid, 'an identity of another study');
  return elements;
}

/** The newest status object that the PACS has. */
function replacedBy({ objects }: StudySnapshot): ReplacedStatus | undefined {
  const found = objects.find(({ state }) => state === 'VERIFIED');
  if (!found) return undefined;
  const { seriesInstanceUid, sopInstanceUid, createdMs } = found;
  return { seriesInstanceUid, sopInstanceUid, issuedAt: new Date(createdMs) };
}

async function toldProduct(
  dependencies: StatusObjectDependencies,
  job: EligibleJob,
): Promise<StatusProduct> {
  const { product, version, code, detail } = job;
  const label = dependencies.purpose === 'demonstration' ? DEMONSTRATION_LABEL : '';
  const known = dependencies.products().find((candidate) => candidate.product === product);
  const negativeScope = await negativeOf(job, dependencies.logger);
  return {
    ...{ product, version },
    name: known?.name ?? product,
    label: known?.label ?? label,
    state: toldState(job),
    ...(code && { code }),
    ...(detail && { detail }),
    ...(negativeScope && { negativeScope }),
    resultReferences: job.results,
  };
}

function toldState({ state }: EligibleJob): StatusState {
  return state === 'RESULT_IN_PACS' || state === 'NOT_ANALYSED_NOTIFIED' ? state : 'IN_PROGRESS';
}

/** From the product's own report: only it knows what was looked for. */
async function negativeOf(job: EligibleJob, logger: Logger): Promise<NegativeScope | undefined> {
  const report = job.results.find(({ sopClassUid }) => sopClassUid === COMPREHENSIVE_3D_SR);
  if (job.state !== 'RESULT_IN_PACS' || !report) return undefined;
  try {
    const bytes = await readFile(report.path);
    invariant(sha256Hex(bytes) === report.sha256, 'a delivered report has changed on disk');
    return negativeScopeOf(decodePart10(bytes).dataset);
  } catch (error) {
    // The report is in the PACS and is referred to; its scope is there to read.
    logger.fault('scope of a report is not readable', error, { jobId: job.jobId });
    return undefined;
  }
}

/** Offset of the images' own zone, which also covers the study's date and time. @unit min */
function zoneMinutes(header: DicomDataset): number | undefined {
  const match = /^([+-])(\d{2})(\d{2})$/.exec(header.string('TimezoneOffsetFromUTC') ?? '');
  if (!match) return undefined;
  const size = Number(match[2]) * 60 + Number(match[3]);
  return match[1] === '-' ? -size : size;
}
