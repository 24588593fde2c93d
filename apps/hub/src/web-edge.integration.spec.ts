/**
 * Goal: what reaches the hub over HTTP is bounded and exactly what the contract says, and every
 * answer carries the headers of security specification 7 (V2 to V4; OWASP API 2023: 1, 3, 4).
 * Method: a whole hub; hostile requests of people who may do the act, so that the refusal is of the
 * request; the headers of every route against the list.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connect } from 'node:net';
import { hubRoutes, signInRoutes } from '@aifi/contracts-rest';
import { CALLS, REASON } from '../test/access-calls.js';
import type { RouteId } from '../test/access-rows.js';
import { OTHER_SITE, OWN_SITE } from '../test/role-sign-in.js';
import { SeededHub } from '../test/seeded-hub.js';

const sut = new SeededHub();
beforeAll(() => sut.start(), 180_000);
afterAll(() => sut.stop(), 60_000);

const OPERATOR = 'central-operator.none.edge';
const AUDITOR = 'auditor.none.edge';
const status = async (path: string, token = OPERATOR): Promise<number> => {
  const response = await sut.call(token, path);
  await response.arrayBuffer();
  return response.status;
};
const asked = (change: object = {}): Record<string, unknown> => ({
  ...{ act: 'pixels.read', siteId: OWN_SITE, reason: REASON },
  objectId: sut.seeds.concluded.manifest.studyInstanceUid,
  ...change,
});
async function approvalsCount(): Promise<number> {
  const response = await sut.call(OPERATOR, '/api/v1/approvals?limit=200');
  return ((await response.json()) as { items: unknown[] }).items.length;
}

describe('headers', () => {
  const EXPECTED = {
    'content-security-policy':
      "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': expect.stringMatching(/^(\w[\w-]*=\(\)(, )?){20,}$/),
    'cache-control': 'no-store',
    // Not encrypted here, so nothing to insist on; see the configuration for TLS.
    'strict-transport-security': null,
    ...{ server: null, 'x-powered-by': null, etag: null },
    'access-control-allow-origin': null,
  };
  const headersOf = ({ headers }: Response): Record<string, unknown> =>
    Object.fromEntries(Object.keys(EXPECTED).map((name) => [name, headers.get(name)]));

  it.each(Object.keys({ ...hubRoutes, ...signInRoutes }) as RouteId[])(
    'of %s are the same for an answer, a refusal and a stranger',
    async (id) => {
      for (const token of [OPERATOR, AUDITOR, 'vendor.none', undefined]) {
        const [routeCall] = CALLS[id];
        const response = await routeCall!.send(sut, token);
        await response.body?.cancel();
        expect(headersOf(response)).toEqual(EXPECTED);
      }
    },
  );
  it('of an unknown address and of a page that was not built are the same too', async () => {
    for (const path of ['/api/v1/nothing', '/', '/studies', '/assets/x.js']) {
      const response = await sut.call(undefined, path);
      expect([404, 503]).toContain(response.status);
      expect(headersOf(response)).toEqual(EXPECTED);
      expect(response.headers.get('content-type')).toContain('application/problem+json');
    }
  });
});

describe('lists', () => {
  const LISTS = ['/api/v1/studies', '/api/v1/approvals', '/api/v1/audit'];
  it.each(LISTS)('of %s have pages of 1 to 200 lines', async (path) => {
    for (const limit of ['1000000000', '201', '0', '-1', '1.5', 'x', '', '1e3', '9'.repeat(400)]) {
      expect({ limit, status: await status(`${path}?limit=${limit}`) }).toEqual({
        ...{ limit, status: 400 },
      });
    }
    expect(await status(`${path}?limit=200`)).toBe(200);
  });
  it.each(LISTS)('of %s refuse a cursor that is none', async (path) => {
    const encoded = (value: unknown): string =>
      Buffer.from(JSON.stringify(value)).toString('base64url');
    const broken = [
      ...['x', '!!', 'null', 'e30', '%00', '%F0%9F%92%A9', 'a'.repeat(513), "' OR 1=1 --"],
      ...[encoded([]), encoded({}), encoded([-1, '', '']), encoded(['1', 'a', 'b', 'c'])],
      encoded([1, { toString: 'x' }, []]),
    ];
    for (const cursor of broken) {
      const encodedCursor = cursor.startsWith('%') ? cursor : encodeURIComponent(cursor);
      expect({ cursor, status: await status(`${path}?cursor=${encodedCursor}`) }).toEqual({
        ...{ cursor, status: 400 },
      });
    }
  });
  it('go on where the page before ended, to the end, each line once', async () => {
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query = cursor === '' ? '' : `&cursor=${cursor}`;
      const response = await sut.call(OPERATOR, `/api/v1/studies?limit=1${query}`);
      const page = hubRoutes.listStudies.response.parse(await response.json());
      expect(page.items.length).toBeLessThanOrEqual(1);
      seen.push(...page.items.map((item) => item.jobId));
      cursor = page.nextCursor;
    }
    const { concluded, open, others } = sut.seeds;
    const jobs = [others, open, concluded].map(({ manifest }) => manifest.jobId);
    expect(seen.toSorted()).toEqual(jobs.toSorted());
  });
  it('give a cursor of everybody no more than the own site', async () => {
    const first = await sut.call(OPERATOR, '/api/v1/studies?limit=1');
    const { nextCursor } = hubRoutes.listStudies.response.parse(await first.json());
    const own = await sut.call('radiologist.other', `/api/v1/studies?cursor=${nextCursor}`);
    const { items } = hubRoutes.listStudies.response.parse(await own.json());
    expect(items.every(({ siteId }) => siteId === OTHER_SITE)).toBe(true);
  });
});

describe('a query', () => {
  it.each([
    ...['/api/v1/studies?site=site-a', '/api/v1/studies?siteId=site-a&siteId=site-b'],
    ...['/api/v1/studies?siteId[]=site-a', '/api/v1/studies?state=concluded'],
    ...['/api/v1/studies?siteId=Site-A', '/api/v1/studies?siteId=../site-a'],
    ...['/api/v1/studies?studyPseudonym=1.2.x', '/api/v1/studies?__proto__[x]=1'],
    ...['/api/v1/studies?constructor=1', '/api/v1/audit?fromMs=-1', '/api/v1/audit?admin=true'],
    ...['/api/v1/audit?outcome=any', '/api/v1/approvals?state=ANY', '/auth/sign-in?next=/'],
    ...['/auth/sign-in?returnTo=//evil.example', '/auth/sign-in?returnTo=https://evil.example'],
    ...['/auth/sign-in?returnTo=/%5Cevil.example', '/auth/sign-in?returnTo=javascript:alert(1)'],
  ])('that is not of the contract is refused: %s', async (path) => {
    expect(await status(path)).toBe(400);
  });
  it('of an unknown format of export is refused', async () => {
    expect(await status('/api/v1/audit/export?format=xlsx', AUDITOR)).toBe(400);
  });
});

describe("another tenant's ids", () => {
  const paths = (): string[] => {
    const { studyInstanceUid, jobId } = sut.seeds.concluded.manifest;
    return [
      `/api/v1/sites/${OWN_SITE}/studies/${studyInstanceUid}`,
      `/api/v1/sites/${OTHER_SITE}/studies/${studyInstanceUid}`,
      `/api/v1/jobs/${jobId}`,
      `/api/v1/sites/${OWN_SITE}/activity`,
      `/api/v1/studies?siteId=${OWN_SITE}`,
    ];
  };
  it('are as unknown as ids that nobody has', async () => {
    const nobodys = [
      '/api/v1/jobs/x',
      '/api/v1/sites/site-x/activity',
      '/api/v1/sites/x/studies/1',
    ];
    const bodies = new Set<string>();
    for (const path of [...paths(), ...nobodys]) {
      const response = await sut.call('hospital-it.other', path);
      expect({ path, status: response.status }).toEqual({ path, status: 404 });
      const { code, status: of, type } = (await response.json()) as Record<string, unknown>;
      bodies.add(JSON.stringify({ code, of, type }));
    }
    expect(bodies.size).toBe(1);
  });
  it('are not even counted', async () => {
    const jobsOf = async (token: string): Promise<number> => {
      const { jobs } = hubRoutes.status.response.parse(
        await (await sut.call(token, '/api/v1/status')).json(),
      );
      return Object.values(jobs).reduce((sum, count) => sum + count, 0);
    };
    await expect(jobsOf('hospital-it.own')).resolves.toBe(2);
    await expect(jobsOf('hospital-it.other')).resolves.toBe(1);
    await expect(jobsOf(OPERATOR)).resolves.toBe(3);
  });
  it('cannot be taken over by a request in their name', async () => {
    for (const token of ['raio.other', 'hospital-it.other', 'clinical-physicist.other']) {
      const response = await sut.post(token, '/api/v1/approvals', asked());
      expect([403, 404]).toContain(response.status);
    }
  });
});

describe('a body', () => {
  const send = (body: string, headers: Record<string, string> = {}): Promise<Response> =>
    sut.call(OPERATOR, '/api/v1/approvals', {
      method: 'POST',
      headers: {
        ...{ 'content-type': 'application/json', 'idempotency-key': 'key-of-the-edge' },
        ...headers,
      },
      body,
    });
  const text = (change: object = {}): string => JSON.stringify(asked(change));

  it.each<[string, () => Promise<Response>, number]>([
    ['of more than 256 KiB', () => send(text({ reason: 'x'.repeat(257 * 1024) })), 413],
    ['of another type', () => send(text(), { 'content-type': 'text/plain' }), 415],
    [
      'of a form',
      () => send('act=1', { 'content-type': 'application/x-www-form-urlencoded' }),
      415,
    ],
    ['without a type', () => send(text(), { 'content-type': '' }), 415],
    [
      'of another character set',
      () => send(text(), { 'content-type': 'application/json; charset=iso-8859-1' }),
      415,
    ],
    ['that is compressed by a liar', () => send(text(), { 'content-encoding': 'gzip' }), 400],
    ['that is no JSON', () => send('{"act":'), 400],
    ['that is a list', () => send('[]'), 400],
    ['that nests for ever', () => send('['.repeat(100_000)), 400],
    ['with a state of its own', () => send(text({ state: 'APPROVED' })), 400],
    ['with a decider of its own', () => send(text({ decidedBy: { id: 'me', name: 'Me' } })), 400],
    [
      'with an id of its own',
      () => send(text({ id: '5b0c7a52-9f0c-4c3e-8a54-0a3f1d1f9a11' })),
      400,
    ],
    ['with an end of its own', () => send(text({ grantedUntilMs: 9e15 })), 400],
    ['without a reason', () => send(text({ reason: '   ' })), 400],
    ['for an act that needs nobody', () => send(text({ act: 'health.read' })), 400],
    ['for an act of the gateway', () => send(text({ act: 'linkage.read' })), 400],
    ['with a prototype', () => send(text().replace('{', '{"__proto__":{"siteId":"site-b"},')), 400],
    ['with a constructor', () => send(text({ constructor: { prototype: { role: 'x' } } })), 400],
    ['without a key', () => send(text(), { 'idempotency-key': '' }), 400],
    ['with a key that is too long', () => send(text(), { 'idempotency-key': 'k'.repeat(65) }), 400],
  ])('%s is refused and changes nothing', async (_name, sendIt, wanted) => {
    const before = await approvalsCount();
    const response = await sendIt();
    expect(response.status).toBe(wanted);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(({} as Record<string, unknown>)['siteId']).toBeUndefined();
    expect(await approvalsCount()).toBe(before);
  });
  it('of a site that nobody enrolled makes no request', async () => {
    const before = await approvalsCount();
    const response = await sut.post(OPERATOR, '/api/v1/approvals', asked({ siteId: 'site-x' }));
    expect(response.status).toBe(404);
    expect(await approvalsCount()).toBe(before);
  });
});

describe('a request', () => {
  /** The first line of the answer to raw bytes. */
  const raw = (bytes: string): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect(sut.hub.httpPort, '127.0.0.1', () => socket.write(bytes));
      let heard = '';
      socket.on('data', (data) => (heard += data.toString('latin1')));
      socket.on('close', () => resolve(heard.split('\r\n', 1)[0]!));
      // A sender of too much is cut, with or without the answer having arrived.
      socket.on('error', () => socket.destroy());
      socket.setTimeout(5_000, () => socket.destroy());
    });
  it.each([
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n', '\r\nhello'],
    ['length and chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '\r\n0\r\n\r\n'],
    ['a folded header', 'X-A: 1\r\n : 2\r\n', '\r\n'],
    ['headers of 20 KiB', `X-A: ${'a'.repeat(20_480)}\r\n`, '\r\n'],
    ['a NUL in a header', 'X-A: a\0b\r\n', '\r\n'],
  ])('with %s is refused', async (_name, headers, end) => {
    const line = await raw(`POST /api/v1/approvals HTTP/1.1\r\nHost: hub\r\n${headers}${end}`);
    expect(line).toMatch(/^HTTP\/1.1 4\d\d /);
  });
  it.each([
    '/api/v1/jobs/%ff',
    '/api/v1/jobs/%',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/api/v1/jobs/..%2f',
  ])('with a broken address is refused: %s', async (path) => {
    const line = await raw(`GET ${path} HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n`);
    expect(line).toMatch(/^HTTP\/1.1 (4\d\d|503) /);
  });
});

