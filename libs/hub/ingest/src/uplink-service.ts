/**
 * UplinkService: studies of one site from its gateways to the object store.
 * Decides when the hub says yes: an object is acknowledged when its bytes are durable under the
 * declared digest and its row is committed; a study when all its objects are held, in the
 * transaction that hands it to routing. Invariants: repeating a call gives the same answer; other
 * bytes under the same job are refused. Source: reliability specification P2, C1, C3, C4;
 * aifi/uplink/v1/uplink.proto.
 */
import { AifiError, crashPoint, type Clock, type Sha256, type SiteId } from '@aifi/shared-kernel';
import { decodeManifest, studyManifestSchema, type StudyManifest } from '@aifi/contracts-manifests';
import type { uplink } from '@aifi/contracts-proto';
import type { LinkPeer } from '@aifi/hub-identity';
import type { IngestStore } from './ingest-store.js';

/** Beginnings of objects that are durable here. */
export interface ObjectBeginnings {
  /** Of these objects, those of which something is held, with how much. @unit bytes */
  offsets(siteId: SiteId, objects: readonly Sha256[]): Promise<ReadonlyMap<Sha256, number>>;
}

export interface UplinkHandlerDependencies {
  readonly ingest: IngestStore;
  /** @default nothing is held in part */
  readonly beginnings?: ObjectBeginnings | undefined;
  readonly clock: Clock;
  /** Rung when a study has been handed to routing. */
  readonly onDone: () => void;
}
/** The unary calls, without the wire. */
export interface UplinkHandlers {
  openStudy(peer: LinkPeer, request: uplink.OpenStudyRequest): Promise<uplink.OpenStudyResponse>;
  closeStudy(peer: LinkPeer, request: uplink.CloseStudyRequest): Promise<uplink.CloseStudyResponse>;
}

/** An AES-256-GCM seal over a spool row and some digests is below 2 kB. @unit bytes */
const ENVELOPE_BYTES_MAX = 16 * 1024;

export function createUplinkHandlers(dependencies: UplinkHandlerDependencies): UplinkHandlers {
  return {
    openStudy: (peer, request) => openStudy(dependencies, peer, request),
    closeStudy: (peer, request) => closeStudy(dependencies, peer, request),
  };
}

function readManifest(request: uplink.OpenStudyRequest): StudyManifest {
  const manifest = decodeManifest(studyManifestSchema, request.manifest);
  const isOther = manifest.jobId !== request.jobId || manifest.revision !== request.revision;
  if (isOther || request.envelope.length === 0) {
    throw new AifiError('INVALID_ARGUMENT', 'request and manifest name different jobs');
  }
  if (request.envelope.length > ENVELOPE_BYTES_MAX) {
    throw new AifiError('INVALID_ARGUMENT', 'the envelope is too large');
  }
  const instances = new Set(manifest.objects.map((object) => object.sopInstanceUid));
  if (instances.size !== manifest.objects.length) {
    throw new AifiError('INVALID_ARGUMENT', 'the manifest lists an instance twice');
  }
  return manifest;
}

async function openStudy(
  { ingest, beginnings, clock }: UplinkHandlerDependencies,
  peer: LinkPeer,
  request: uplink.OpenStudyRequest,
): Promise<uplink.OpenStudyResponse> {
  const manifest = readManifest(request);
  crashPoint('hub.ingest.before-open');
  const { isStored, held } = await ingest.open({
    ...{ peer, manifest, manifestBytes: request.manifest, envelope: request.envelope },
    atMs: clock.nowMs(),
  });
  crashPoint('hub.ingest.after-open');
  const isHeld = new Set<string>(held);
  const owed = isStored ? [] : manifest.objects.filter((object) => !isHeld.has(object.sha256));
  const offsets = await beginnings?.offsets(
    peer.siteId,
    owed.map((object) => object.sha256),
  );
  const partial = [...(offsets ?? [])].map(([sha256, offsetBytes]) => ({ sha256, offsetBytes }));
  return { heldSha256: [...held], stored: isStored, partial };
}

async function closeStudy(
  { ingest, clock, onDone }: UplinkHandlerDependencies,
  { siteId }: LinkPeer,
  { jobId, revision, manifestSha256 }: uplink.CloseStudyRequest,
): Promise<uplink.CloseStudyResponse> {
  crashPoint('hub.ingest.before-close');
  await ingest.close({ siteId, jobId, revision, manifestSha256, atMs: clock.nowMs() });
  crashPoint('hub.ingest.after-close');
  // Also after a repeat: the first one may have died between its commit and the bell.
  onDone();
  return { ack: { jobId, manifestSha256 } };
}
