/**
 * Goal: tokens are good once and for an hour, a renewal ends what was before within a week, an
 * authority is retired when it is needed no more, and people are told in time.
 * Method: the real services over a real PostgreSQL with a clock that the test moves; requests and
 * certificates are real, the link is not needed here.
 */
import 'reflect-metadata';
import { generateKeyPairSync, webcrypto, X509Certificate } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as x509 from '@peculiar/x509';
import {
  configurationDigest,
  configurationReferenceSchema,
  decodeManifest,
  gatewayConfigurationSchema,
} from '@aifi/contracts-manifests';
import {
  enrolNamedSite,
  enrolSites,
  HubDatabase,
  migrationSource,
  recordTakeOver,
  removeServerFolder,
  startEmbeddedPostgres,
  type EmbeddedPostgres,
} from '@aifi/hub-database';
import { peerFromAlternativeNames } from '@aifi/hub-identity';
import { systemClock } from '@aifi/shared-kernel';
import { silentLogger, type Logger } from '@aifi/shared-observability';
import { FakeClock, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { ExpiryWatch } from './expiry-watch.js';
import { HubEnrolment, type HubEnrolmentOptions } from './hub-enrolment.js';
import { insertToken, newSecret, TOKEN_MS } from './join-token.js';
import { listCertificates, OVERLAP_MS, revokeCertificate } from './certificates.js';
import { serialOf } from './certificate-profile.js';

const DAY_MS = 24 * 3_600_000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const noWork = async (): Promise<void> => undefined;
const clock = new FakeClock(systemClock.nowMs());
const peer = peerFromAlternativeNames('URI:spiffe://aifi/site/site-a/gw/1');

let folder: TemporaryFolder;
let server: EmbeddedPostgres;
let database: HubDatabase;
let sut: HubEnrolment;
let hubFiles: HubFiles;
let sites: Readonly<Record<string, HubFiles>>;
let opening: Omit<HubEnrolmentOptions, 'files'>;

beforeAll(async () => {
  folder = temporaryFolder('hub-enrolment');
  server = await startEmbeddedPostgres({ dataFolder: folder.path, clock: systemClock });
  database = await HubDatabase.open(server.urls);
  const program = join(import.meta.dirname, '../../../../deploy/certs/make-certs.mjs');
  const printed = execFileSync(process.execPath, [program, join(folder.path, 'certs'), 'site-a']);
  const made = JSON.parse(printed.toString()) as { hub: HubFiles; sites: typeof sites };
  const { hub } = made;
  const purpose = 'demonstration' as const;
  await enrolNamedSite(database, { siteName: 'site-a', purpose }, noWork);
  const { privateKey: signingKey } = generateKeyPairSync('ed25519');
  const common = { database, clock, logger: silentLogger, dataFolder: folder.path };
  const options = { ...common, purpose, signingKey };
  sut = await HubEnrolment.open({
    ...options,
    files: { ...hub, gatewayCaFile: hub.caFile, nationalAnchorFiles: [] },
  });
  ({ hub: hubFiles, sites } = made);
  opening = options;
}, 180_000);
type HubFiles = Record<'caFile' | 'certificateFile' | 'keyFile', string>;

afterAll(async () => {
  await database?.close();
  await server?.stop();
  await removeServerFolder(folder.path);
  folder.remove();
}, 60_000);

async function csrOf(): Promise<x509.Pkcs10CertificateRequest> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  return x509.Pkcs10CertificateRequestGenerator.create({
    ...{ name: 'CN=site-b', keys, signingAlgorithm: ALGORITHM },
  });
}
async function token(gateway = 1): Promise<string> {
  const secret = newSecret(sut.randomness);
  const made = { siteId: 'site-a', gateway, secret, createdBy: 'anne', nowMs: clock.nowMs() };
  await database.withAccess((sql) => insertToken(sql, made));
  return secret;
}
const joinWith = async (secret: string): ReturnType<typeof sut.joining.join> => {
  const csr = (await csrOf()).toString('pem');
  return sut.joining.join({ secret, csr, gatewayVersion: '0.1.0' }, '192.0.2.1');
};
const records = (act: string): Promise<{ outcome: string; text: string }[]> =>
  database.withAccess((sql) =>
    sql.rows<{ outcome: string; text: string }>(
      `SELECT outcome, concat_ws(' ', site_id, responsible_user_id, detail ->> 'state') AS text
       FROM audit_record WHERE act = $1 ORDER BY sequence`,
      act,
    ),
  );

