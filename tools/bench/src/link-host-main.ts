/**
 * Entry of the process that receives in the link bench: the hub's ingest with its object store and
 * its embedded PostgreSQL, over both transports, and beside it the plain copies.
 * Decides that a job is made by rows: what OpenStudy costs is not what is measured.
 * Usage: forked with the data folder and the folder of certificates. Source: apps/hub wiring.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { createServer, type TLSSocket } from 'node:tls';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { OBJECTS_ALPN, uplink } from '@aifi/contracts-proto';
import { enrolSites, HubDatabase, startEmbeddedPostgres } from '@aifi/hub-database';
import { peerFromAlternativeNames } from '@aifi/hub-identity';
import { admissionConfigSchema, createIngest, drainOn, FairAdmission } from '@aifi/hub-ingest';
import { FolderObjectStore } from '@aifi/hub-object-store';
import { AifiError, assertNodeVersion, sha256Hex, systemClock } from '@aifi/shared-kernel';
import { readMaterial } from './link/link-certificates.js';
import type { LinkObject, ReceiverMessage, ReceiverRequest } from './link/link-messages.js';
import { receiveCopy } from './link/plain-copy.js';

assertNodeVersion();
const [dataFolder = '', certificates = ''] = process.argv.slice(2);
const SITE = 'bench';
const material = readMaterial(certificates, 'hub');
const copyFolder = join(dataFolder, 'copy');
mkdirSync(copyFolder, { recursive: true, mode: 0o700 });
const postgres = await startEmbeddedPostgres({ dataFolder, clock: systemClock });
const database = await HubDatabase.open(postgres.urls);
const site = { siteName: SITE, purpose: 'demonstration', deployments: [] } as const;
await enrolSites(database, [site], () => Promise.resolve());
const store = new FolderObjectStore(join(dataFolder, 'objects'));
const stopping = new AbortController();
const ingest = createIngest({
  ...{ database, store, clock: systemClock, drain: drainOn(stopping.signal) },
  admission: new FairAdmission(admissionConfigSchema.parse({})),
  onDone: () => undefined,
  onFault: (fault) => console.error(`receiver: ${fault.code}`),
});

function tell(message: ReceiverMessage): void {
  process.send?.(message);
}
async function listen(accept: (socket: TLSSocket) => void, alpn?: string): Promise<number> {
  const secure = { ...material, requestCert: true, rejectUnauthorized: true };
  const protocols = alpn === undefined ? {} : { ALPNProtocols: [alpn] };
  const server = createServer({ ...secure, ...protocols }, (socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    accept(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
const copies = (isSynced: boolean) => (socket: TLSSocket) =>
  void receiveCopy(socket, copyFolder, isSynced).catch(() => undefined);

function listenGrpc(): Promise<number> {
  const server = new Server();
  server.addService(uplink.UplinkServiceService, ingest.service);
  const pair = { private_key: material.key, cert_chain: material.cert };
  const credentials = ServerCredentials.createSsl(material.ca, [pair], true);
  return new Promise((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', credentials, (error, port) =>
      error ? reject(error) : resolve(port),
    ),
  );
}

let job: { readonly jobId: string; readonly objects: readonly LinkObject[] } | undefined;

async function open(jobId: string, objects: readonly LinkObject[]): Promise<void> {
  job = { jobId, objects };
  await database.withConfiguredSite(SITE, async (sql) => {
    await sql.run(
      `INSERT INTO study_job (site_id, job_id, revision, product, version, model_digest, lane,
         manifest, manifest_sha256, envelope, state, opened_at, study_pseudonym, gateway)
       VALUES ($1, $2, 1, 'bench', '1.0.0', 'none', 'routine', $3, $4, $3, 'OPEN', $5, $6, 1)`,
      SITE,
      jobId,
      Buffer.from(jobId),
      sha256Hex(jobId),
      new Date(systemClock.nowMs()),
      `2.25.${BigInt(`0x${randomUUID().replaceAll('-', '')}`)}`,
    );
    await sql.run(
      `INSERT INTO job_object (site_id, job_id, position, sha256, size_bytes)
       SELECT $1, $2, o.position - 1, o.sha256, o.size::bigint
       FROM unnest($3::text[], $4::text[]) WITH ORDINALITY AS o(sha256, size, position)`,
      SITE,
      jobId,
      objects.map(({ sha256 }) => sha256),
      objects.map(({ sizeBytes }) => String(sizeBytes)),
    );
  });
  tell({ kind: 'opened' });
}

/** Counts what is whole: copies by their files, objects by their rows and files. */
async function clear(): Promise<void> {
  const copied = readdirSync(copyFolder);
  for (const name of copied) rmSync(join(copyFolder, name));
  const rows = await database.withConfiguredSite(SITE, (sql) =>
    sql.rows<{ site_id: Parameters<typeof store.path>[0]; sha256: string; size: string }>(
      `SELECT o.site_id, o.sha256, o.size_bytes AS size
       FROM job_object o JOIN study_object s USING (site_id, sha256) WHERE o.job_id = $1`,
      job?.jobId ?? '',
    ),
  );
  let whole = 0;
  for (const { site_id, sha256, size } of rows) {
    const object = { sha256: sha256 as Parameters<typeof store.path>[1], sizeBytes: Number(size) };
    if (await store.has(site_id, object)) whole += 1;
    await store.delete(site_id, object.sha256);
  }
  tell({ kind: 'cleared', objects: copied.length + whole });
}

function serve(request: ReceiverRequest): void {
  const work = request.kind === 'open' ? open(request.jobId, request.objects) : clear();
  work.catch((error: unknown) => {
    console.error(AifiError.from(error));
    process.exit(1);
  });
}

process.on('message', serve);
const stopped = new Promise<void>((resolve) => {
  process.on('disconnect', resolve);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, resolve);
});
tell({
  kind: 'listening',
  ports: {
    copy: await listen(copies(false)),
    'copy with fsync': await listen(copies(true)),
    gRPC: await listenGrpc(),
    'aifi-objects/1': await listen((socket) => {
      const names = socket.getPeerCertificate().subjectaltname ?? '';
      ingest.objects.accept(socket, peerFromAlternativeNames(names));
    }, OBJECTS_ALPN),
  },
});
await stopped;
stopping.abort();
await ingest.objects.close();
await database.close();
await postgres.stop();
process.exit(0);
