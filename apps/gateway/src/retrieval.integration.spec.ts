/**
 * Goal: people have studies fetched by UID or accession number; the number is nowhere afterwards;
 * an order is carried out once, with its record.
 * Method: the gateway's interface over HTTP with real databases; a PACS that knows one number.
 */
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PLANTED_ACCESSION } from '../test/planted-retrieval.js';
import { PlantedGateway } from '../test/planted-gateway.js';

const IT = 'hospital-it.own.fetches';
const PATH = '/api/v1/retrievals';

describe('retrievals', () => {
  let gateway: PlantedGateway;
  beforeEach(async () => {
    gateway = new PlantedGateway();
    await gateway.start();
  });
  afterEach(() => gateway.stop());

  const rows = () => gateway.sources.retrieval.store.list({ limit: 50 });

  it('are ordered by UID, once for a key, and listed', async () => {
    const key = randomUUID();
    const body = { studyInstanceUid: '1.2.99.7', product: 'tissue', from: 'command-line' };
    const before = await gateway.count();
    for (let turn = 0; turn < 2; turn += 1) {
      const answer = await gateway.post(IT, PATH, body, key);
      expect(answer.status).toBe(200);
      expect(await answer.json()).toMatchObject({
        retrievals: [{ studyInstanceUid: '1.2.99.7', state: 'QUEUED', product: 'tissue' }],
      });
    }
    expect(rows()).toHaveLength(1);
    expect((await gateway.count()) - before).toBe(1);
    const asked = gateway.database.read((sql) => sql.all('SELECT * FROM product_request'));
    expect(asked).toMatchObject([{ product: 'tissue', source: 'command-line' }]);
    const list = await gateway.call(IT, `${PATH}?state=QUEUED`);
    expect(await list.json()).toMatchObject({ items: [{ id: 1, words: null }], waiting: 1 });
  });

  it('are ordered by an accession number, of which nothing is kept', async () => {
    const answer = await gateway.post(IT, PATH, { accessionNumber: PLANTED_ACCESSION });
    expect(answer.status).toBe(200);
    expect(rows()).toMatchObject([{ study_uid: '1.2.99.2', cause: 'by-hand' }]);
    const files = readdirSync(gateway.folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
    expect(files.length).toBeGreaterThan(3);
    expect(files.some((bytes) => bytes.includes('1.2.99.2'))).toBe(true);
    expect(files.some((bytes) => bytes.includes(PLANTED_ACCESSION))).toBe(false);
  });

  it('say that the PACS has no such number, and take neither none nor a pattern', async () => {
    expect((await gateway.post(IT, PATH, { accessionNumber: 'NONE' })).status).toBe(404);
    for (const body of [
      {},
      { accessionNumber: 'AC*' },
      { studyInstanceUid: '1.2', accessionNumber: 'A' },
      { studyInstanceUid: 'not a UID' },
    ]) {
      expect((await gateway.post(IT, PATH, body)).status).toBe(400);
    }
    expect(rows()).toEqual([]);
  });

  it('take a missed study from its list, and are withdrawn', async () => {
    const missed = await gateway.missedStudy();
    const path = `/api/v1/reconciliation/${missed}/retrieval`;
    const answer = await gateway.post(IT, path, {});
    expect(await answer.json()).toMatchObject({ cause: 'missed', state: 'QUEUED' });
    const { retrieval_id: id } = rows()[0]!;
    const withdrawal = `${PATH}/${id}/withdrawal`;
    expect(await (await gateway.post(IT, withdrawal, {})).json()).toEqual({ withdrawn: true });
    expect(await (await gateway.post(IT, withdrawal, {})).json()).toEqual({ withdrawn: false });
    const list = (await (await gateway.call(IT, PATH)).json()) as { items: unknown[] };
    expect(list.items).toMatchObject([
      { state: 'FAILED', reason: 'WITHDRAWN', words: { en: 'withdrawn' } },
    ]);
    expect((await gateway.post(IT, `${PATH}/999/withdrawal`, {})).status).toBe(404);
    expect((await gateway.post(IT, '/api/v1/reconciliation/999/retrieval', {})).status).toBe(404);
  });

  it('are counted, without a study', async () => {
    await gateway.sources.retrieval.queue([{ studyUid: '1.2.99.8', cause: 'rule' }]);
    const text = await (await gateway.call(undefined, '/metrics')).text();
    expect(text).toContain('aifi_gateway_retrievals_count{state="QUEUED",app="gateway"} 1');
    expect(text).not.toContain('1.2.99.8');
  });
});
