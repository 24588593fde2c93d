/**
 * Goal: nothing reaches a handler without a decision, and every audited act leaves one record.
 * Method: a small Nest application on loopback with four routes, a sign-in that knows three bearer
 * names and one session cookie, and stores in memory; real HTTP.
 */
import { Controller, Get } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import {
  HUB_ROUTE_ACTS,
  type Act,
  type PersonPrincipal,
  type Role,
} from '@aifi/access-authorisation';
import type { Approval, ApprovalStore } from '@aifi/access-approvals';
import type { SessionRecord, SignedIn, SignIn } from '@aifi/access-sign-in';
import { hubRoutes, type AuditDraft } from '@aifi/contracts-rest';
import { AifiError } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { FakeClock } from '@aifi/shared-testing';
import type { ActStore, Caller } from './caller.js';
import { ChangeBell } from './change-bell.js';
import { hardenApp } from './harden-app.js';
import { By, Input, routesOf } from './route-decorator.js';
import { WebAccessModule } from './web-access.module.js';
import type { WebAccessOptions } from './web-access-options.js';

const Hub = routesOf(hubRoutes, HUB_ROUTE_ACTS);

@Controller()
class SmallController {
  @Hub('health')
  health(): { status: string; secret: string } {
    return { status: 'ok', secret: 'not in the contract' };
  }
  @Hub('study')
  study(@By() caller: Caller, @Input() input: { params: { studyPseudonym: string } }): object {
    caller.about({ objectType: 'study', objectId: input.params.studyPseudonym, siteId: 'site-a' });
    return { studyPseudonym: input.params.studyPseudonym, jobs: [] };
  }
  @Hub('sites')
  sites(@By() caller: Caller): object {
    caller.requireSite('site-a');
    return { sites: [] };
  }
  @Hub('listStudies')
  list(): object {
    throw new Error('Jansen^Piet does not parse');
  }
  @Get('api/v1/forgotten')
  forgotten(): string {
    return 'a route that is in no table';
  }
}

const clock = new FakeClock(1_000_000);
const records: AuditDraft[] = [];
const rows = new Map<string, Approval>();
const answers = new Map<string, unknown>();

const person = (userId: string, roles: Role[], siteIds: string[] = []): PersonPrincipal => ({
  ...{ kind: 'person', userId, userName: userId, roles, siteIds },
  steppedUpAtMs: clock.nowMs(),
});
const PEOPLE: Record<string, () => PersonPrincipal> = {
  anne: () => person('anne', ['central-operator']),
  ben: () => person('ben', ['central-operator']),
  carla: () => person('carla', ['hospital-it'], ['site-b']),
  dirk: () => ({ ...person('dirk', ['central-operator']), steppedUpAtMs: null }),
};
const signIn = {
  authenticate: async ({ authorization, cookie }) => {
    const name = authorization?.replace('Bearer ', '') ?? cookie?.replace('session=', '');
    if (name === undefined) return undefined;
    if (!PEOPLE[name]) throw new AifiError('UNAUTHENTICATED', 'the session has ended');
    const signedIn: SignedIn = { principal: PEOPLE[name]() };
    const record = { csrfToken: 'token-of-the-page' } as SessionRecord;
    return cookie ? { ...signedIn, session: { record, expiresAtMs: 2 } } : signedIn;
  },
} as SignIn;
const acts: ActStore<null> = {
  perform: async (caller, _request, work) => {
    const key = `${caller.userId} ${caller.act} ${caller.idempotencyKey}`;
    if (answers.has(key)) {
      caller.repeated();
      return answers.get(key) as never;
    }
    const { answer, subject } = await work(null);
    records.push(caller.draft(subject));
    answers.set(key, answer);
    return answer;
  },
};
const approvals: ApprovalStore<null> = {
  insert: async (_tx, row) => void rows.set(row.id, row),
  find: async (_tx, id) => rows.get(id),
  update: async (_tx, row) => void rows.set(row.id, row),
  list: async () => ({ items: [...rows.values()], nextCursor: null }),
  findGrant: async () => undefined,
};
const options: WebAccessOptions<null> = {
  ...{ server: 'hub', homeSite: '*', purpose: 'demonstration' },
  ...{ publicUrl: 'http://localhost:1', issuer: 'http://localhost:2' },
  ...{ clock, logger: silentLogger, signIn, acts, approvals, changes: new ChangeBell() },
  audit: { append: async (draft) => void records.push(draft) },
  ...{ routes: hubRoutes, routeActs: HUB_ROUTE_ACTS as Record<string, Act> },
};

