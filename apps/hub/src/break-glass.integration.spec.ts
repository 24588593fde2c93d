/**
 * Goal: nobody sees pixels at the hub without a second person, and each look is in the trail.
 * Method: a whole hub with a real object of a study; an operator asks, others agree; the answers
 * are decoded, the records read back, the grant ended.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decode } from 'fast-png';
import {
  approvalSchema,
  auditRecordSchema,
  hubRoutes,
  type ApprovalView,
  type AuditRecord,
} from '@aifi/contracts-rest';
import { askFor } from '../test/access-calls.js';
import { OWN_SITE } from '../test/role-sign-in.js';
import { SeededHub } from '../test/seeded-hub.js';

const sut = new SeededHub();
beforeAll(() => sut.start(), 180_000);
afterAll(() => sut.stop(), 60_000);

const ASKS = 'central-operator.none.asks';
const AGREES = 'raio.own.agrees';
const pseudonym = (): string => sut.seeds.concluded.manifest.studyInstanceUid;
const study = (): string => `/api/v1/sites/${OWN_SITE}/studies/${pseudonym()}`;
const preview = (index: number | string): string => `${study()}/instances/${index}/preview`;

async function ask(): Promise<ApprovalView> {
  return approvalSchema.parse(await (await askFor(sut, ASKS)).json());
}
async function decide(by: string, { id }: ApprovalView): Promise<Response> {
  const body = { decision: 'approve', reason: 'agreed by telephone' };
  return sut.post(by, `/api/v1/approvals/${id}/decision`, body);
}
async function granted(): Promise<ApprovalView> {
  const response = await decide(AGREES, await ask());
  return approvalSchema.parse(await response.json());
}
async function recordsOf(userId: string): Promise<AuditRecord[]> {
  const query = `userId=${userId}&act=pixels.read&limit=200`;
  const { items } = (await (await sut.call('auditor.none', `/api/v1/audit?${query}`)).json()) as {
    items: unknown[];
  };
  return items.map((item) => auditRecordSchema.parse(item));
}

describe('pixels', () => {
  it('are refused before anybody agrees, and the refusal names the study', async () => {
    const who = 'central-operator.none.early';
    for (const path of [`${study()}/instances`, preview(0)]) {
      const response = await sut.call(who, path);
      expect(response.status).toBe(403);
      expect(await response.json()).toMatchObject({ code: 'APPROVAL_REQUIRED' });
    }
    const records = await recordsOf(who);
    expect(records).toHaveLength(2);
    for (const record of records) {
      expect(record).toMatchObject({
        ...{ outcome: 'refused', code: 'APPROVAL_REQUIRED', objectId: pseudonym() },
        ...{ siteId: OWN_SITE, chain: `hub:${OWN_SITE}`, patientId: null },
      });
    }
  });

  it('are shown to who asked, one record for each look, with who is responsible', async () => {
    const approval = await granted();
    const before = (await recordsOf(ASKS)).length;
    const listed = await sut.call(ASKS, `${study()}/instances`);
    const { instances, grantedUntilMs } = hubRoutes.studyInstances.response.parse(
      await listed.json(),
    );
    const { objects } = sut.seeds.concluded.manifest;
    expect(grantedUntilMs).toBe(approval.grantedUntilMs);
    expect(instances).toEqual(
      objects.map(({ sopInstanceUid, sizeBytes, sha256 }, index) => ({
        ...{ index, sopInstancePseudonym: sopInstanceUid, sizeBytes, sha256 },
      })),
    );
    const response = await sut.call(ASKS, preview(1));
    expect(response.headers.get('content-type')).toBe('image/png');
    expect(response.headers.get('cache-control')).toBe('no-store');
    const picture = decode(new Uint8Array(await response.arrayBuffer()));
    expect(picture).toMatchObject({ width: 600, height: 500, depth: 8, channels: 1 });
    const records = (await recordsOf(ASKS)).slice(0, -before || undefined);
    expect(records).toHaveLength(2);
    expect(records[0]).toMatchObject({
      ...{ act: 'pixels.read', action: 'R', outcome: 'success', role: 'central-operator' },
      ...{ userId: ASKS, responsibleUserId: AGREES, reason: approval.reason },
      ...{ objectType: 'study', objectId: pseudonym(), siteId: OWN_SITE, patientId: null },
      detail: { instance: 1, approval: approval.id },
    });
  }, 60_000);

  it('are shown to nobody else, also not to who agreed', async () => {
    await granted();
    for (const who of [AGREES, 'central-operator.none.another']) {
      expect((await sut.call(who, preview(0))).status).toBe(403);
    }
  });

  it('do not exist where the study, the instance or the grant does not', async () => {
    await granted();
    const { others } = sut.seeds;
    expect((await sut.call(ASKS, preview(99))).status).toBe(404);
    const elsewhere = study().replace(pseudonym(), others.manifest.studyInstanceUid);
    expect((await sut.call(ASKS, `${elsewhere}/instances`)).status).toBe(403);
    for (const index of ['-1', '1e9', 'x', '%00', '..%2f0']) {
      expect([400, 404]).toContain((await sut.call(ASKS, preview(index))).status);
    }
  });

  it('are gone when the grant is ended before its time', async () => {
    const approval = await granted();
    expect((await sut.call(ASKS, preview(0))).status).toBe(200);
    const path = `/api/v1/approvals/${approval.id}/end`;
    const ended = await sut.post(ASKS, path, { reason: 'the vendor has seen it' });
    expect(ended.status).toBe(200);
    await endAllGrants();
    expect((await sut.call(ASKS, preview(0))).status).toBe(403);
  }, 60_000);
});

describe('two persons', () => {
  it('are two, also when one of them has both roles', async () => {
    const approval = await ask();
    expect((await decide(ASKS, approval)).status).toBe(403);
    expect((await decide('auditor.none', approval)).status).toBe(403);
    expect((await decide('raio.other', approval)).status).toBe(404);
    expect((await decide(AGREES, approval)).status).toBe(200);
    expect((await decide('central-operator.none.late', approval)).status).toBe(409);
  });
  it('leave one record each, also when a request is sent twice', async () => {
    const body = {
      ...{ act: 'pixels.read', siteId: OWN_SITE, objectId: pseudonym() },
      reason: 'the vendor reports noise again',
    };
    const who = 'central-operator.none.twice';
    const send = (reason = body.reason): Promise<Response> =>
      sut.call(who, '/api/v1/approvals', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': 'the-same-key' },
        body: JSON.stringify({ ...body, reason }),
      });
    const [first, second] = [await (await send()).json(), await (await send()).json()];
    expect(second).toEqual(first);
    expect((await send('for another reason altogether')).status).toBe(409);
    const search = await sut.call('auditor.none', `/api/v1/audit?userId=${who}&outcome=success`);
    const { items } = (await search.json()) as { items: unknown[] };
    expect(items).toHaveLength(1);
  });
});

/** Grants of earlier tests would still hold. */
async function endAllGrants(): Promise<void> {
  const listed = await sut.call(ASKS, '/api/v1/approvals?state=APPROVED&limit=200');
  const { items } = (await listed.json()) as { items: ApprovalView[] };
  for (const { id, requestedBy } of items) {
    if (requestedBy.id !== ASKS) continue;
    await sut.post(ASKS, `/api/v1/approvals/${id}/end`, { reason: 'the test is over' });
  }
}
