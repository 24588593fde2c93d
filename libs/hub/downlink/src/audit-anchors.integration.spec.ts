/**
 * Goal: a gateway gets the anchors of its own site's chain, and no other's.
 * Method: the service over an embedded PostgreSQL; the test stands in for the TLS layer, which has
 * verified a certificate that names the site.
 */
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import type { sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { verifyAnchor } from '@aifi/access-audit';
import { decodeManifest } from '@aifi/contracts-manifests';
import type { downlink } from '@aifi/contracts-proto';
import { auditAnchorSchema, type AuditAnchor, type AuditDraft } from '@aifi/contracts-rest';
import { AifiError, canonicalJson, systemClock } from '@aifi/shared-kernel';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import {
  appendAudit,
  enrolSites,
  HubDatabase,
  makeAnchors,
  removeServerFolder,
  startEmbeddedPostgres,
  type EmbeddedPostgres,
} from '@aifi/hub-database';
import { FolderObjectStore } from '@aifi/hub-object-store';
import { controlConfigSchema } from './control.config.js';
import { createDownlink, type Downlink } from './downlink-service.js';

const DAY_MS = 24 * 3_600_000;
const FIRST_MS = Date.UTC(2025, 0, 1, 12);
const DAYS = 402;
const { privateKey, publicKey } = generateKeyPairSync('ed25519');

let folder: TemporaryFolder;
let server: EmbeddedPostgres;
let database: HubDatabase;
let sut: Downlink;

beforeAll(async () => {
  folder = temporaryFolder('hub-downlink');
  server = await startEmbeddedPostgres({ dataFolder: folder.path, clock: systemClock });
  database = await HubDatabase.open(server.urls);
  const site = { purpose: 'demonstration', deployments: [] } as const;
  const sites = ['site-a', 'site-b', 'site-c'].map((siteName) => ({ siteName, ...site }));
  await enrolSites(database, sites, async () => undefined);
  await database.withAccess(async (sql) => {
    await appendAudit(sql, DRAFT, FIRST_MS);
    for (let day = 0; day < DAYS; day += 1) {
      await makeAnchors(sql, privateKey, FIRST_MS + day * DAY_MS);
    }
  });
  sut = createDownlink({
    ...{ database, clock: systemClock, store: new FolderObjectStore(folder.path) },
    ...{ onFault: () => undefined, stopping: new AbortController().signal },
    ...{ signingKey: privateKey, control: controlConfigSchema.parse({}) },
  });
}, 180_000);

afterAll(async () => {
  await database?.close();
  await server?.stop();
  await removeServerFolder(folder.path);
  folder.remove();
}, 60_000);

const DRAFT: AuditDraft = {
  ...{ act: 'audit.search', action: 'R', outcome: 'success', code: null, userId: 'anne' },
  ...{ userName: 'Anne', userKind: 'person', role: 'auditor', responsibleUserId: null },
  ...{ siteId: '*', objectType: 'audit', objectId: '*', patientId: null, reason: null },
  ...{ sourceAddress: '', correlationId: randomUUID(), detail: {} },
};

type Call = ServerUnaryCall<downlink.GetAuditAnchorsRequest, downlink.GetAuditAnchorsResponse>;
type Answer = sendUnaryData<downlink.GetAuditAnchorsResponse>;
function anchorsOf(site: string | undefined, fromDay: string): Promise<readonly Uint8Array[]> {
  const subjectaltname = site === undefined ? '' : `URI:spiffe://aifi/site/${site}/gw/1`;
  const call = {
    request: { fromDay },
    getAuthContext: () => ({ sslPeerCertificate: { subjectaltname } }),
  } as unknown as Call;
  return new Promise((resolve, reject) => {
    const answer: Answer = (error, response) =>
      error ? reject(error) : resolve(response!.anchors);
    sut.service.getAuditAnchors(call, answer);
  });
}
const decode = (bytes: Uint8Array): AuditAnchor => decodeManifest(auditAnchorSchema, bytes);

describe('getAuditAnchors', () => {
  it('gives the own chain, oldest first, signed, as canonical bytes, 400 at most', async () => {
    const bytes = await anchorsOf('site-a', '');
    expect(bytes).toHaveLength(400);
    const anchors = bytes.map(decode);
    expect(new Set(anchors.map(({ chain }) => chain))).toEqual(new Set(['hub:site-a']));
    const days = anchors.map(({ day }) => day);
    expect(days[0]).toBe('2025-01-01');
    expect(days).toEqual(days.toSorted());
    expect(new Set(days).size).toBe(400);
    for (const [index, anchor] of anchors.entries()) {
      expect(() => verifyAnchor(anchor, publicKey)).not.toThrow();
      expect(Buffer.from(bytes[index]!).toString()).toBe(canonicalJson(anchor));
    }
  });

  it('goes on from a day, that day included', async () => {
    const rest = (await anchorsOf('site-a', '2026-02-05')).map(decode);
    expect(rest.map(({ day }) => day)).toEqual(['2026-02-05', '2026-02-06']);
    await expect(anchorsOf('site-a', '2026-02-07')).resolves.toEqual([]);
  });

  it('gives a site without a name in its certificate nothing', async () => {
    await expect(anchorsOf(undefined, '')).rejects.toMatchObject({ details: 'UNTRUSTED' });
    await expect(anchorsOf('site-x', '')).resolves.toEqual([]);
  });

  it.each(['x', '2026-02-30', '2026-2-1', '2026-02-01T00:00:00Z', `'; DROP TABLE site`])(
    'refuses %j as a day',
    async (fromDay) => {
      const { grpcStatus } = new AifiError('INVALID_ARGUMENT', '');
      await expect(anchorsOf('site-a', fromDay)).rejects.toMatchObject({ code: grpcStatus });
    },
  );
});
