/**
 * Goal: every route of the gateway answers every role as security specification 5 says, for people
 * of this hospital, of another one and of none; nothing else answers at all (T-AUTHZ).
 * Method: the real interface over loopback; the routes as its router has them, called by every
 * role, and compared with a table written by hand (test/access-rows.table.ts).
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ROLES, ruleOf, GATEWAY_ROUTE_ACTS, type Role } from '@aifi/access-authorisation';
import {
  auditRecordSchema,
  gatewayRoutes,
  problemSchema,
  signInRoutes,
} from '@aifi/contracts-rest';
import { CALLS, type RouteCall } from '../test/access-calls.js';
import {
  expectedOf,
  hasRow,
  isPublic,
  rightOf,
  type RouteId,
  type Where,
} from '../test/access-rows.table.js';
import { PATIENT, partsOf, PlantedGateway } from '../test/planted-gateway.js';

const sut = new PlantedGateway();
beforeAll(() => sut.start());
afterAll(async () => {
  process.stdout.write(`access matrix of the gateway: ${sut.calls} calls\n`);
  await sut.stop();
});

const WHERE: readonly Where[] = ['own', 'other', 'none'];
const TABLES = { ...gatewayRoutes, ...signInRoutes };

/** Routes of the running application, as `METHOD path`. */
function routesOfRouter(): string[] {
  const { router } = sut.http.app.getHttpAdapter().getInstance() as unknown as {
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
function expectProblem(response: Response, text: string): void {
  expect(response.headers.get('content-type')).toContain('application/problem+json');
  problemSchema.parse(JSON.parse(text));
}
/** What must never be in an answer to somebody of another hospital. */
const OWN_THINGS = [...partsOf(PATIENT), PATIENT.studyUid, PATIENT.jobId];

describe('the router', () => {
  it('has the routes of the contract, and each has a row and a call', () => {
    const found = routesOfRouter();
    expect(found.length).toBeGreaterThan(25);
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
    ...['GET /api/v1/nothing', 'GET /api/v1/jobs', 'DELETE /api/v1/approvals'],
    ...['PUT /api/v1/status', 'GET /api/v2/status', 'POST /api/v1/status', 'PATCH /auth/sign-out'],
    ...[`POST /api/v1/studies/${PATIENT.studyUid}`, 'OPTIONS /healthz', 'GET /'],
  ])('answers nobody at %s', async (address) => {
    const [method, path] = address.split(' ') as [string, string];
    const response = await sut.call('hospital-it.own', path, { method });
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
        const wanted = expectedOf(right, role, where);
        expected[key] = wanted === 200 ? (routeCall.success ?? 200) : wanted;
        answers[key] = response.status;
        if (response.status >= 400) expectProblem(response, text);
        const isOurs = right === 'all' || right === 'any' || right === 'public';
        if (where === 'other' && !isOurs) {
          expect(OWN_THINGS.filter((thing) => text.includes(thing))).toEqual([]);
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
    for (const token of ['root.own', 'hospital-it.everywhere', '', 'hospital-it']) {
      expect((await sut.call(token, '/api/v1/status')).status).toBe(401);
    }
  });
});

describe('dangerous acts', () => {
  it.each<[RouteId, Role]>([
    ['requestApproval', 'hospital-it'],
    ['decideApproval', 'hospital-it'],
    ['reidentify', 'hospital-it'],
    ['joinLink', 'hospital-it'],
    ['applySetup', 'hospital-it'],
    ['undoSetup', 'hospital-it'],
    ['releasePixelHold', 'hospital-it'],
    ['erasePatient', 'privacy-officer'],
    ['exportAudit', 'privacy-officer'],
    ['patientExtract', 'privacy-officer'],
  ])('at %s need a fresh sign-in', async (id, role) => {
    for (const { send } of CALLS[id]) {
      const response = await send(sut, `stale.${role}.own`);
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({ code: 'STEP_UP_REQUIRED' });
      const challenge = response.headers.get('www-authenticate');
      expect(challenge).toContain('insufficient_user_authentication');
    }
  });
});

/**
 * A grant or a look comes first, which is a record too: privacy.integration.spec.ts,
 * register.integration.spec.ts, pixel-holds.integration.spec.ts.
 */
const COUNTED_ELSEWHERE: readonly string[] = [
  ...['reidentify', 'erasePatient', 'pixelHoldPreview', 'releasePixelHold'],
];

describe('the trail', () => {
  it('has one record for each success of an audited act, and none for the others', async () => {
    const roles: Partial<Record<keyof typeof gatewayRoutes, Role>> = {
      ...{ exportAudit: 'privacy-officer', patientExtract: 'privacy-officer' },
      ...{ patientFlags: 'privacy-officer', setPatientFlag: 'privacy-officer' },
      ...{ removePatientFlag: 'privacy-officer', alerts: 'privacy-officer' },
      acknowledgeAlert: 'privacy-officer',
    };
    for (const id of Object.keys(gatewayRoutes) as (keyof typeof gatewayRoutes)[]) {
      if (COUNTED_ELSEWHERE.includes(id)) continue;
      const [routeCall] = CALLS[id];
      const token = `${roles[id] ?? 'hospital-it'}.own.counts`;
      // What a call prepares as somebody else is not counted.
      const query = `/api/v1/audit?userId=${token}&limit=200`;
      const before = await sut.access.trail.search({ limit: 200, userId: token });
      const response = await routeCall!.send(sut, token);
      await textOf(response, routeCall!);
      expect([id, response.status]).toEqual([id, 200]);
      const { items } = await sut.access.trail.search({ limit: 200, userId: token });
      const { audited } = ruleOf(GATEWAY_ROUTE_ACTS[id]);
      expect([id, query, items.length - before.items.length]).toEqual([id, query, audited ? 1 : 0]);
      if (audited) expect(items[0]).toMatchObject({ act: GATEWAY_ROUTE_ACTS[id] });
    }
  });
  it('has what was refused, once each, with who and why', async () => {
    const who = 'vendor.none.counted';
    const refused = ['/api/v1/status', '/api/v1/studies', '/api/v1/alerts'];
    for (const path of refused) expect((await sut.call(who, path)).status).toBe(403);
    const search = await sut.call('auditor.none', `/api/v1/audit?userId=${who}`);
    const { items } = (await search.json()) as { items: unknown[] };
    const records = items.map((item) => auditRecordSchema.parse(item));
    expect(records).toHaveLength(refused.length);
    for (const record of records) {
      expect(record).toMatchObject({ outcome: 'refused', code: 'FORBIDDEN', role: null });
    }
  });
});
