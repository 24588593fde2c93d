/**
 * UplinkService: studies of one site from its gateways to the object store.
 * Decides when the hub says yes: an object is acknowledged when its bytes are durable under the
 * declared digest and its row is committed; a study when all its objects are held, in the
 * transaction that hands it to routing. Invariants: repeating a call gives the same answer; other
 * bytes under the same job are refused. Source: reliability specification P2, C1, C3, C4;
 * aifi/uplink/v1/uplink.proto.
 */
import {
  AifiError,
  crashPoint,
  sha256Hex,
  type Clock,
  type JobId,
  type Sha256,
  type SiteId,
} from '@aifi/shared-kernel';
import { decodeManifest, studyManifestSchema, type StudyManifest } from '@aifi/contracts-manifests';
import type { uplink } from '@aifi/contracts-proto';
import {
  moveStudyJob,
  readSite,
  recordEvent,
  type HubDatabase,
  type Sql,
} from '@aifi/hub-database';
import type { FolderObjectStore } from '@aifi/hub-object-store';
import { siteStream, siteUnary, type FaultListener } from '@aifi/hub-identity';
import { receiveObjects } from './object-receiver.js';

export interface UplinkDependencies {
  readonly database: HubDatabase;
  readonly store: FolderObjectStore;
  readonly clock: Clock;
  /** Rung when a study has been handed to routing. */
  readonly onDone: () => void;
  readonly onFault: FaultListener;
}

/** An AES-256-GCM seal over a spool row and some digests is below 2 kB. @unit bytes */
const ENVELOPE_BYTES_MAX = 16 * 1024;

/** The methods for a grpc-js server. */
export function createUplinkService(dependencies: UplinkDependencies): uplink.UplinkServiceServer {
  const { onFault } = dependencies;
  const openStreams = new Map<SiteId, number>();
  return {
    openStudy: siteUnary(
      ({ siteId }, request) => openStudy(dependencies, siteId, request),
      onFault,
    ),
    putObjects: siteStream((stream) => receiveObjects(dependencies, openStreams, stream), onFault),
    closeStudy: siteUnary(
      ({ siteId }, request) => closeStudy(dependencies, siteId, request),
      onFault,
    ),
  };
}

function readManifest(request: uplink.OpenStudyRequest): StudyManifest {
  const manifest = decodeManifest(studyManifestSchema, request.manifest);
  const isOther = manifest.jobId !== request.jobId || manifest.revision !== request.revision;
  if (isOther || request.envelope.length === 0) {
    throw new AifiError('INVALID_ARGUMENT', 'request and manifest name different jobs');
  }
  if (request.envelope.length > ENVELOPE_BYTES_MAX) {
    throw new AifiError('LIMIT_EXCEEDED', 'the envelope is too large');
  }
  const instances = new Set(manifest.objects.map((object) => object.sopInstanceUid));
  if (instances.size !== manifest.objects.length) {
    throw new AifiError('INVALID_ARGUMENT', 'the manifest lists an instance twice');
  }
  return manifest;
}

async function openStudy(
  { database, clock }: UplinkDependencies,
  siteId: SiteId,
  request: uplink.OpenStudyRequest,
): Promise<uplink.OpenStudyResponse> {
  const manifest = readManifest(request);
  const answer = await database.withSite(siteId, async (sql) => {
    if (!(await readSite(sql))) throw new AifiError('FORBIDDEN', 'the site is not enrolled');
    const isNew = await insertJob(sql, { siteId, manifest, request, atMs: clock.nowMs() });
    if (isNew) await insertObjects(sql, siteId, manifest);
    return readProgress(sql, manifest.jobId, request);
  });
  crashPoint('hub.ingest.after-open');
  return answer;
}

interface NewJob {
  readonly siteId: SiteId;
  readonly manifest: StudyManifest;
  readonly request: uplink.OpenStudyRequest;
  readonly atMs: number;
}

