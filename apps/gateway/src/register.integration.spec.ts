/**
 * Goal: a recall finds every result of a product and no patient, one result is found by its UID,
 * and a patient is erased by two persons only; each act is on record exactly once.
 * Method: the real interface over loopback on a real vault.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  approvalSchema,
  gatewayRoutes,
  problemSchema,
  type AuditRecord,
} from '@aifi/contracts-rest';
import { jobId, originalUid } from '@aifi/shared-kernel';
import { partsOf, PATIENT, PlantedGateway, RESULT_UID, VIP } from '../test/planted-gateway.js';
import { OWN_SITE } from '../test/role-sign-in.js';

const RAIO = 'raio.own.recall';
const OFFICER = 'privacy-officer.own.asks';
const IT = 'hospital-it.own.agrees';
const REASON = 'the patient asked to be forgotten';
const PATH = '/api/v1/results-register';
const NUMBER = { patientId: PATIENT.patientId, issuer: null };

const sut = new PlantedGateway();
beforeAll(() => sut.start());
afterAll(() => sut.stop());

async function recall(query: string, token = RAIO) {
  const response = await sut.call(token, `${PATH}?${query}`);
  expect(response.status).toBe(200);
  return gatewayRoutes.recall.response.parse(await response.json());
}
async function newest(): Promise<AuditRecord | undefined> {
  return (await sut.access.trail.search({ limit: 1 })).items[0];
}
const parts = [...partsOf(PATIENT), ...partsOf(VIP)];

describe('a recall', () => {
  it('has every result of the product, newest first, on pages, with the number of studies', async () => {
    for (const number of [1, 2, 3]) {
      sut.clock.advance(1_000);
      const other = number === 3 ? { studyUid: originalUid(VIP.studyUid) } : {};
      await sut.register(`2.25.9${number}`, { product: 'recalled', ...other });
    }
    await sut.register('2.25.94', { product: 'recalled', productVersion: '2.0.0' });
    const first = await recall('product=recalled&limit=3');
    const second = await recall(`product=recalled&limit=3&cursor=${first.nextCursor}`);
    const found = [...first.items, ...second.items].map((one) => one.sopInstanceUid);
    expect(found).toEqual(['2.25.94', '2.25.93', '2.25.92', '2.25.91']);
    expect([first.total, first.studies, second.nextCursor]).toEqual([4, 2, null]);
    const version = await recall('product=recalled&version=2.0.0');
    expect(version.items.map((one) => one.productVersion)).toEqual(['2.0.0']);
    expect(parts.filter((part) => JSON.stringify(first).includes(part))).toEqual([]);
    expect(await newest()).toMatchObject({
      ...{ act: 'results-register.read', objectType: 'result', patientId: null },
      detail: { product: 'recalled', version: '2.0.0', results: 1 },
    });
  });
  it('is a file too, in which no cell is a formula', async () => {
    await sut.register('2.25.96', { product: '=cmd()', productVersion: '1.0.0' });
    const response = await sut.call(RAIO, `${PATH}/export?product=${encodeURIComponent('=cmd()')}`);
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    const lines = (await response.text()).trim().split('\r\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^"registeredAtMs","product"/);
    expect(lines[1]).toContain(`"'=cmd()"`);
    expect(lines[1]).toContain('"2.25.96"');
    expect(await newest()).toMatchObject({ act: 'results-register.read', detail: { results: 1 } });
  });
  it('of what nobody has is empty', async () => {
    expect(await recall('product=nothing')).toEqual({
      ...{ items: [], nextCursor: null, total: 0, studies: 0 },
    });
  });
  it('finds one result by its UID, also when its linkage is gone', async () => {
    const orphan = { jobId: jobId('e'.repeat(32)), studyUid: originalUid('1.2.3.99') };
    await sut.register('2.25.97', orphan);
    for (const [uid, studyInstanceUid] of [
      [RESULT_UID, PATIENT.studyUid],
      ['2.25.97', '1.2.3.99'],
    ] as const) {
      const response = await sut.call(RAIO, `${PATH}/${uid}`);
      expect(gatewayRoutes.registeredResult.response.parse(await response.json())).toMatchObject({
        ...{ sopInstanceUid: uid, studyInstanceUid, product: 'tissue', modelDigest: /f+/.source },
        modelDigest: 'f'.repeat(64),
      });
    }
    expect((await sut.call(RAIO, `${PATH}/2.25.1`)).status).toBe(404);
  });
});

describe('an erasure', () => {
  const codeOf = async (token: string): Promise<string> => {
    const response = await sut.post(token, '/api/v1/vault/patient-codes', NUMBER);
    return gatewayRoutes.patientCode.response.parse(await response.json()).code;
  };
  const erase = (more: object = {}, key?: string): Promise<Response> =>
    sut.post(OFFICER, '/api/v1/vault/erasures', { ...NUMBER, reason: REASON, ...more }, key);
  const codeOfProblem = async (response: Response): Promise<unknown> =>
    problemSchema.parse(await response.json()).code;
  async function agree(objectId: string): Promise<string> {
    const body = { act: 'vault.erase', siteId: OWN_SITE, objectId, reason: REASON };
    const asked = await sut.post(OFFICER, '/api/v1/approvals', body);
    const { id } = approvalSchema.parse(await asked.json());
    const decision = { decision: 'approve', reason: 'the letter of the patient is here' };
    const own = await sut.post(OFFICER, `/api/v1/approvals/${id}/decision`, decision);
    expect(own.status).toBe(403);
    expect((await sut.post(IT, `/api/v1/approvals/${id}/decision`, decision)).status).toBe(200);
    return id;
  }

  it('is agreed to under a code that who has the number can compute, and that tells nothing', async () => {
    const code = await codeOf(OFFICER);
    expect(code).toMatch(/^[0-9a-f]{24}$/);
    expect(await codeOf(IT)).toBe(code);
    const other = await sut.post(OFFICER, '/api/v1/vault/patient-codes', {
      ...NUMBER,
      issuer: 'elsewhere',
    });
    expect(await other.json()).toMatchObject({ code: expect.not.stringContaining(code) });
  });
  it('tells of how many studies the same number has no issuer, for these are not erased with it', async () => {
    const asked = async (issuer: string | null) => {
      const body = { ...NUMBER, issuer };
      const response = await sut.post(OFFICER, '/api/v1/vault/patient-codes', body);
      return gatewayRoutes.patientCode.response.parse(await response.json());
    };
    expect(await asked('elsewhere')).toMatchObject({ studies: 0, studiesWithoutIssuer: 1 });
    expect(await asked(null)).toMatchObject({ studies: 1, studiesWithoutIssuer: 0 });
  });
  it('needs a second person, for this patient and this extent', async () => {
    expect(await codeOfProblem(await erase())).toBe('APPROVAL_REQUIRED');
    await agree(await codeOf(OFFICER));
    expect(await codeOfProblem(await erase({ results: 'erase' }))).toBe('APPROVAL_REQUIRED');
    const elsewhere = await erase({ patientId: VIP.patientId });
    expect(await codeOfProblem(elsewhere)).toBe('APPROVAL_REQUIRED');
    expect(sut.vault.linkage(jobId(PATIENT.jobId))).toBeDefined();
  });
  it('leaves nothing of the patient in the vault but the register, and one record', async () => {
    const before = await sut.count();
    const first = await erase({}, 'erasure-key-1');
    expect(first.status).toBe(200);
    const answer = (await first.json()) as object;
    expect(answer).toEqual({ code: await codeOf(OFFICER), jobs: 1, results: 0 });
    expect(sut.vault.linkage(jobId(PATIENT.jobId))).toBeUndefined();
    expect(sut.vault.currentIdentity(originalUid(PATIENT.studyUid))).toBeUndefined();
    expect(sut.vault.registeredResult(RESULT_UID)).toBeDefined();
    expect(sut.vault.linkage(jobId(VIP.jobId))).toBeDefined();
    const { items } = await sut.access.trail.search({ limit: 5, act: 'vault.erase' });
    expect(items[0]).toMatchObject({
      ...{ outcome: 'success', patientId: PATIENT.patientId, responsibleUserId: IT },
      ...{ reason: REASON, detail: { results: 'keep' } },
    });
    expect(await (await erase({}, 'erasure-key-1')).json()).toEqual(answer);
    // The erasure, and the look at its code above.
    expect(await sut.count()).toBe(before + 2);
    expect(sut.vault.actsAfter(0).at(-1)).toMatchObject({ act: 'erased', actor: OFFICER });
  });
});
