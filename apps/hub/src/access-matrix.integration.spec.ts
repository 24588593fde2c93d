/**
 * Goal: every route of the hub answers every role as security specification 5 says, at the own
 * site, at another one and without one; nothing else answers at all (T-AUTHZ).
 * Method: a whole hub; the routes as its router has them, called by every role, and compared with a
 * table written by hand (test/access-rows.ts). The link: every method, with every kind of caller.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HUB_ROUTE_ACTS, ROLES, ruleOf, type Role } from '@aifi/access-authorisation';
import {
  auditRecordSchema,
  hubRoutes,
  problemSchema,
  signInRoutes,
  takeOverObjectId,
  type AuditRecord,
  type HubRouteId,
} from '@aifi/contracts-rest';
import { askFor, CALLS, type RouteCall } from '../test/access-calls.js';
import {
  expectedOf,
  hasRow,
  isPublic,
  rightOf,
  type RouteId,
  type Where,
} from '../test/access-rows.js';
import { grantBinding, IDENTITY } from '../test/enrolment-calls.js';
import { OTHER_SITE, OWN_SITE } from '../test/role-sign-in.js';
import { SeededHub } from '../test/seeded-hub.js';

const sut = new SeededHub();
beforeAll(() => sut.start(), 180_000);
afterAll(async () => {
  process.stdout.write(`access matrix of the hub: ${sut.calls} calls\n`);
  await sut.stop();
}, 60_000);

const WHERE: readonly Where[] = ['own', 'other', 'none'];
const TABLES = { ...hubRoutes, ...signInRoutes };

/** Routes of the running application, as `METHOD path`. */
function routesOfRouter(): string[] {
  const { router } = sut.hub.httpApplication as {
    router: { stack: { route?: { path: string; methods: Record<string, boolean> } }[] };
  };
  return router.stack.flatMap(({ route }) =>
    Object.keys(route?.methods ?? {}).map((method) => `${method.toUpperCase()} ${route!.path}`),
  );
}
const idByAddress = new Map(
  Object.entries(TABLES).map(([id, { method, path }]) => [`${method} ${path}`, id]),
);

/** Reads an answer to its end, except a stream, which has none. */
async function textOf(response: Response, { isStream }: RouteCall): Promise<string> {
  if (!isStream || response.status !== 200) return response.text();
  await response.body?.cancel();
  return '';
}
/** What must never be in an answer to somebody of site B, the words of a refusal included. */
function ownThings(): string[] {
  const { concluded, open } = sut.seeds;
  return [concluded, open].flatMap(({ manifest }) => [
    ...[OWN_SITE, manifest.studyInstanceUid, manifest.jobId, manifest.objects[0]!.sha256],
  ]);
}

describe('the router', () => {
  it('has the routes of the contract, and each has a row and a call', () => {
    const found = routesOfRouter();
    expect(found.length).toBeGreaterThan(20);
    for (const address of found) {
      const id = idByAddress.get(address);
      expect({ address, id, hasRow: hasRow(id ?? '') }).toEqual({
        ...{ address, id: expect.any(String), hasRow: true },
      });
      expect(CALLS[id as RouteId].length).toBeGreaterThan(0);
    }
    expect(new Set(found)).toEqual(new Set(idByAddress.keys()));
  });
  it.each([
    ...[
      'GET /api/v1/nothing',
      'GET /api/v1/jobs',
      'DELETE /api/v1/approvals',
      'PUT /api/v1/status',
    ],
    ...['GET /api/v2/status', 'POST /api/v1/status', 'TRACE /healthz', 'PATCH /auth/sign-out'],
  ])('answers nobody at %s', async (address) => {
    const [method, path] = address.split(' ') as [string, string];
    // The client refuses to send TRACE; OPTIONS is as little of this interface.
    const sent = method === 'TRACE' ? 'OPTIONS' : method;
    const response = await sut.call('central-operator.none', path, { method: sent });
    expect(response.status).toBe(404);
  });
});

describe.each([...ROLES])('%s', (role: Role) => {
  it.each(Object.keys(TABLES) as RouteId[])('at %s', async (id) => {
    const right = rightOf(id, role);
    const answers: Record<string, number> = {};
    const expected: Record<string, number> = {};
    for (const where of WHERE) {
      for (const [index, routeCall] of CALLS[id].entries()) {
        const response = await routeCall.send(sut, `${role}.${where}.calls`);
        const text = await textOf(response, routeCall);
        const key = `${where} ${index}`;
        const wanted = expectedOf(right, where, routeCall.kind);
        expected[key] = wanted === 200 ? (routeCall.success ?? 200) : wanted;
        answers[key] = response.status;
        if (response.status >= 400) expectProblem(response, text);
        if (where === 'other' && right === 'own') {
          expect(ownThings().filter((thing) => text.includes(thing))).toEqual([]);
        }
      }
    }
    expect(answers).toEqual(expected);
  });
});

