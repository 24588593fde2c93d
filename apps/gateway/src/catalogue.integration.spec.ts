/**
 * Goal: hospital IT copies a catalogue from one gateway to another and goes back to an earlier one;
 * each change is on record once, and a wrong file changes nothing.
 * Method: the real interface over loopback on real databases.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { auditRecordSchema, gatewayRoutes, type AuditRecord } from '@aifi/contracts-rest';
import { mappedProcedureOf } from '@aifi/gateway-catalogue';
import { PATIENT, PlantedGateway } from '../test/planted-gateway.js';

const IT = 'hospital-it.own.catalogue';
const PATH = '/api/v1/catalogue';
const sut = new PlantedGateway();
beforeAll(() => sut.start());
afterAll(() => sut.stop());

const CSV =
  'Code;Omschrijving;Lichaamsdeel;Zijde;Product\r\nRX1;Hand co\u00f6rdinaat;HAND;L;tissue\r\n';
const fileOf = (text: string, encoding: BufferEncoding = 'latin1') => ({
  file: gzipSync(Buffer.from(text, encoding)).toString('base64'),
});
async function post<T>(path: string, body: object, key?: string): Promise<T> {
  const response = await sut.post(IT, `${PATH}/${path}`, body, key);
  expect(response.status).toBe(200);
  return (await response.json()) as T;
}
const importing = async (text: string, key?: string) =>
  gatewayRoutes.importCatalogue.response.parse(await post('versions', fileOf(text), key));
const exported = async (query = '') => {
  const response = await sut.call(IT, `${PATH}/export${query}`);
  expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8');
  return response.text();
};
const mapped = (code: string) => sut.database.read((sql) => mappedProcedureOf(sql, [code]));
async function newest(): Promise<AuditRecord> {
  const { items } = await sut.access.trail.search({ limit: 1, userId: IT });
  return auditRecordSchema.parse(items[0]);
}

describe('the procedure catalogue', () => {
  it('is empty before it is imported', async () => {
    expect(await (await sut.call(IT, PATH)).json()).toEqual({ items: [] });
    expect(await exported()).toBe('code,scheme,description,bodyPart,side,phase,product\r\n');
  });
  it('is checked without a record, imported with one, once for its key', async () => {
    const before = await sut.count();
    expect(await post('checks', fileOf(CSV))).toMatchObject({ codes: 1, added: 1, errors: 0 });
    expect([await sut.count(), mapped(':RX1')]).toEqual([before, undefined]);
    const first = await importing(CSV, 'catalogue-key-1');
    expect(first.version).toMatchObject({ version: 1, codes: 1, isKept: true });
    expect(await importing(CSV, 'catalogue-key-1')).toEqual(first);
    expect(await sut.count()).toBe(before + 1);
    expect(await newest()).toMatchObject({
      ...{ act: 'catalogue.import', patientId: null, detail: { codes: 1, added: 1, errors: 0 } },
    });
    expect(mapped('99RIS:RX1')).toMatchObject({ bodyPart: 'HAND', side: 'L' });
  });
  it('with a wrong line changes nothing, and tells its place', async () => {
    const { version, findings } = await importing(`${CSV}RX2;x;HANDJE;L;tissue\r\n`);
    expect([version, findings]).toEqual([
      null,
      [{ line: 3, column: 'bodyPart', problem: 'unknown-body-part', isError: true }],
    ]);
    expect(mapped(':RX2')).toBeUndefined();
  });
  it('is copied to another gateway as it is, and back again', async () => {
    const copy = await exported();
    const other = new PlantedGateway();
    await other.start();
    const answer = await other.post(IT, `${PATH}/versions`, fileOf(copy, 'utf8'));
    expect(gatewayRoutes.importCatalogue.response.parse(await answer.json()).version).toMatchObject(
      {
        ...{ version: 1, sha256: sut.sources.catalogue.versions()[0]!.sha256 },
      },
    );
    expect(await (await other.call(IT, `${PATH}/export`)).text()).toBe(copy);
    await other.stop();
  });
  it('goes back to an earlier version, on record with the reason', async () => {
    const before = await exported();
    await importing(CSV.replace('HAND;', 'FOOT;'));
    expect(mapped(':RX1')?.bodyPart).toBe('FOOT');
    const reason = 'the body part was wrong';
    expect(await post('rollbacks', { version: 1, reason })).toMatchObject({ kind: 'rollback' });
    expect([mapped(':RX1')?.bodyPart, await exported()]).toEqual(['HAND', before]);
    expect(await newest()).toMatchObject({ act: 'catalogue.roll-back', objectId: '1', reason });
    const missing = await sut.post(IT, `${PATH}/rollbacks`, { version: 99, reason });
    expect(missing.status).toBe(404);
  });
  it('tells which codes of the last days it does not know, and no study', async () => {
    await sut.database.write((sql) =>
      sql.run(`UPDATE instance SET header = '{"procedureCodes":["99RIS:RX1"]}' WHERE study_id = 1`),
    );
    await sut.database.write((sql) =>
      sql.run(`UPDATE instance SET header = '{"procedureCodes":["99RIS:Q"]}' WHERE study_id = 2`),
    );
    const text = await (await sut.call(IT, `${PATH}/coverage?days=1`)).text();
    expect(JSON.parse(text)).toMatchObject({
      ...{ withCode: 2, mapped: 1, unmapped: [{ code: '99RIS:Q', studies: 1 }] },
    });
    expect(text).not.toContain(PATIENT.studyUid);
  });
});
