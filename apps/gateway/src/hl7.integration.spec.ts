/**
 * Goal: what a hospital's systems say by HL7 arrives where it counts: orders where select reads
 * them, identities in the vault's own log, objections under every key of a number; and status and
 * metrics tell of it without an identity.
 * Method: a whole gateway whose hub is away, a sender of our own over TCP; the ports over a vault
 * with a study in it.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { gatewayStatusSchema } from '@aifi/contracts-rest';
import { DicomDataset } from '@aifi/dicom-core';
import { ObjectionRegister, objectionsOf } from '@aifi/gateway-consent';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { orderOf } from '@aifi/gateway-orders';
import { identityOf, IdentityEventLog, Vault } from '@aifi/gateway-vault';
import { jobId, originalUid, pseudonymousUid, systemClock } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { accessionKeyOf, keyRingOf, loadKeyRing, patientKeyOf } from '@aifi/shared-site-keys';
import { fakeSiteKeys, FakeClock, freePorts, temporaryFolder } from '@aifi/shared-testing';
import { gatewayConfigSchema, type GatewayConfig } from './gateway-config.js';
import { startGateway } from './gateway.js';
import { portsOf } from './hl7.parts.js';
import { eventsPath, keyStoreOf } from './identity-stores.js';

const HOST = '127.0.0.1';
const CERTIFICATES = join(import.meta.dirname, '../../../deploy/certs/make-certs.mjs');
const SECRET = 'a secret of the scripts, long enough';

const msh = (type: string, id: string): string =>
  `MSH|^~\\&|ZIS|ZKH|AIFI|RAD|20261105083000||${type}|${id}|P|2.5||||||8859/1`;
const PID = 'PID|1||77001^^^ZIS^PI||Wiersma&&Wiersma^Jelle||19610402|M';
const ORDER = [
  ...[msh('ORM^O01', 'O1'), PID, 'ORC|NW|5501'],
  'OBR|1|5501||CTHERS^CT hersenen^L|S|||||||||||||ACC5501',
];
const MERGE = [msh('ADT^A40', 'A1'), PID, 'MRG|77999^^^ZIS^PI'];
const CONSENT = [msh('ADT^A31', 'A2'), PID, 'CON|1|AI|||||||||R'];

async function send(port: number, ...segments: string[]): Promise<string> {
  const socket = connect(port, HOST);
  socket.write(`\v${segments.map((segment) => `${segment}\r`).join('')}\x1c\r`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return /MSA\|(..)/.exec(answer.toString('latin1'))?.[1] ?? '';
}

describe('a gateway that takes HL7', () => {
  const folder = temporaryFolder('hl7-gateway');
  let config: GatewayConfig;
  let port: number;
  let status: unknown;
  let metrics = '';

  beforeAll(async () => {
    const printed = execFileSync(process.execPath, [CERTIFICATES, folder.path, 'site-a']);
    const { sites, signingPublicKeyFile } = JSON.parse(printed.toString()) as {
      sites: Record<string, { caFile: string; certificateFile: string; keyFile: string }>;
      signingPublicKeyFile: string;
    };
    const [http, provider, nobody, hl7] = await freePorts(4);
    port = hl7!;
    const automationSecretFile = join(folder.path, 'automation.txt');
    writeFileSync(automationSecretFile, `${SECRET}\n`, { mode: 0o600 });
    config = gatewayConfigSchema.parse({
      ...{ siteId: 'site-a', purpose: 'demonstration', dataFolder: join(folder.path, 'data') },
      ...{ http: { port: http }, publicUrl: `http://localhost:${http}` },
      signIn: { kind: 'embedded', listen: { port: provider }, automationSecretFile },
      dicom: {
        ...{ port: 0, aeTitle: 'AIFI' },
        callers: [{ aeTitle: 'PACS', host: HOST, plain: true }],
      },
      pacs: { host: HOST, port: nobody, calledAeTitle: 'PACS', callingAeTitle: 'AIFI' },
      hl7: {
        port,
        senders: [{ name: 'zis', host: HOST, plain: true }],
        consent: { types: { AI: ['ai-in-own-care'] } },
      },
      disk: { reserveBytes: 1024 ** 2 },
      hub: { address: `localhost:${nobody}`, signingPublicKeyFile, ...sites['site-a']! },
      consoleFolder: folder.path,
    });
    const gateway = await startGateway(config, silentLogger);
    try {
      expect(await send(port, ...ORDER)).toBe('AA');
      expect(await send(port, ...MERGE)).toBe('AA');
      expect(await send(port, ...CONSENT)).toBe('AA');
      expect(await send(port, ...MERGE)).toBe('AA');
      metrics = await (await fetch(`${config.publicUrl}/metrics`)).text();
      const answer = await fetch(`http://localhost:${provider}/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`automation:${encodeURIComponent(SECRET)}`)}` },
        body: new URLSearchParams({
          ...{ grant_type: 'client_credentials', resource: config.publicUrl },
        }),
      });
      const { access_token: token } = (await answer.json()) as { access_token: string };
      const headers = { authorization: `Bearer ${token}` };
      status = await (await fetch(`${config.publicUrl}/api/v1/status`, { headers })).json();
    } finally {
      await gateway.stop();
    }
  }, 60_000);
  afterAll(() => folder.remove());

  it('keeps orders, identities and objections where they are read', async () => {
    const keys = await loadKeyRing({ ...keyStoreOf(config), mayCreate: false, clock: systemClock });
    const path = join(config.dataFolder, 'gateway.db');
    const database = GatewayDatabase.open(path, GATEWAY_MIGRATIONS);
    const events = IdentityEventLog.open(eventsPath(config), keys);
    const patientKey = patientKeyOf(keys, { patientId: '77001' })!;
    database.read((sql) => {
      const order = orderOf(sql, { accessionKey: accessionKeyOf(keys, 'ACC5501') });
      expect(order).toEqual({ codes: ['L:CTHERS'], priority: 'acute', patientKey });
      const objections = objectionsOf(sql, { patientKey, atMs: systemClock.nowMs() + 10 * 365e8 });
      expect(objections).toEqual(['ai-in-own-care']);
    });
    expect(events.about('77999')).toMatchObject([
      { trigger: 'A40', into: { id: '77001' }, demographics: { name: 'Wiersma^Jelle' } },
    ]);
    events.close();
    database.close();
  });

  it('tells of senders, types and answers, and of nobody', () => {
    const line = (name: string): string | undefined =>
      metrics.split('\n').find((text) => text.startsWith(name));
    expect(metrics).toMatch(
      /aifi_gateway_hl7_messages_count\{.*type="ADT\^A40",answer="AA",detail="again".*\} 1/,
    );
    expect(line('aifi_gateway_hl7_last_message_timestamp_seconds')).toMatch(/sender="zis".*\} \d/);
    const { hl7 } = gatewayStatusSchema.parse(status);
    expect(hl7).toMatchObject([{ sender: 'zis', taken: 4, wrong: 0, rejected: 0, closed: 0 }]);
    const told = metrics + JSON.stringify(status);
    expect(told).not.toMatch(/Wiersma|77001|77999|5501|19610402/);
  });
});

describe(portsOf.name, () => {
  const folder = temporaryFolder('hl7-ports');
  const keys = keyRingOf(fakeSiteKeys());
  const study = originalUid('1.2.3');
  const database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
  const vault = Vault.open(join(folder.path, 'vault.db'), keys);
  const identityEvents = IdentityEventLog.open(join(folder.path, 'events.db'), keys);
  const config = { issuers: ['ZKH'] };
  const clock = new FakeClock();
  const sut = portsOf({
    ...{ database, vault, identityEvents, clock, logger: silentLogger },
    objections: new ObjectionRegister({ database, keys, config }),
  });
  afterAll(() => {
    for (const store of [database, vault, identityEvents]) store.close();
    folder.remove();
  });
  const patient = (id: string) => ({ id, issuer: '' });
  const key = (patientId: string, issuer = '') => patientKeyOf(keys, { patientId, issuer })!;
  const standing = (patientKey: string) =>
    database.read((sql) => objectionsOf(sql, { patientKey, atMs: clock.nowMs() }));

  it('takes a study in the vault to the other patient', async () => {
    const header = new DicomDataset()
      .setString('PatientID', 'P1')
      .setString('PatientName', 'Wiersma^Jelle')
      .setString('StudyInstanceUID', study);
    const linkage = {
      ...{ jobId: jobId('0'.repeat(32)), studyUid: study, asSent: identityOf(header), epoch: 1 },
      ...{ seriesUid: originalUid('1.2.3.4'), pseudonymousStudyUid: pseudonymousUid('2.25.1') },
    };
    await vault.recordLinkage(linkage, new Map(), 500);
    await sut.onIdentityEvent({
      ...{ eventId: 'e1', trigger: 'A40', happenedMs: 1, sequence: 0, studyUids: [] },
      ...{ from: patient('P1'), into: patient('P2'), demographics: { name: 'Wiersma^J' } },
    });
    expect(vault.currentIdentity(study)?.fields.PatientID).toBe('P2');
  });

  it('sets, lifts and moves objections under every key of a number', async () => {
    const said = {
      ...{ patient: patient('P1'), patientKey: key('P1'), kinds: ['sharing'] as const },
      ...{ saidMs: clock.nowMs(), stamp: 's' as never },
    };
    const move = {
      ...{ from: patient('P1'), into: patient('P2'), fromKey: key('P1'), intoKey: key('P2') },
      ...{ kind: 'MERGE' as const, stamp: 's' as never },
    };
    await database.write((sql) => {
      sut.recordObjection!(sql, { ...said, isObjecting: true });
      sut.moveObjections!(sql, { ...move, visitKey: 'v' });
    });
    expect([standing(key('P1')), standing(key('P1', 'ZKH'))]).toEqual([['sharing'], ['sharing']]);
    expect(standing(key('P2'))).toEqual([]);
    await database.write((sql) => sut.moveObjections!(sql, move));
    expect([standing(key('P2')), standing(key('P2', 'ZKH'))]).toEqual([['sharing'], ['sharing']]);
    await database.write((sql) => sut.recordObjection!(sql, { ...said, isObjecting: false }));
    expect([standing(key('P1')), standing(key('P1', 'ZKH'))]).toEqual([[], []]);
  });

  it('finds received studies by accession number', async () => {
    const header = (number: string) =>
      JSON.stringify({ accessionKey: accessionKeyOf(keys, number) });
    await database.write((sql) => {
      for (const [n, number] of ['A1', 'A2'].entries()) {
        sql.run(
          'INSERT INTO study (study_id, study_uid, last_received_ms) VALUES (?, ?, 1)',
          n,
          `1.${n}`,
        );
        sql.run(
          `INSERT INTO instance (study_id, series_uid, sop_instance_uid, sop_class_uid,
             transfer_syntax_uid, sha256, size_bytes, path, header, calling_ae, received_ms)
           VALUES (?, 's', ?, 'c', 't', ?, 1, 'p', ?, 'CT', 1)`,
          ...[n, `i${n}`, `d${n}`, header(number)],
        );
      }
    });
    const of = (...numbers: string[]) =>
      database.read((sql) =>
        sut.studiesOf!(
          sql,
          numbers.map((each) => accessionKeyOf(keys, each)!),
        ),
      );
    expect([of('A2'), of('A3'), of()]).toEqual([['1.1'], [], []]);
  });
});
