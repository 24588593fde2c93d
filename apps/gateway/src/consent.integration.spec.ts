/**
 * Goal: an objection is on record with its patient before it is in force, a number is nowhere but
 * in that record, and a FHIR Consent that does not map is refused without its values.
 * Method: the real interface over loopback on real databases.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import {
  auditRecordSchema,
  gatewayRoutes,
  problemSchema,
  type AuditRecord,
} from '@aifi/contracts-rest';
import { objectionsOf } from '@aifi/gateway-consent';
import { keyRingOf, patientKeyOf } from '@aifi/shared-site-keys';
import { fakeSiteKeys } from '@aifi/shared-testing';
import { PlantedGateway } from '../test/planted-gateway.js';

const OFFICER = 'privacy-officer.own.objections';
const PATH = '/api/v1/objections';
const NUMBER = 'OBJ-31415926';
const REASON = 'the patient asked for it in writing';
const sut = new PlantedGateway();
beforeAll(() => sut.start());
afterAll(() => sut.stop());

async function post(path: string, body: object, key?: string) {
  const response = await sut.post(OFFICER, path, body, key);
  return { status: response.status, text: await response.text() };
}
async function newest(): Promise<AuditRecord> {
  const { items } = await sut.access.trail.search({ limit: 1, userId: OFFICER });
  return auditRecordSchema.parse(items[0]);
}
const inForce = (patientId: string) =>
  sut.database.read((sql) =>
    objectionsOf(sql, {
      patientKey: patientKeyOf(keyRingOf(fakeSiteKeys()), { patientId })!,
      atMs: sut.clock.nowMs(),
    }),
  );
const everything = (database: { read: (work: (sql: typeof SQL) => string) => string }) =>
  database.read((sql) =>
    JSON.stringify(
      sql
        .all("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .map(({ name }) => sql.all(`SELECT * FROM ${String(name)}`)),
    ),
  );
declare const SQL: { all: (statement: string) => Record<string, unknown>[] };

describe('an objection by number', () => {
  it('is set once, found, withdrawn, and each act is on record with its patient', async () => {
    const body = { patientId: NUMBER, kinds: ['ai-in-own-care', 'sharing'] };
    const first = await post(PATH, body, 'objection-key-1');
    const again = await post(PATH, body, 'objection-key-1');
    expect([first.status, again]).toEqual([200, first]);
    const state = gatewayRoutes.setObjection.response.parse(JSON.parse(first.text));
    expect(state).toMatchObject({ inForce: ['ai-in-own-care', 'sharing'], jobsEnded: 0 });
    expect(await newest()).toMatchObject({
      ...{ act: 'objection.set', patientId: NUMBER, objectType: 'objection' },
      detail: { event: 'set', kinds: 'ai-in-own-care sharing', source: 'person' },
    });
    const found = await post(`${PATH}/search`, { patientId: NUMBER });
    expect(
      gatewayRoutes.findObjections.response.parse(JSON.parse(found.text)).history,
    ).toHaveLength(2);
    expect(await newest()).toMatchObject({ act: 'objections.read', patientId: NUMBER });
    const gone = await post(`${PATH}/withdrawal`, {
      ...{ patientId: NUMBER, kinds: ['sharing'], reason: REASON },
    });
    expect([gone.status, inForce(NUMBER)]).toEqual([200, ['ai-in-own-care']]);
    expect(await newest()).toMatchObject({ act: 'objection.withdraw', reason: REASON });
  });
  it('leaves no number in the pipeline database, in a kept order or in an answer', async () => {
    const { text } = await post(PATH, { patientId: NUMBER, kinds: ['secondary-use'] });
    expect(text).not.toContain(NUMBER);
    expect(everything(sut.database as never)).not.toContain(NUMBER);
    const kept = sut.access.database.read((sql) =>
      JSON.stringify(sql.all('SELECT * FROM idempotency')),
    );
    expect(kept).toContain('secondary-use');
    expect(kept).not.toContain(NUMBER);
  });
  it('is refused when it ends before it begins', async () => {
    const body = { patientId: NUMBER, kinds: ['sharing'], sinceMs: 2, untilMs: 2 };
    expect((await post(PATH, body)).status).toBe(400);
  });
});

describe('a list of objections', () => {
  const listOf = (...lines: string[]) => ({
    file: gzipSync(['number;kind', ...lines].join('\n')).toString('base64'),
  });
  it('is checked without a trace, and taken over with one record and no number', async () => {
    const list = listOf('OL-1;alles', 'OL-2;delen');
    const before = await sut.count();
    const checked = await post(`${PATH}/list-checks`, list);
    expect(JSON.parse(checked.text)).toMatchObject({ lines: 2, added: 2, isImported: false });
    expect([await sut.count(), inForce('OL-1')]).toEqual([before, []]);
    const taken = await post(`${PATH}/lists`, list);
    expect(JSON.parse(taken.text)).toMatchObject({ added: 2, isImported: true });
    expect(inForce('OL-1')).toHaveLength(3);
    expect(await sut.count()).toBe(before + 1);
    const record = await newest();
    expect(record).toMatchObject({ act: 'objection-list.import', patientId: null });
    expect(record.detail).toMatchObject({ lines: 2, bad: 0, added: 2 });
    expect(JSON.stringify(record)).not.toContain('OL-');
  });
  it('tells a bad line by its place, and sets nothing', async () => {
    const { status, text } = await post(`${PATH}/lists`, listOf('OL-3;alles', 'OL-4;niets'));
    expect([status, inForce('OL-3')]).toEqual([200, []]);
    expect(JSON.parse(text)).toMatchObject({ bad: 1, isImported: false });
    expect(text).not.toMatch(/OL-|niets/);
  });
  it('is refused as a whole when it is no list', async () => {
    const noList = { file: Buffer.from(`naam\n${NUMBER}`).toString('base64') };
    const { status, text } = await post(`${PATH}/lists`, noList);
    expect(status).toBe(400);
    expect(problemSchema.parse(JSON.parse(text)).title).toContain('number and kind');
  });
});

describe('a FHIR Consent', () => {
  const system = 'urn:aifi:objection-kind';
  const consent = (changes: object = {}) => ({
    ...{ resourceType: 'Consent', status: 'active', provision: { type: 'deny' } },
    ...{ scope: { coding: [] }, category: [{ coding: [{ system, code: 'ai-in-own-care' }] }] },
    ...{ patient: { identifier: { value: 'FH-1' } }, text: { div: 'narrative' }, ...changes },
  });
  it('sets an objection, and withdraws it when it is no longer active', async () => {
    const set = await post('/api/v1/consents/fhir', consent());
    expect([set.status, inForce('FH-1')]).toEqual([200, ['ai-in-own-care']]);
    expect(await newest()).toMatchObject({
      ...{ act: 'consent.receive', patientId: 'FH-1', detail: { source: 'fhir' } },
    });
    await post('/api/v1/consents/fhir', consent({ status: 'inactive' }));
    expect(inForce('FH-1')).toEqual([]);
  });
  it('that does not map is refused by its element, without its values', async () => {
    const patient = { identifier: { value: NUMBER } };
    for (const changes of [{ status: 'draft' }, { provision: { type: 'permit' } }]) {
      const { status, text } = await post(
        '/api/v1/consents/fhir',
        consent({ patient, ...changes }),
      );
      expect(status).toBe(400);
      expect(problemSchema.parse(JSON.parse(text)).title).toMatch(/^Consent\./);
      expect(text).not.toContain(NUMBER);
    }
    const other = await post('/api/v1/consents/fhir', { resourceType: 'Patient' });
    expect(other.status).toBe(400);
  });
});
