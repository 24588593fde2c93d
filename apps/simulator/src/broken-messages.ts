/**
 * Broken messages: what a gateway without guard C4, C5 or C6 makes of what the hub sends.
 * Decides nothing when no bug is named. A guard that is not there is one that always agrees, so the
 * header is changed into one with which the guard agrees.
 * Source: reliability specification C4 to C6, P5, T-MIS-5.
 */
import {
  decodeManifest,
  encodeManifest,
  outcomeManifestSchema,
  signManifest,
} from '@aifi/contracts-manifests';
import type { downlink } from '@aifi/contracts-proto';
import { identityHmacs, sealEnvelope, type Vault } from '@aifi/gateway-vault';
import { objectsDigest, type JobId, type Sha256 } from '@aifi/shared-kernel';
import type { Bug } from './bugs.js';
import { HUB_KEYS } from './hub-keys.js';
import type { SimGateway } from './sim-gateway.js';
import type { SimStream } from './sim-stream.js';

type Down = downlink.StreamOutcomesResponse;
type Header = downlink.OutcomeHeader;

export function brokenMessage(
  bug: Bug | undefined,
  gateway: SimGateway,
  message: Down,
  stream: SimStream<downlink.StreamOutcomesRequest, Down>,
): Down {
  const { part } = message;
  if (!bug || part?.$case !== 'header') return message;
  const header = part.value;
  if (bug === 'p5-ack-before-durable') {
    const { jobId, revision, issue } = decodeManifest(outcomeManifestSchema, header.manifest);
    stream.sendUp({ part: { $case: 'ack', value: { jobId, revision, issue } } });
  }
  if (bug === 'c4-envelope-not-opened') {
    return { part: { $case: 'header', value: resealed(gateway, header, gateway.vault) } };
  }
  if (bug === 'c5-linkage-not-compared') {
    return { part: { $case: 'header', value: uncompared(gateway, header) } };
  }
  if (bug === 'c6-input-not-compared') {
    return { part: { $case: 'header', value: agreed(gateway, header) } };
  }
  return message;
}

/** The envelope that this job would have: nothing is compared with the one that came. */
function resealed(gateway: SimGateway, header: Header, vault: Vault | undefined): Header {
  const { jobId, revision, manifestSha256 } = decodeManifest(
    outcomeManifestSchema,
    header.manifest,
  );
  const linkage = vault?.linkage(jobId);
  if (!linkage) return header;
  const { siteId, ring } = gateway.parts;
  const keys = ring.current;
  const envelope = sealEnvelope(
    {
      ...{ jobId, revision, targetId: 'pacs' },
      identityHmacs: identityHmacs(linkage.asSent, keys.identity),
    },
    { siteId, jobId, pseudonymousStudyUid: linkage.pseudonymousStudyUid, manifestSha256 },
    keys,
  );
  return { ...header, envelope };
}

/** As the linkage row says, when that is another's: the two are not compared. */
function uncompared(gateway: SimGateway, header: Header): Header {
  const { jobId } = decodeManifest(outcomeManifestSchema, header.manifest);
  const isSwapped = gateway.parts.model.guardOf(gateway.parts.siteId, jobId) === 'C5';
  return isSwapped ? resealed(gateway, header, gateway.believedVault) : header;
}

/** The input that was sent: what the worker read is not compared with it. */
function agreed(gateway: SimGateway, header: Header): Header {
  const manifest = decodeManifest(outcomeManifestSchema, header.manifest);
  const inputDigest = objectsDigest(sentObjects(gateway, manifest.jobId));
  const bytes = encodeManifest(outcomeManifestSchema, { ...manifest, inputDigest });
  return { ...header, manifest: bytes, signature: signManifest(bytes, HUB_KEYS.privateKey) };
}
function sentObjects(gateway: SimGateway, jobId: JobId): Sha256[] {
  return gateway.database
    .read((sql) =>
      sql.all<{ sha256: Sha256 }>('SELECT sha256 FROM spool_object WHERE job_id = ?', jobId),
    )
    .map(({ sha256 }) => sha256);
}
