/**
 * Goal: a masked patient is recognised, an alert is never lost, a hub that contradicts itself is
 * seen, and a study without linkage has its patient from the newest file.
 * Method: real SQLite and real Part 10 files in a temporary folder.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DicomDataset, encodePart10 } from '@aifi/dicom-core';
import type { AuditAnchor } from '@aifi/contracts-rest';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { identityOf } from '@aifi/gateway-vault';
import { FakeClock, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { AlertStore } from './alert.store.js';
import { openGatewayAccess, type GatewayAccess } from './gateway-access.js';
import { HubAnchorStore } from './hub-anchor.store.js';
import { PatientFlagStore } from './patient-flag.store.js';
import { PatientSource, readableName } from './patient-source.js';

let folder: TemporaryFolder;
let access: GatewayAccess;
const clock = new FakeClock();
beforeEach(() => {
  folder = temporaryFolder('privacy');
  access = openGatewayAccess({ path: join(folder.path, 'a.db'), siteId: 'site-a', clock });
});
afterEach(async () => {
  await access.database.close();
  folder.remove();
});

describe(PatientFlagStore.name, () => {
  const set = (patientId: string, issuer: string | null, atMs = 1) =>
    access.database.transaction((tx) =>
      access.flags.set(tx, { patientId, issuer, kind: 'vip', setBy: 'petra', atMs }),
    );
  it.each([
    ['the same number', '7', null, true],
    ['spaces that the vault takes away', ' 7 ', null, true],
    ['another number', '07', null, false],
    ['the same number of the same issuer', '8', 'H', true],
    ['the same number of another issuer', '8', 'X', false],
    ['the same number without an issuer', '8', null, true],
    ['no number', null, 'H', false],
  ])('masks a patient by %s: %s %s is %s', async (_name, patientId, issuer, isMasked) => {
    await set('7', null);
    await set('8', 'H');
    expect(access.flags.maskOf({ patientId, issuer }) === 'vip').toBe(isMasked);
  });
  it('ends a masking once, keeps the rest, and lets it be set again', async () => {
    const flag = await set('7', null);
    await expect(set('7', null)).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
    const remove = () =>
      access.database.transaction((tx) =>
        access.flags.remove(tx, flag.id, { userId: 'petra', atMs: 2 }),
      );
    expect(await remove()).toEqual(flag);
    await expect(remove()).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(access.flags.maskOf({ patientId: '7', issuer: null })).toBeNull();
    await set('7', null);
    expect(access.flags.list({ limit: 10 }).items).toHaveLength(1);
  });
  it('lists page by page, newest first', async () => {
    for (let i = 1; i <= 5; i += 1) await set(String(i), null, i);
    const first = access.flags.list({ limit: 3 });
    const second = access.flags.list({ limit: 3, cursor: first.nextCursor ?? undefined });
    const ids = [...first.items, ...second.items].map(({ patientId }) => patientId);
    expect([ids, second.nextCursor]).toEqual([['5', '4', '3', '2', '1'], null]);
  });
});

describe(AlertStore.name, () => {
  const raise = (atMs: number) =>
    access.database.transaction((tx) =>
      access.alerts.raise(tx, {
        ...{ atMs, masked: 'vip', userId: 'u', userName: 'U', studyInstanceUid: '1.2' },
        reason: 'acute bleeding',
      }),
    );
  it('counts and lists what nobody has seen, and takes one acknowledgement', async () => {
    await raise(1);
    await raise(2);
    const [newest] = access.alerts.list({ limit: 1 }).items;
    const acknowledge = (id: string) =>
      access.database.transaction((tx) =>
        access.alerts.acknowledge(tx, id, { userId: 'petra', atMs: 3 }),
      );
    expect(await acknowledge(newest!.id)).toEqual({
      ...newest,
      ...{ acknowledgedAtMs: 3, acknowledgedBy: 'petra' },
    });
    await expect(acknowledge(newest!.id)).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
    await expect(acknowledge(randomUUID())).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe(HubAnchorStore.name, () => {
  const anchor = (day: string, sequence: number, hash = `${sequence}`): AuditAnchor =>
    ({
      ...{ schema: 'aifi.audit-anchor.v1', chain: 'hub:site-a', day, sequence, hash },
      ...{ madeAtMs: 1, signature: 'AA==' },
    }) as AuditAnchor;

  it('keeps each day once and knows it again', async () => {
    expect(await access.hubAnchors.keep(anchor('2026-11-20', 5))).toBe('new');
    expect(await access.hubAnchors.keep(anchor('2026-11-20', 5))).toBe('known');
    expect(await access.hubAnchors.keep(anchor('2026-11-21', 5))).toBe('new');
    expect(access.hubAnchors.status()).toMatchObject({ lastDay: '2026-11-21', contradictions: 0 });
  });
  it.each([
    ['another hash of a day', anchor('2026-11-20', 5, 'other')],
    ['another length of a day', anchor('2026-11-20', 6)],
    ['a later day that is shorter', anchor('2026-11-21', 4)],
    ['an earlier day that is longer', anchor('2026-11-19', 6)],
    ['another hash of a record that an anchor names', anchor('2026-11-21', 5, 'other')],
  ])('sees a contradiction: %s', async (_name, other) => {
    await access.hubAnchors.keep(anchor('2026-11-20', 5));
    expect(await access.hubAnchors.keep(other)).toBe('contradiction');
    expect(await access.hubAnchors.keep(other)).toBe('contradiction');
    expect(access.hubAnchors.status().contradictions).toBe(1);
    expect(access.hubAnchors.anchors()).toEqual([anchor('2026-11-20', 5)]);
  });
});

describe(PatientSource.name, () => {
  let database: GatewayDatabase;
  let reads: number;
  const identities = new Map<string, ReturnType<typeof identityOf>>();
  const object = (patientId: string, part: (dataset: DicomDataset) => void = () => undefined) => {
    const dataset = new DicomDataset()
      .setString('SpecificCharacterSet', 'ISO_IR 100')
      .setString('SOPClassUID', '1.2.840.10008.5.1.4.1.1.4')
      .setString('SOPInstanceUID', '1.2.9')
      .setString('PatientName', 'Jansen^Piet^A')
      .setString('PatientID', patientId)
      .setString('StudyDescription', 'MR brain')
      .setString('StudyInstanceUID', '1.2');
    part(dataset);
    return dataset;
  };
  async function receive(instance: number, dataset: DicomDataset): Promise<string> {
    const path = join(folder.path, `${instance}.dcm`);
    writeFileSync(path, encodePart10(dataset));
    await database.write((sql) =>
      sql.run(
        `INSERT INTO instance (study_id, series_uid, sop_instance_uid, sop_class_uid,
           transfer_syntax_uid, sha256, size_bytes, path, header, calling_ae, received_ms)
         VALUES (1, '1', ?1, '1', '1', ?1, 1, ?2, '{}', 'CT', 1)`,
        String(instance),
        path,
      ),
    );
    return path;
  }
  let sut: PatientSource;
  beforeEach(async () => {
    database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    await database.write((sql) => sql.run(`INSERT INTO study VALUES (1, '1.2', 0, 1)`));
    identities.clear();
    reads = 0;
    const vault = {
      currentIdentity: (uid: string) => {
        reads += 1;
        return identities.get(uid);
      },
    };
    sut = new PatientSource(database, vault);
  });
  afterEach(() => database.close());

  it('takes the newest file of a study without linkage', async () => {
    await receive(1, object('old'));
    expect(await sut.numberOf('1.2')).toBe('old');
    await receive(2, object('new'));
    expect(await sut.of('1.2')).toEqual({
      patient: {
        ...{ patientId: 'new', issuer: null, name: 'Jansen, Piet A', birthDate: null },
        ...{ sex: null, accessionNumber: null },
      },
      studyDescription: 'MR brain',
    });
  });
  it('takes the vault before any file', async () => {
    await receive(1, object('file'));
    identities.set('1.2', identityOf(object('vault')));
    expect(await sut.numberOf('1.2')).toBe('vault');
    expect(reads).toBe(1);
  });
  it('reads a file once, and remembers it after the file has gone', async () => {
    const path = await receive(1, object('seen'));
    await sut.of('1.2');
    rmSync(path);
    expect(await sut.numberOf('1.2')).toBe('seen');
  });
  it('knows nobody when the file has gone, is no DICOM, or its text does not decode', async () => {
    rmSync(await receive(1, object('gone')));
    expect(await sut.of('1.2')).toBeUndefined();
    writeFileSync(await receive(2, object('x')), 'no DICOM');
    expect(await sut.of('1.2')).toBeUndefined();
    const bad = Buffer.from([0x41, 0xff, 0xfe, 0x42]);
    await receive(
      3,
      object('x', (dataset) => {
        dataset.setString('SpecificCharacterSet', 'ISO_IR 192');
        dataset.setBytes('PatientName', bad, 'PN');
      }),
    );
    expect(await sut.of('1.2')).toBeUndefined();
    expect(await sut.of('1.3')).toBeUndefined();
  });
  it.each([
    ['Jansen^Piet', 'Jansen, Piet'],
    ['de Vries^Anna^B^Dr.^MD', 'de Vries, Dr. Anna B, MD'],
    ['=山田^太郎=やまだ^たろう', '山田, 太郎'],
    ['Jansen', 'Jansen'],
    ['^^', null],
    ['', null],
  ])('writes the name %s as %s', (name, readable) => {
    expect(readableName(name)).toBe(readable);
  });
});
