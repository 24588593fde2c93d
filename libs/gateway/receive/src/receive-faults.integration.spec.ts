/**
 * Goal: an object that ends the listener is not looked at a fourth time; a full disk refuses at the
 * door, lane by lane; DICOM TLS works although the child can read no key.
 * Method: the real listener child, killed inside the walk by its crash point; a real database; a
 * disk level moved by hand; our own SCU with and without TLS.
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DicomDataset, encodeDataset } from '@aifi/dicom-core';
import { DimseScu } from '@aifi/dicom-dimse';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { systemClock } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { keyRingOf } from '@aifi/shared-site-keys';
import { fakeSiteKeys, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { makeDevelopmentCertificates } from '../../../../deploy/certs/make-certs.mjs';
import {
  createReceiveStage,
  receiveConfigSchema,
  type DiskLevel,
  type ListeningPorts,
  type ReceiveDependencies,
} from './index.js';

const MR = '1.2.840.10008.5.1.4.1.1.4';
const HOST = '127.0.0.1';
const REFUSED = 0xa700;
const POISON = 0xc000;

const plain = {
  port: 0,
  aeTitle: 'AIFI',
  callers: [
    { aeTitle: 'CT1', host: HOST, plain: true },
    { aeTitle: 'ER1', host: HOST, plain: true, lane: 'acute' },
  ],
};

describe('faults at the door', () => {
  let folder: TemporaryFolder;
  let database: GatewayDatabase;
  let stop: AbortController;
  let running: Promise<void>;
  let ports: ListeningPorts;

  beforeEach(() => {
    folder = temporaryFolder('receive-faults');
    database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
  });
  afterEach(async () => {
    await end();
    database.close();
    folder.remove();
  });

  async function start(
    config: object = plain,
    more: Partial<ReceiveDependencies> = {},
  ): Promise<void> {
    stop = new AbortController();
    const sut = createReceiveStage({
      ...{ database, dataFolder: folder.path, clock: systemClock, logger: silentLogger },
      config: receiveConfigSchema.parse(config),
      keys: keyRingOf(fakeSiteKeys()),

      ...more,
    });
    running = sut.run(stop.signal);
    ports = await sut.listening;
  }
  async function end(): Promise<void> {
    stop.abort();
    await running;
  }
  function store(uid: string, callingAeTitle = 'CT1', peer: object = {}) {
    const dataset = new DicomDataset()
      .setString('SOPClassUID', MR)
      .setString('SOPInstanceUID', uid)
      .setString('StudyInstanceUID', '2.25.1')
      .setString('SeriesInstanceUID', '2.25.2');
    const titles = { calledAeTitle: 'AIFI', callingAeTitle };
    const scu = new DimseScu({
      host: HOST,
      port: ports.port,
      ...titles,
      ...peer,
      clock: systemClock,
    });
    return scu.store({
      ...{ sopClassUid: MR, sopInstanceUid: uid, transferSyntaxUid: '1.2.840.10008.1.2.1' },
      dataset: encodeDataset(dataset, { explicitVr: true, littleEndian: true }),
    });
  }
  /** The first answer, however often the listener dies before it. */
  async function answered(uid: string): Promise<number> {
    for (;;) {
      const status = await store(uid).catch(() => undefined);
      if (status !== undefined) return status;
      await systemClock.sleep(20);
    }
  }
  const rows = (sql: string) =>
    database.read((read) =>
      read.all<Record<string, string | number>>(sql).map((row) => ({ ...row })),
    );
  /** Refusals are counted beside the answer: they come a moment later. */
  async function recorded(sql: string) {
    while (rows(sql).length === 0) await systemClock.sleep(20);
    return rows(sql);
  }
  const attempts = () => rows('SELECT sop_instance_uid AS uid, attempts FROM receive_attempt');
  const incoming = () => join(folder.path, 'incoming');
  /** Objects; empty files are made ahead for the next ones. */
  const names = () =>
    readdirSync(incoming()).filter((name) => statSync(join(incoming(), name)).size > 0);

  it('does not look a fourth time at an object that ended the listener three times', async () => {
    await start(plain, { crashAt: 'gateway.receive.walk#*' });
    expect(await answered('2.25.66')).toBe(POISON);
    expect(attempts()).toEqual([{ uid: '2.25.66', attempts: 3 }]);
    // It is known by name, not by luck: another object still ends this listener.
    await expect(store('2.25.67')).rejects.toMatchObject({ code: 'PEER_UNAVAILABLE' });
    await end();
    await start();
    expect(await store('2.25.66')).toBe(POISON);
    expect(await store('2.25.68')).toBe(0);
    expect(names()).toHaveLength(1);
    const refusals = `SELECT 1 FROM (SELECT SUM(count) AS count FROM receive_refusal
      WHERE code = 'POISON_INPUT' AND dimse_status = ${POISON}) WHERE count = 2`;
    expect(await recorded(refusals)).toHaveLength(1);
  }, 60_000);

  it('clears an object that was only there when the listener died', async () => {
    await start(plain, { crashAt: 'gateway.receive.walk' });
    expect(await answered('2.25.66')).toBe(0);
    expect(attempts()).toEqual([]);
  }, 60_000);

  it('blames no object when the gateway has ended with its listener', async () => {
    await start();
    expect(await store('2.25.66')).toBe(0);
    await end();
    const [name] = names();
    const left = join(incoming(), 'f0000000-0000-4000-8000-000000000000.dcm');
    writeFileSync(left, readFileSync(join(incoming(), name!)));
    await start();
    expect(names()).toEqual([name]);
    expect(attempts()).toEqual([]);
  }, 60_000);

  it('refuses routine callers first and everybody at last, before a byte is stored', async () => {
    let level: DiskLevel = 'refuse-routine';
    let tell: (level: DiskLevel) => void = () => undefined;
    await start(plain, { diskLevel: () => level, onDiskLevel: (listener) => (tell = listener) });
    const set = (next: DiskLevel): void => tell((level = next));
    /** The message to the child and the association are two ways to it. */
    const becomes = async (aeTitle: string, status: number): Promise<void> => {
      for (let last = -1; last !== status; last = await store('2.25.3', aeTitle)) {
        await systemClock.sleep(10);
      }
    };
    expect(await store('2.25.3', 'CT1')).toBe(REFUSED);
    expect(names()).toEqual([]);
    expect(await store('2.25.3', 'ER1')).toBe(0);
    set('refuse-all');
    await becomes('ER1', REFUSED);
    expect(await store('2.25.4', 'CT1')).toBe(REFUSED);
    expect(names()).toHaveLength(1);
    set('normal');
    await becomes('CT1', 0);
    const refusals = `SELECT 1 FROM (SELECT SUM(count) AS count FROM receive_refusal
      WHERE code = 'OUT_OF_RESOURCES' AND dimse_status = ${REFUSED}) WHERE count >= 3`;
    expect(await recorded(refusals)).toHaveLength(1);
  }, 60_000);

  it('takes callers over TLS by their certificate, with nothing plain beside it', async () => {
    const sites = ['a', 'b'];
    const own = await makeDevelopmentCertificates({ folder: join(folder.path, 'certs'), sites });
    const [known, unknown] = [own.sites['a']!, own.sites['b']!];
    const certificate = readFileSync(known.certificateFile);
    const fingerprint = new X509Certificate(certificate).fingerprint256;
    const certificateSha256 = fingerprint.replaceAll(':', '').toLowerCase();
    await start({
      aeTitle: 'AIFI',
      tls: { port: 0, ...own.hub },
      callers: [{ aeTitle: 'CT1', certificateSha256 }],
    });
    const over = ({ caFile, certificateFile, keyFile }: typeof known) => ({
      port: ports.tlsPort,
      tls: {
        ca: readFileSync(caFile),
        certificate: readFileSync(certificateFile),
        key: readFileSync(keyFile),
        serverName: 'localhost',
      },
    });
    expect(ports.port).toBe(0);
    expect(await store('2.25.3', 'CT1', over(known))).toBe(0);
    await expect(store('2.25.4', 'CT1', over(unknown))).rejects.toThrow();
    await expect(store('2.25.4', 'CT1', { port: ports.tlsPort })).rejects.toThrow();
    expect(rows('SELECT sop_instance_uid AS uid FROM instance')).toEqual([{ uid: '2.25.3' }]);
    const [refused] = await recorded("SELECT * FROM receive_refusal WHERE code = 'FORBIDDEN'");
    expect(refused).toMatchObject({ calling_ae: 'CT1', what: 'association', count: 1 });
  }, 60_000);
});