describe('a token', () => {
  it('gives one certificate, for the site of the token whatever the request says', async () => {
    const answer = await joinWith(await token(3));
    const certificate = new X509Certificate(answer.certificate);
    expect(certificate.subjectAltName).toBe('URI:spiffe://aifi/site/site-a/gw/3');
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    expect(certificate.ca).toBe(false);
    expect(certificate.validToDate.getTime() - clock.nowMs()).toBeLessThanOrEqual(90 * DAY_MS);
    expect(certificate.validToDate.getTime() - clock.nowMs()).toBeGreaterThan(89 * DAY_MS);
    const configuration = decodeManifest(
      gatewayConfigurationSchema,
      Buffer.from(answer.configuration.document, 'base64'),
    );
    expect(configuration).toMatchObject({ siteId: 'site-a', gateway: 3 });
    expect(configuration.trustAnchors).toEqual(answer.trustAnchors);
    expect(await records('gateway.join')).toEqual([{ outcome: 'success', text: 'site-a anne' }]);
  });
  it('is refused in the words for an unknown one when it comes again, which is recorded', async () => {
    const secret = await token();
    await joinWith(secret);
    const words = { code: 'UNTRUSTED', message: 'the token is not valid' };
    await expect(joinWith(secret)).rejects.toMatchObject(words);
    const known = await records('gateway.join');
    expect(known.at(-1)).toEqual({ outcome: 'refused', text: 'site-a anne used' });
    await expect(joinWith(newSecret(sut.randomness))).rejects.toMatchObject(words);
    expect(await records('gateway.join')).toHaveLength(known.length);
  });
  it('gives one certificate also to two who come at once', async () => {
    const secret = await token();
    const both = await Promise.allSettled([joinWith(secret), joinWith(secret)]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });
  it('is good to the last millisecond of its hour and not at its end', async () => {
    const [early, late] = [await token(), await token()];
    clock.advance(TOKEN_MS - 1);
    await joinWith(early);
    clock.advance(1);
    await expect(joinWith(late)).rejects.toMatchObject({ code: 'UNTRUSTED' });
    const last = (await records('gateway.join')).at(-1);
    expect(last).toEqual({ outcome: 'refused', text: 'site-a anne expired' });
  });
  it('is kept as a digest only, and the key of the authority for its owner only', async () => {
    const secret = await token();
    const rows = await database.withAccess((sql) =>
      sql.rows<{ all: string }>('SELECT row_to_json(t)::text AS all FROM join_token t'),
    );
    expect(rows.some(({ all }) => all.includes(secret))).toBe(false);
    const keys = readdirSync(join(folder.path, 'authority'));
    expect(keys).toHaveLength(1);
    expect(statSync(join(folder.path, 'authority', keys[0]!)).mode & 0o777).toBe(0o600);
  });
  it('is not used up by a request that proves no key', async () => {
    const secret = await token();
    const bytes = Buffer.from((await csrOf()).rawData);
    bytes[bytes.length - 1]! ^= 1;
    const csr = x509.PemConverter.encode(new Uint8Array(bytes).buffer, 'CERTIFICATE REQUEST');
    const forged = sut.joining.join({ secret, csr, gatewayVersion: '0.1.0' }, '192.0.2.1');
    await expect(forged).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await joinWith(secret);
  });
});

describe('a renewal', () => {
  it('is for the same gateway, and ends the certificate before after a week', async () => {
    const first = new X509Certificate((await joinWith(await token())).certificate);
    const nowMs = clock.nowMs();
    const answer = await sut.renewal.renew(peer, Buffer.from((await csrOf()).rawData), first.raw);
    const second = new X509Certificate(answer.certificate);
    expect(second.subjectAltName).toBe(first.subjectAltName);
    const trust = await sut.renewal.trust(peer, first.raw);
    expect(trust.notAfterMs).toBe(nowMs + OVERLAP_MS);
    for (const one of [first, second]) (await sut.trust.admit(one)).release();
    clock.advance(OVERLAP_MS - 1);
    const open = await sut.trust.admit(first);
    expect(await sut.trust.lapsed([open])).toEqual(new Set());
    clock.advance(1);
    expect(await sut.trust.lapsed([open])).toEqual(new Set([open]));
    await expect(sut.trust.admit(first)).rejects.toMatchObject({ code: 'UNTRUSTED' });
    (await sut.trust.admit(second)).release();
  });
});

describe('a certificate that is revoked', () => {
  const own = { ...peer, gateway: 11 };
  const csr = async (): Promise<Uint8Array> => new Uint8Array((await csrOf()).rawData);
  const renewed = async (calling: X509Certificate): Promise<X509Certificate> =>
    new X509Certificate((await sut.renewal.renew(own, await csr(), calling.raw)).certificate);
  const revoke = (one: X509Certificate): ReturnType<typeof revokeCertificate> =>
    database.withAccess((sql) =>
      revokeCertificate(sql, {
        ...{ siteId: own.siteId, serial: serialOf(one), by: 'anne', reason: 'stolen' },
        nowMs: clock.nowMs(),
      }),
    );
  const first = async (): Promise<X509Certificate> =>
    new X509Certificate((await joinWith(await token(own.gateway))).certificate);

  it('takes all with it that were renewed from it, and no others', async () => {
    const [stolen, other] = [await first(), await first()];
    const child = await renewed(stolen);
    const grandchild = await renewed(child);
    const { heirs } = await revoke(stolen);
    expect(heirs).toEqual([serialOf(child), serialOf(grandchild)].sort());
    for (const one of [stolen, child, grandchild]) {
      await expect(sut.trust.admit(one)).rejects.toMatchObject({ code: 'UNTRUSTED' });
    }
    (await sut.trust.admit(other)).release();
    await expect(revoke(child)).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
  });
  it('is not renewed on a connection that is still open, nor is one that has ended', async () => {
    const stolen = await first();
    await revoke(stolen);
    await expect(renewed(stolen)).rejects.toMatchObject({ code: 'UNTRUSTED' });
    const old = await first();
    await renewed(old);
    clock.advance(OVERLAP_MS);
    await expect(renewed(old)).rejects.toMatchObject({ code: 'UNTRUSTED' });
  });
  it('wins also against renewals that are under way', async () => {
    const stolen = await first();
    const child = await renewed(stolen);
    const all = await Promise.allSettled([
      ...[renewed(child), renewed(stolen), renewed(child), revoke(stolen)],
    ]);
    expect(all[3]!.status).toBe('fulfilled');
    const made = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    for (const one of made.filter((some) => some instanceof X509Certificate)) {
      await expect(sut.trust.admit(one)).rejects.toMatchObject({ code: 'UNTRUSTED' });
    }
  });
});

describe('an admission', () => {
  it('needs no record of an authority of the configuration, unless it is the own one', async () => {
    const certificate = new X509Certificate(readFileSync(sites['site-a']!.certificateFile));
    (await sut.trust.admit(certificate)).release();
    const files = { ...hubFiles, nationalAnchorFiles: [] };
    const strict = await HubEnrolment.open({ ...opening, files });
    await expect(strict.trust.admit(certificate)).rejects.toMatchObject({ code: 'UNTRUSTED' });
    const anchor = readFileSync(hubFiles.caFile, 'utf8').trim();
    expect((await strict.trust.anchors()).map((one) => one.trim())).not.toContain(anchor);
    expect(strict.serverChain().authorities.map((one) => one.trim())).toEqual([anchor]);
  });
  it('ends for a gateway that another one has taken over', async () => {
    const old = new X509Certificate((await joinWith(await token(21))).certificate);
    const other = new X509Certificate((await joinWith(await token(22))).certificate);
    const open = [await sut.trust.admit(old), await sut.trust.admit(other)];
    const order = { siteId: peer.siteId, gateway: 21, successor: 22, atMs: clock.nowMs() };
    await database.withAccess((sql) => recordTakeOver(sql, order));
    expect(await sut.trust.lapsed(open)).toEqual(new Set([open[0]]));
    await expect(sut.trust.admit(old)).rejects.toMatchObject({
      ...{ code: 'UNTRUSTED', message: 'another gateway has taken this one over' },
    });
    (await sut.trust.admit(other)).release();
  });
  it('needs the record of the very certificate', async () => {
    const { certificate } = await joinWith(await token());
    const known = new X509Certificate(certificate);
    (await sut.trust.admit(known)).release();
    // As if its key had been abused: signed, and no record of it.
    await forget(serialOf(known));
    await expect(sut.trust.admit(known)).rejects.toMatchObject({
      ...{ code: 'UNTRUSTED', message: 'the certificate is not on record' },
    });
  });
  it('ends with a revocation and with the site', async () => {
    const { certificate } = await joinWith(await token());
    const one = new X509Certificate(certificate);
    const open = await sut.trust.admit(one);
    const about = { siteId: 'site-a', serial: serialOf(one), by: 'anne', reason: 'stolen' };
    await database.withAccess((sql) => revokeCertificate(sql, { ...about, nowMs: clock.nowMs() }));
    expect(await sut.trust.lapsed([open])).toEqual(new Set([open]));
    await expect(sut.trust.admit(one)).rejects.toMatchObject({ code: 'UNTRUSTED' });
    const again = database.withAccess((sql) => revokeCertificate(sql, { ...about, nowMs: 0 }));
    await expect(again).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
    const other = new X509Certificate((await joinWith(await token())).certificate);
    const inside = await sut.trust.admit(other);
    await setState('inactive');
    expect(await sut.trust.lapsed([inside])).toEqual(new Set([inside]));
    await expect(sut.trust.admit(other)).rejects.toMatchObject({ code: 'UNTRUSTED' });
    await setState('active');
  });
  it('stays when the configuration no longer names the site that a person enrolled', async () => {
    const one = new X509Certificate((await joinWith(await token())).certificate);
    await enrolSites(database, [], noWork);
    (await sut.trust.admit(one)).release();
  });
});

describe('the key of the hub', () => {
  it('is read as long as nobody else may read it', () => {
    expect(sut.readIdentity().key).toContain('PRIVATE KEY');
    chmodSync(hubFiles.keyFile, 0o640);
    expect(() => sut.readIdentity()).toThrow('grpc.keyFile is open to others');
    chmodSync(hubFiles.keyFile, 0o600);
  });
});

describe('a site that was switched off', () => {
  it('does not come back by the way of a token', async () => {
    const named = { siteName: peer.siteId, purpose: 'demonstration' } as const;
    await setState('inactive');
    const enrolling = enrolNamedSite(database, named, noWork);
    await expect(enrolling).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
    await setState('active');
  });
});

const setState = (state: string): Promise<number> =>
  database.withSite(peer.siteId, (sql) => sql.run('UPDATE site SET state = $1', state));

/** Removes a row as nobody in the running hub could. */
async function forget(serial: string): Promise<void> {
  const owner = await migrationSource(server.urls.ownerUrl).initialize();
  await owner.query('ALTER TABLE gateway_certificate NO FORCE ROW LEVEL SECURITY');
  await owner.query('DELETE FROM gateway_certificate WHERE serial = $1', [serial]);
  await owner.query('ALTER TABLE gateway_certificate FORCE ROW LEVEL SECURITY');
  await owner.destroy();
}

describe('a rotation', () => {
  it('keeps the old authority trusted until nothing that it signed is valid', async () => {
    const before = new X509Certificate((await joinWith(await token())).certificate);
    await database.withAccess((sql) => sut.authority.rotate(sql));
    await sut.authority.forgetOldKeys();
    expect(readdirSync(join(folder.path, 'authority'))).toHaveLength(1);
    const answer = await joinWith(await token(2));
    const after = new X509Certificate(answer.certificate);
    expect(after.issuer).not.toBe(before.issuer);
    // Both authorities, and the one behind the hub's own certificate.
    expect(answer.trustAnchors).toHaveLength(3);
    for (const one of [before, after]) (await sut.trust.admit(one)).release();
    expect(await sut.authority.retireUnused()).toBe(0);
    clock.advance(91 * DAY_MS);
    expect(await sut.authority.retireUnused()).toBe(1);
    const states = (await sut.authority.list()).map(({ state }) => state);
    expect(states).toEqual(['active', 'retired']);
    expect(await records('authority.retire')).toHaveLength(1);
    // The development authority and the new one.
    expect(await sut.trust.anchors()).toHaveLength(2);
  });
  it('changes what the control stream names, and nothing else does', async () => {
    const own = { ...peer, gateway: 5 };
    const answer = await joinWith(await token(5));
    const held = decodeManifest(
      gatewayConfigurationSchema,
      Buffer.from(answer.configuration.document, 'base64'),
    );
    clock.advance(3_600_000);
    const before = await sut.configuration(own);
    expect(before.sha256).toBe(configurationDigest(held));
    const other = await sut.configuration({ ...peer, gateway: 6 });
    expect(other.sha256).not.toBe(before.sha256);
    await database.withAccess((sql) => sut.authority.rotate(sql));
    clock.advance(1_000);
    const after = await sut.configuration(own);
    expect(after.sha256).not.toBe(before.sha256);
    expect(after.sequence).toBeGreaterThan(before.sequence);
    const told = decodeManifest(configurationReferenceSchema, after.bytes);
    expect(told).toMatchObject({ sha256: after.sha256, sequence: after.sequence });
  });
});

describe(ExpiryWatch.name, () => {
  it('tells 30, 14 and 3 days before the end and at the end, once each', async () => {
    const told: string[] = [];
    const note = (level: string) => (_words: string, fields?: { count?: number; state?: string }) =>
      void (fields?.state === 'gateway 7' && told.push(`${level} ${fields.count}`));
    const logger: Logger = { ...silentLogger, warn: note('warn'), error: note('error') };
    const { authority } = sut;
    const watch = new ExpiryWatch({ database, clock, authority, logger });
    await joinWith(await token(7));
    for (let day = 0; day <= 92; day += 1) {
      await watch.look();
      clock.advance(DAY_MS);
    }
    expect(told).toEqual(['warn 30', 'warn 14', 'error 3', 'error 0']);
  }, 60_000);
  it('says nothing about a certificate that was renewed', async () => {
    await joinWith(await token(8));
    clock.advance(70 * DAY_MS);
    await joinWith(await token(8));
    const told: unknown[] = [];
    const note = (_words: string, fields?: { state?: string }): void =>
      void (fields?.state === 'gateway 8' && told.push(fields));
    const logger: Logger = { ...silentLogger, warn: note, error: note };
    await new ExpiryWatch({ database, clock, authority: sut.authority, logger }).look();
    expect(told).toEqual([]);
    const all = await database.withAccess((sql) => listCertificates(sql, 'site-a'));
    expect(all.filter(({ gateway }) => gateway === 8)).toHaveLength(2);
  });
});