describe('nobody', () => {
  it.each(Object.keys(TABLES) as RouteId[])('at %s', async (id) => {
    for (const routeCall of CALLS[id]) {
      const response = await routeCall.send(sut, undefined);
      const text = await textOf(response, routeCall);
      expect(response.status).toBe(isPublic(id) ? (routeCall.success ?? 200) : 401);
      if (!isPublic(id)) expectProblem(response, text);
    }
  });
});

describe('an unknown token', () => {
  it('is nobody, also where a role would be enough', async () => {
    for (const token of ['root.own', 'central-operator.everywhere', '', 'central-operator']) {
      expect((await sut.call(token, '/api/v1/status')).status).toBe(401);
    }
  });
});

describe('dangerous acts', () => {
  it.each<[RouteId, Role]>([
    ['requestApproval', 'central-operator'],
    ['decideApproval', 'central-operator'],
    ['studyInstances', 'central-operator'],
    ['instancePreview', 'central-operator'],
    ['stopProduct', 'central-operator'],
    ['resumeProduct', 'central-operator'],
    ['takeOverGateway', 'central-operator'],
    ['issueJoinToken', 'central-operator'],
    ['revokeCertificate', 'central-operator'],
    ['rotateAuthority', 'central-operator'],
    ['createBinding', 'central-operator'],
    ['endBinding', 'central-operator'],
    ['exportAudit', 'auditor'],
  ])('at %s need a fresh sign-in', async (id, role) => {
    for (const { send } of CALLS[id]) {
      const response = await send(sut, `stale.${role}.none`);
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({ code: 'STEP_UP_REQUIRED' });
      const challenge = response.headers.get('www-authenticate');
      expect(challenge).toContain('insufficient_user_authentication');
    }
  });
});

describe('the trail', () => {
  it.each(Object.keys(hubRoutes) as HubRouteId[])('has what succeeded at %s', async (id) => {
    const role: Role = id === 'exportAudit' ? 'auditor' : 'central-operator';
    const who = `${role}.none.counts-${id}`;
    const act = HUB_ROUTE_ACTS[id];
    if (act === 'pixels.read') await grantPixels(who);
    if (act === 'gateway.take-over') await grantTakeOver(who);
    if (act === 'binding.create') await grantBinding(sut, who, IDENTITY);
    for (const routeCall of CALLS[id]) {
      // What a call prepares as somebody else is not counted.
      const before = await recordsOf(who);
      const response = await routeCall.send(sut, who);
      await textOf(response, routeCall);
      const [last, ...rest] = await recordsOf(who);
      const added = (last ? rest.length + 1 : 0) - before.length;
      const { audited } = ruleOf(act);
      expect({ status: response.status, added }).toEqual({ status: 200, added: audited ? 1 : 0 });
      if (audited) expect(last).toMatchObject({ act, outcome: 'success', userId: who });
    }
  });
  it('has what was refused, once each, with who and why', async () => {
    const who = 'vendor.none.counted';
    const refused = ['/api/v1/status', '/api/v1/sites', `/api/v1/studies?siteId=${OTHER_SITE}`];
    for (const path of refused) expect((await sut.call(who, path)).status).toBe(403);
    const records = await recordsOf(who);
    expect(records).toHaveLength(refused.length);
    for (const record of records) {
      expect(record).toMatchObject({ outcome: 'refused', code: 'FORBIDDEN', role: null });
    }
  });
});

/** Records of one person, newest first. */
async function recordsOf(userId: string): Promise<AuditRecord[]> {
  const search = await sut.call('auditor.none', `/api/v1/audit?userId=${userId}&limit=50`);
  const { items } = (await search.json()) as { items: unknown[] };
  return items.map((item) => auditRecordSchema.parse(item));
}
/** What that person asks for, agreed by a second one. */
async function grantPixels(token: string): Promise<void> {
  const { id } = (await (await askFor(sut, token)).json()) as { id: string };
  const body = { decision: 'approve', reason: 'agreed by telephone' };
  const path = `/api/v1/approvals/${id}/decision`;
  expect((await sut.post('central-operator.none.agrees', path, body)).status).toBe(200);
}

/** The take-over of the calls, asked for by that person and agreed by a second one. */
async function grantTakeOver(token: string): Promise<void> {
  const asked = await sut.post(token, '/api/v1/approvals', {
    ...{ act: 'gateway.take-over', siteId: OTHER_SITE, reason: 'the box has burnt down' },
    objectId: takeOverObjectId(7, 8),
  });
  const { id } = (await asked.json()) as { id: string };
  const body = { decision: 'approve', reason: 'agreed by telephone' };
  const path = `/api/v1/approvals/${id}/decision`;
  expect((await sut.post('central-operator.none.agrees', path, body)).status).toBe(200);
}

function expectProblem(response: Response, text: string): void {
  expect(response.headers.get('content-type')).toContain('application/problem+json');
  problemSchema.parse(JSON.parse(text));
}
