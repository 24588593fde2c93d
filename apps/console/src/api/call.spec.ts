/**
 * Goal: the client asks what the contracts say, repeats only what is safe, and trusts no answer.
 * Method: a fake network that answers from a list and keeps what it was asked.
 */
import { describe, expect, it } from '@jest/globals';
import { accessRoutes, gatewayRoutes, hubRoutes, type Problem } from '@aifi/contracts-rest';
import { addressOf, createCall, type Call } from './call.js';
import { ProblemError, problemOf, problemWords } from './problem-error.js';
import { WORDS } from '../words/words.js';

const APPROVAL = '8a1f0f0e-6f2c-4c58-8a55-2f8f1c7b1d10';
const INSTANCE = `urn:uuid:${APPROVAL}`;
const LOST = new TypeError('fetch failed');

class FakeNetwork {
  readonly asked: { address: string; init: RequestInit }[] = [];
  readonly slept: number[] = [];
  readonly call: Call;
  #keys = 0;

  constructor(...answers: (Response | Error)[]) {
    this.call = createCall({
      fetch: (address, init) => {
        this.asked.push({ address, init });
        const answer = answers.shift();
        if (!answer) throw new Error('asked more often than expected');
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
      },
      csrfToken: () => 'the-token',
      newKey: () => `key-${(this.#keys += 1)}`,
      sleep: async (ms) => void this.slept.push(ms),
    });
  }
  header(index: number, name: string): string | undefined {
    return (this.asked[index]?.init.headers as Record<string, string>)[name];
  }
}
const json = (body: unknown, status = 200): Response => Response.json(body, { status });
const problem = (status: number, code?: string): Response => {
  const body: Problem = { type: 'about:blank', title: 'no', status, instance: INSTANCE };
  return json(code === undefined ? body : { ...body, code }, status);
};
const page = { items: [], nextCursor: null };

describe(addressOf.name, () => {
  it('fills in parameters, escaped, and leaves out what is not asked', () => {
    const { path } = hubRoutes.study;
    const params = { siteId: 'noord', studyPseudonym: '../1' };
    expect(addressOf(path, { params })).toBe('/api/v1/sites/noord/studies/..%2F1');
    const query = { limit: 50, state: undefined, siteId: '', cursor: 'a&b' };
    expect(addressOf('/x', { query })).toBe('/x?limit=50&cursor=a%26b');
  });
  it('refuses an address that lacks a parameter', () => {
    expect(() => addressOf('/a/:id', {})).toThrow('the address needs id');
  });
});

describe(createCall.name, () => {
  it('asks a list with its query and answers what the contract says', async () => {
    const sut = new FakeNetwork(json(page));
    const query = { siteId: 'noord', state: 'QUEUED', limit: 50 } as const;
    expect(await sut.call(hubRoutes.listStudies, { query })).toEqual(page);
    expect(sut.asked[0]?.address).toBe('/api/v1/studies?siteId=noord&state=QUEUED&limit=50');
    expect(sut.asked[0]?.init).toMatchObject({ method: 'GET', credentials: 'same-origin' });
  });
  it('gives a read neither token nor key', async () => {
    const sut = new FakeNetwork(json(page));
    await sut.call(accessRoutes.listApprovals, {});
    expect(sut.header(0, 'x-csrf-token')).toBeUndefined();
    expect(sut.header(0, 'idempotency-key')).toBeUndefined();
  });
  it('sends a change with token and key, and the same key when it is repeated', async () => {
    const sut = new FakeNetwork(LOST, problem(503, 'PEER_UNAVAILABLE'), problem(403, 'FORBIDDEN'));
    const body = { decision: 'approve', reason: 'long enough a reason' } as const;
    const input = { params: { approvalId: APPROVAL }, body };
    await expect(sut.call(accessRoutes.decideApproval, input)).rejects.toMatchObject({
      ...{ code: 'FORBIDDEN', instance: INSTANCE },
    });
    expect(sut.asked).toHaveLength(3);
    expect([0, 1, 2].map((index) => sut.header(index, 'idempotency-key'))).toEqual([
      ...['key-1', 'key-1', 'key-1'],
    ]);
    expect(sut.header(2, 'x-csrf-token')).toBe('the-token');
    expect(sut.asked[2]?.init.body).toBe(JSON.stringify(body));
    expect(sut.slept).toHaveLength(2);
  });
  it('takes a key that the caller keeps', async () => {
    const sut = new FakeNetwork(problem(409, 'STATE_CONFLICT'));
    const input = { params: { alertId: APPROVAL }, body: {} };
    const call = sut.call(gatewayRoutes.acknowledgeAlert, input, { idempotencyKey: 'kept' });
    await expect(call).rejects.toBeInstanceOf(ProblemError);
    expect(sut.header(0, 'idempotency-key')).toBe('kept');
  });
  it('says OFFLINE when nothing comes back', async () => {
    const sut = new FakeNetwork(LOST, LOST, LOST);
    await expect(sut.call(hubRoutes.status, {})).rejects.toMatchObject({
      ...{ code: 'OFFLINE', status: null, instance: null },
    });
  });
  it('does not repeat what was given up', async () => {
    const sut = new FakeNetwork(LOST);
    const signal = AbortSignal.abort();
    await expect(sut.call(hubRoutes.status, {}, { signal })).rejects.toBe(LOST);
    expect(sut.asked).toHaveLength(1);
  });
  it.each([
    ['another shape', json({ items: 'none' })],
    ['no JSON at all', new Response('<html>', { status: 200 })],
  ])('refuses an answer of %s', async (_name, answer) => {
    const sut = new FakeNetwork(answer);
    await expect(sut.call(hubRoutes.models, {})).rejects.toMatchObject({ code: 'UNREADABLE' });
  });
  it.each([
    [401, 'UNAUTHENTICATED'],
    [403, 'FORBIDDEN'],
    [404, 'NOT_FOUND'],
    [413, 'LIMIT_EXCEEDED'],
    [502, 'PEER_UNAVAILABLE'],
    [500, 'OTHER'],
  ])('reads the status %i of a proxy that has no code', async (status, code) => {
    const sut = new FakeNetwork(new Response('<html>', { status }));
    await expect(sut.call(hubRoutes.models, {})).rejects.toMatchObject({ code, instance: null });
  });
});

describe(problemWords.name, () => {
  it('never shows the words of a server or browser', () => {
    const { nl, en } = WORDS;
    expect(problemWords(new ProblemError('FORBIDDEN', 403, null), nl)).toBe(nl.problems.FORBIDDEN);
    expect(problemWords(problemOf(new Error('secret')), en)).toBe(en.problems.OTHER);
    expect(problemWords(new ProblemError('NEW_CODE', 400, null), en)).toContain('NEW_CODE');
    expect(problemWords(new ProblemError('toString', 400, null), en)).toContain(en.problems.OTHER);
  });
});