async function insertJob(sql: Sql, { siteId, manifest, request, atMs }: NewJob): Promise<boolean> {
  const { jobId, revision, product, lane } = manifest;
  const changed = await sql.run(
    `INSERT INTO study_job (site_id, job_id, revision, product, version, model_digest, lane,
       manifest, manifest_sha256, envelope, state, opened_at, study_pseudonym)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'OPEN', $11, $12)
     ON CONFLICT (site_id, job_id) DO NOTHING`,
    siteId,
    jobId,
    revision,
    product.id,
    product.version,
    product.modelDigest,
    lane,
    request.manifest,
    sha256Hex(request.manifest),
    request.envelope,
    new Date(atMs),
    // A pseudonym: the gateway sends no other UID.
    manifest.studyInstanceUid,
  );
  return changed === 1;
}

async function insertObjects(sql: Sql, siteId: SiteId, manifest: StudyManifest): Promise<void> {
  await sql.run(
    `INSERT INTO job_object (site_id, job_id, position, sha256, size_bytes)
     SELECT $1, $2, o.position - 1, o.sha256, o.size_bytes::bigint
     FROM unnest($3::text[], $4::text[]) WITH ORDINALITY AS o(sha256, size_bytes, position)`,
    siteId,
    manifest.jobId,
    manifest.objects.map((object) => object.sha256),
    manifest.objects.map((object) => String(object.sizeBytes)),
  );
}

/** The same answer for the same bytes; STATE_CONFLICT for other bytes under this job. */
async function readProgress(
  sql: Sql,
  jobId: JobId,
  { manifest, envelope }: uplink.OpenStudyRequest,
): Promise<uplink.OpenStudyResponse> {
  const job = await sql.row<{ state: string }>(
    'SELECT state FROM study_job WHERE job_id = $1 AND manifest_sha256 = $2 AND envelope = $3',
    jobId,
    sha256Hex(manifest),
    envelope,
  );
  if (!job) throw new AifiError('STATE_CONFLICT', 'the job was opened with other bytes');
  const held = await sql.rows<{ sha256: Sha256 }>(
    `SELECT DISTINCT sha256 FROM job_object JOIN study_object USING (site_id, sha256)
     WHERE job_id = $1`,
    jobId,
  );
  const heldSha256 = held.map((row) => row.sha256);
  return { heldSha256, stored: job.state !== 'OPEN', partial: [] };
}

async function closeStudy(
  { database, clock, onDone }: UplinkDependencies,
  siteId: SiteId,
  { jobId, revision, manifestSha256 }: uplink.CloseStudyRequest,
): Promise<uplink.CloseStudyResponse> {
  crashPoint('hub.ingest.before-close');
  await database.withSite(siteId, async (sql) => {
    const job = await sql.row<{ job_id: JobId; state: string; missing: number }>(
      `SELECT job_id, state, (SELECT count(*)::int FROM job_object o
         LEFT JOIN study_object s USING (site_id, sha256)
         WHERE o.job_id = j.job_id AND s.sha256 IS NULL) AS missing
       FROM study_job j WHERE job_id = $1 AND revision = $2 AND manifest_sha256 = $3 FOR UPDATE`,
      jobId,
      revision,
      manifestSha256,
    );
    if (!job) throw new AifiError('NOT_FOUND', 'no such job');
    if (job.state !== 'OPEN') return;
    if (job.missing > 0) throw new AifiError('STATE_CONFLICT', 'objects of the job are missing');
    const move = { siteId, jobId: job.job_id, atMs: clock.nowMs() };
    await moveStudyJob(sql, { ...move, from: 'OPEN', to: 'STORED' });
    const payload = { jobId, revision };
    await recordEvent(sql, { ...move, type: 'aifi.study.study.stored.v1', payload });
  });
  crashPoint('hub.ingest.after-close');
  onDone();
  return { ack: { jobId, manifestSha256 } };
}