describe('an export', () => {
  it.each([
    ['ndjson', 'application/x-ndjson'],
    ['fhir', 'application/fhir+ndjson'],
    ['dicom', 'text/plain'],
    ['csv', 'text/csv'],
  ])('as %s is a file, and one record', async (format, type) => {
    const who = `auditor.none.${format}`;
    const response = await sut.call(who, `/api/v1/audit/export?format=${format}`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain(type);
    expect(response.headers.get('content-disposition')).toMatch(/^attachment; filename="audit-/);
    expect((await response.text()).split('\n').length).toBeGreaterThan(5);
    const search = await sut.call(AUDITOR, `/api/v1/audit?userId=${who}`);
    const { items } = (await search.json()) as { items: object[] };
    expect(items).toEqual([
      expect.objectContaining({ act: 'audit.export', outcome: 'success', objectId: 'all' }),
    ]);
  });
  it('that nobody reads keeps no place from others for ever, and a third must wait', async () => {
    const path = '/api/v1/audit/export';
    const answers = await Promise.all(
      Array.from({ length: 6 }, () =>
        sut.call(AUDITOR, path).then(async (r) => [r.status, await r.text()]),
      ),
    );
    expect(answers.some(([of]) => of === 200)).toBe(true);
    expect(answers.every(([of]) => of === 200 || of === 413)).toBe(true);
    expect(await status(path, AUDITOR)).toBe(200);
  });
});

describe('metrics', () => {
  it('count refusals by code, and sessions, and name nobody', async () => {
    await sut.call('vendor.none', '/api/v1/status');
    const text = await (await sut.call(undefined, '/metrics')).text();
    expect(text).toMatch(/aifi_access_refused_total\{code="FORBIDDEN",app="hub"\} [1-9]/);
    expect(text).toMatch(/aifi_sessions_count\{app="hub"\} 0/);
    expect(text).not.toMatch(/vendor|site-a/);
  });
});
