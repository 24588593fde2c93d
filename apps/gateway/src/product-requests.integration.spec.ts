/**
 * Goal: a person asks for a product on a study once per order, on record with the patient, and sees
 * what came of it in words. Method: the real interface over loopback on real databases.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { gatewayRoutes } from '@aifi/contracts-rest';
import { partsOf, PATIENT, PlantedGateway } from '../test/planted-gateway.js';

const WHO = 'radiologist.own.asks';
const PATH = `/api/v1/studies/${PATIENT.studyUid}/requests`;
const sut = new PlantedGateway();
beforeAll(() => sut.start());
afterAll(() => sut.stop());

const rows = () =>
  sut.database.read((sql) => sql.all('SELECT study_uid, product, source FROM product_request'));
async function items() {
  const response = await sut.call(WHO, PATH);
  return gatewayRoutes.productRequests.response.parse(await response.json()).items;
}

describe('asking for a product', () => {
  it('is one request and one record; the same again waits with it', async () => {
    const asked = { product: 'lung', reason: 'the ward asks' };
    const first = await sut.post(WHO, PATH, asked);
    expect(first.status).toBe(200);
    const answer = gatewayRoutes.requestProduct.response.parse(await first.json());
    expect(answer).toMatchObject({ product: 'lung', isNew: true });
    const again = await sut.post(WHO, PATH, { product: 'lung', from: 'page' });
    expect(await again.json()).toMatchObject({ isNew: false });
    expect(rows()).toEqual([{ study_uid: PATIENT.studyUid, product: 'lung', source: 'page' }]);
    const { items: records } = await sut.access.trail.search({ limit: 2 });
    expect(records).toMatchObject([
      { act: 'product.request', reason: null },
      {
        ...{ act: 'product.request', objectId: PATIENT.studyUid, reason: 'the ward asks' },
        ...{ patientId: PATIENT.patientId, detail: { product: 'lung' } },
      },
    ]);
  });
  it('shows what came of it, and no patient', async () => {
    await sut.database.write((sql) =>
      sql.run(`UPDATE product_request SET taken_ms = 5, answer = 'OBJECTION'`),
    );
    await sut.post(WHO, PATH, { product: 'lung', from: 'command-line' });
    const found = await items();
    expect(found).toMatchObject([
      { product: 'lung', source: 'command-line', answeredAtMs: null, answer: null, words: null },
      { source: 'page', answeredAtMs: 5, answer: 'OBJECTION', words: { en: expect.any(String) } },
    ]);
    const text = JSON.stringify(found);
    expect(partsOf(PATIENT).filter((part) => text.includes(part))).toEqual([]);
  });
  it('is refused for a study that is not here, and for what is no product', async () => {
    const before = rows();
    const elsewhere = await sut.post(WHO, '/api/v1/studies/1.2.77/requests', { product: 'lung' });
    expect(elsewhere.status).toBe(404);
    expect((await sut.post(WHO, PATH, { product: 'Not A Product' })).status).toBe(400);
    expect(rows()).toEqual(before);
  });
});