let app: NestExpressApplication;
let origin: string;
beforeAll(async () => {
  const module = { ...WebAccessModule.with(options), controllers: [SmallController] };
  const access = WebAccessModule.with(options);
  module.controllers = [...(access.controllers as never[]), SmallController as never];
  app = await NestFactory.create<NestExpressApplication>(module, {
    ...{ logger: false, bodyParser: false },
  });
  hardenApp(app, options as WebAccessOptions);
  const server = (await app.listen(0, '127.0.0.1')) as Server;
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => app.close());
beforeEach(() => {
  records.length = 0;
  rows.clear();
  answers.clear();
});

const as = (name: string): Record<string, string> => ({ authorization: `Bearer ${name}` });
const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${origin}${path}`, { headers });
function post(path: string, body: unknown, headers: Record<string, string>): Promise<Response> {
  const type = { 'content-type': 'application/json' };
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return fetch(`${origin}${path}`, {
    method: 'POST',
    headers: { ...type, ...headers },
    body: text,
  });
}
const KEY = { 'idempotency-key': 'key-0001' };
const STUDY = '/api/v1/sites/site-a/studies/2.25.77';
const ASK = {
  ...{ act: 'pixels.read', siteId: 'site-a', objectId: '2.25.77' },
  reason: 'the vendor reports a failure',
};

describe('the guard', () => {
  it('answers a public route to anyone, with the fields of its contract only', async () => {
    expect(await (await get('/healthz')).json()).toEqual({ status: 'ok' });
  });
  it('refuses a handler that is in no table', async () => {
    expect((await get('/api/v1/forgotten', as('anne'))).status).toBe(404);
  });
  it('asks the anonymous to sign in, says where, and records nothing', async () => {
    const response = await get(STUDY);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe(
      'Bearer resource_metadata="http://localhost:1/.well-known/oauth-protected-resource"',
    );
    expect(records).toEqual([]);
  });
  it('hides what is of another site, and records who asked', async () => {
    expect((await get(STUDY, as('carla'))).status).toBe(404);
    expect(records).toMatchObject([{ userId: 'carla', outcome: 'refused', code: 'NOT_FOUND' }]);
  });
  it('refuses what no role allows, and records it', async () => {
    expect((await get('/api/v1/audit/export', as('anne'))).status).toBe(404);
    const response = await post('/api/v1/approvals', ASK, { ...as('carla'), ...KEY });
    expect(response.status).toBe(403);
    expect(records.at(-1)).toMatchObject({ act: 'approval.request', code: 'FORBIDDEN' });
  });
  it('asks for a fresh sign-in before a dangerous act', async () => {
    const response = await post('/api/v1/approvals', ASK, { ...as('dirk'), ...KEY });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ code: 'STEP_UP_REQUIRED' });
  });
  it('refuses a POST of a session without the token of the page', async () => {
    const session = { cookie: 'session=anne', ...KEY };
    expect((await post('/api/v1/approvals', ASK, session)).status).toBe(403);
    const forged = { ...session, 'x-csrf-token': 'token-of-the-pagf' };
    expect((await post('/api/v1/approvals', ASK, forged)).status).toBe(403);
    const own = { ...session, 'x-csrf-token': 'token-of-the-page' };
    expect((await post('/api/v1/approvals', ASK, own)).status).toBe(200);
  });
  it.each([
    ['a missing idempotency key', ASK, {}, 400],
    ['an unknown field', { ...ASK, state: 'APPROVED' }, KEY, 400],
    ['a body that is no JSON', '{', KEY, 400],
    ['a body that is too large', `{"act":"${'x'.repeat(300_000)}"}`, KEY, 413],
    ['another content type', ASK, { ...KEY, 'content-type': 'text/plain' }, 415],
    ['deep nesting', `${'['.repeat(100_000)}`, KEY, 400],
  ])('refuses %s', async (_name, body, headers, status) => {
    const response = await post('/api/v1/approvals', body, { ...as('anne'), ...headers });
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(rows.size).toBe(0);
  });
});

describe('records', () => {
  it('are one for a read, with what it was about', async () => {
    expect((await get(STUDY, as('anne'))).status).toBe(200);
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({
      ...{ act: 'study.read', action: 'R', outcome: 'success', role: 'central-operator' },
      ...{ objectId: '2.25.77', siteId: 'site-a', userId: 'anne', userKind: 'person' },
    });
  });
  it('are one for a refusal by the handler, also of an act that leaves none otherwise', async () => {
    expect((await get('/api/v1/sites', as('anne'))).status).toBe(200);
    expect(records).toEqual([]);
    expect((await get('/api/v1/sites', as('carla'))).status).toBe(404);
    expect(records).toMatchObject([{ act: 'health.read', outcome: 'refused', code: 'NOT_FOUND' }]);
  });
  it('say that an act failed, while the answer says nothing of why', async () => {
    const response = await get('/api/v1/studies', as('anne'));
    expect(response.status).toBe(500);
    expect(await response.text()).not.toMatch(/Jansen|parse/);
    expect(records).toMatchObject([{ act: 'study-list.read', outcome: 'failed' }]);
  });
  it('are one for a change that is sent twice with its key', async () => {
    const send = (): Promise<Response> => post('/api/v1/approvals', ASK, { ...as('anne'), ...KEY });
    const [first, second] = [await (await send()).json(), await (await send()).json()];
    expect(second).toEqual(first);
    expect(records).toHaveLength(1);
    expect(rows.size).toBe(1);
  });
});

describe('two persons', () => {
  async function asked(): Promise<string> {
    const response = await post('/api/v1/approvals', ASK, { ...as('anne'), ...KEY });
    return ((await response.json()) as { id: string }).id;
  }
  const decideAs = (name: string, id: string): Promise<Response> =>
    post(
      `/api/v1/approvals/${id}/decision`,
      { decision: 'approve', reason: 'agreed by telephone' },
      { ...as(name), ...KEY },
    );

  it('are two: nobody agrees to the own request', async () => {
    const id = await asked();
    expect((await decideAs('anne', id)).status).toBe(403);
    expect(rows.get(id)?.state).toBe('REQUESTED');
  });
  it('give a grant that names the second person', async () => {
    const id = await asked();
    const response = await decideAs('ben', id);
    expect(await response.json()).toMatchObject({ state: 'APPROVED', decidedBy: { id: 'ben' } });
    expect(records.at(-1)).toMatchObject({ userId: 'ben', responsibleUserId: 'anne' });
  });
  it('do not exist for a request of another site', async () => {
    const id = await asked();
    expect((await decideAs('carla', id)).status).toBe(404);
  });
});

it('headers forbid everything that a page does not need', async () => {
  const { headers } = await get('/healthz');
  expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(headers.get('x-powered-by')).toBeNull();
  expect(headers.get('cache-control')).toBe('no-store');
});
it('the interface describes every route with its act', async () => {
  const document = (await (await get('/api/v1/openapi.json')).json()) as {
    paths: Record<string, Record<string, { 'x-aifi-act': string }>>;
  };
  const described = Object.values(document.paths).flatMap((path) => Object.values(path));
  expect(described).toHaveLength(Object.keys(hubRoutes).length);
  expect(described.every((operation) => operation['x-aifi-act'] !== '')).toBe(true);
});
