/**
 * Goal: a session ends when it should: unused, old, revoked, or without a provider to confirm it.
 * Method: a browser comes back at times that the test sets.
 */
import { afterAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FAKE_CLIENT, FAKE_ISSUER } from './fake-provider.js';
import { SessionKeeper } from './session-keeper.js';
import { ALL_BUT_THE_DATE, CookieJar, SignInRig } from './sign-in-rig.js';
import {
  SESSION_CHECK_MS_MAX,
  SESSION_IDLE_MS_MAX,
  SESSION_MS_MAX,
  type SessionRecord,
} from './sign-in.js';

const START_MS = Date.UTC(2026, 0, 5, 8);
const later = (byMs: number): void => void jest.setSystemTime(Date.now() + byMs);
const unauthenticated = { code: 'UNAUTHENTICATED' };
let rig: SignInRig;
const session = (): SessionRecord => [...rig.sessions.sessions.values()][0]!;
const grants = (): number => rig.provider.calls.filter((call) => call === 'token').length;

beforeEach(async () => {
  jest.useFakeTimers({ now: START_MS, doNotFake: ALL_BUT_THE_DATE });
  rig = await SignInRig.make();
  await rig.signIn();
});
afterAll(() => void jest.useRealTimers());

describe(SessionKeeper.name, () => {
  it('knows nobody without a cookie, and refuses one that means nothing', async () => {
    await expect(rig.who(new CookieJar())).resolves.toBeUndefined();
    const jar = new CookieJar();
    for (const value of ['', 'x', "' OR 1=1", 'A'.repeat(43)]) {
      jar.cookies.set('__Host-aifi-session', value);
      await expect(rig.who(jar)).rejects.toMatchObject(unauthenticated);
    }
  });

  it('ends a session that nobody used for fifteen minutes', async () => {
    later(SESSION_IDLE_MS_MAX - 1);
    await expect(rig.who()).resolves.toBeDefined();
    later(SESSION_IDLE_MS_MAX - 1);
    await expect(rig.who()).resolves.toBeDefined();
    later(SESSION_IDLE_MS_MAX);
    await expect(rig.who()).rejects.toMatchObject(unauthenticated);
  });

  it('does not take an open page for a person', async () => {
    later(SESSION_IDLE_MS_MAX - 1);
    const look = { ...rig.jar.request, isPassive: true as const };
    await expect(rig.sut.authenticate(look)).resolves.toBeDefined();
    later(1);
    await expect(rig.sut.authenticate(look)).rejects.toMatchObject(unauthenticated);
  });

  it('ends a session after eight hours, however busy', async () => {
    for (let usedMs = 0; usedMs < SESSION_MS_MAX - 600_000; usedMs += 600_000) {
      later(600_000);
      await rig.who();
    }
    expect((await rig.who())?.session?.expiresAtMs).toBe(START_MS + SESSION_MS_MAX);
    jest.setSystemTime(START_MS + SESSION_MS_MAX - 1);
    await expect(rig.who()).resolves.toBeDefined();
    later(1);
    await expect(rig.who()).rejects.toMatchObject(unauthenticated);
  });

  it('sweeps ended sessions out when somebody signs in', async () => {
    later(SESSION_IDLE_MS_MAX + 1);
    await rig.signIn('ben', { jar: new CookieJar() });
    expect([...rig.sessions.sessions.values()].map(({ userId }) => userId)).toEqual(['ben']);
    expect(rig.acts).toEqual(['session.start', 'session.start']);
  });

  it('asks the provider only when its last word is older than 45 s', async () => {
    later(SESSION_CHECK_MS_MAX);
    await rig.who();
    expect(grants()).toBe(1);
    later(1);
    await rig.who();
    expect(grants()).toBe(2);
    expect(session().checkedAtMs).toBe(Date.now());
  });

  it('finds a revocation within 60 s of the last use, and records it once', async () => {
    for (const usedMs of [20_000, 20_000]) {
      later(usedMs);
      await rig.who();
    }
    rig.provider.people.delete('anna');
    const { idHash } = session();
    later(6_000);
    await expect(rig.who()).rejects.toMatchObject(unauthenticated);
    await expect(rig.who()).rejects.toMatchObject(unauthenticated);
    expect(rig.sessions.records.slice(1)).toEqual([
      expect.objectContaining({
        ...{ act: 'session.revoke', userKind: 'system', objectId: idHash, outcome: 'success' },
        detail: { because: 'refused by the provider', user: 'anna' },
      }),
    ]);
  });

  it('takes new roles and sites from the provider', async () => {
    rig.provider.people.set('anna', { aifi_roles: ['auditor'], aifi_sites: ['site-b'] });
    later(SESSION_CHECK_MS_MAX + 1);
    expect((await rig.who())?.principal).toMatchObject({
      ...{ roles: ['auditor'], siteIds: ['site-b'] },
    });
    rig.provider.people.set('anna', {});
    later(SESSION_CHECK_MS_MAX + 1);
    expect((await rig.who())?.principal).toMatchObject({ roles: [], siteIds: [] });
  });

  it('uses a refresh token once, however many requests come together', async () => {
    for (let round = 0; round < 3; round += 1) {
      later(SESSION_CHECK_MS_MAX + 1);
      const found = await Promise.all(Array.from({ length: 20 }, () => rig.who()));
      expect(found.map((who) => who?.principal.userId)).toEqual(Array(20).fill('anna'));
    }
    expect(grants()).toBe(4);
  });

  it('does not mix a check with a step-up that ends at the same time', async () => {
    later(SESSION_CHECK_MS_MAX + 1);
    await Promise.all([rig.who(), rig.stepUp(), rig.who()]);
    later(SESSION_CHECK_MS_MAX + 1);
    await expect(rig.who()).resolves.toMatchObject({ principal: { userId: 'anna' } });
    expect(rig.acts).not.toContain('session.revoke');
  });

  it('keeps a session for less than 60 s without the provider, and goes on when it is back', async () => {
    rig.provider.isAway = true;
    later(59_999);
    await expect(rig.who()).resolves.toBeDefined();
    later(1);
    await expect(rig.who()).rejects.toMatchObject(unauthenticated);
    rig.provider.isAway = false;
    later(2_000);
    await expect(rig.who()).resolves.toBeDefined();
    expect(rig.acts).toEqual(['session.start']);
  });

  it('does not ask a provider again that was away a moment ago', async () => {
    rig.provider.isAway = true;
    later(SESSION_CHECK_MS_MAX + 1);
    await Promise.all(Array.from({ length: 20 }, () => rig.who()));
    expect(grants()).toBe(2);
  });

  it.each([
    ['a fault', () => new Response('busy', { status: 503 })],
    [
      'a secret that is no longer ours',
      () => Response.json({ error: 'invalid_client' }, { status: 401 }),
    ],
    ['an answer without end', () => new Response('x'.repeat(300_000))],
    ['another place', () => new Response(null, { status: 302, headers: { location: '/' } })],
  ])('takes %s for no word at all', async (_, answer) => {
    rig.provider.instead.set('token', answer);
    later(SESSION_CHECK_MS_MAX + 1);
    await expect(rig.who()).resolves.toBeDefined();
    later(60_000);
    await expect(rig.who()).rejects.toMatchObject(unauthenticated);
    expect(rig.acts).toEqual(['session.start']);
  });

  it('keeps the rotated token when the keys to verify the answer are away', async () => {
    later(6 * 60_000);
    rig.provider.instead.set('keys', () => new Response('busy', { status: 503 }));
    await expect(rig.who()).rejects.toMatchObject(unauthenticated);
    rig.provider.instead.clear();
    await expect(rig.who()).resolves.toMatchObject({ principal: { userId: 'anna' } });
  });

  it('ends a session whose refresh token is suddenly of somebody else', async () => {
    const { clientId } = FAKE_CLIENT;
    const token = await rig.provider.sign({
      ...{ iss: FAKE_ISSUER, sub: 'ben', aud: clientId, exp: START_MS / 1_000 + 600 },
    });
    rig.provider.instead.set('token', () =>
      Response.json({ access_token: 'a', token_type: 'Bearer', id_token: token }),
    );
    later(SESSION_CHECK_MS_MAX + 1);
    await expect(rig.who()).rejects.toMatchObject(unauthenticated);
    expect(rig.sessions.records.at(-1)?.detail).toMatchObject({ because: 'another user' });
  });

  it('ends what was sealed with another session key', async () => {
    const other = await SignInRig.make({
      ...{ sessions: rig.sessions, sessionKey: new Uint8Array(32).fill(8) },
    });
    later(SESSION_CHECK_MS_MAX + 1);
    await expect(other.who(rig.jar)).rejects.toMatchObject(unauthenticated);
    expect(rig.acts.at(-1)).toBe('session.revoke');
  });

  it('does not open tokens that were moved to another session', async () => {
    const ben = new CookieJar();
    await rig.signIn('ben', { jar: ben });
    const [anna, other] = [...rig.sessions.sessions.values()];
    await rig.sessions.update(other!.idHash, { sealedTokens: anna!.sealedTokens });
    later(SESSION_CHECK_MS_MAX + 1);
    await expect(rig.who(ben)).rejects.toMatchObject(unauthenticated);
    await expect(rig.who()).resolves.toBeDefined();
  });

  it('does not write every use down', async () => {
    const update = jest.spyOn(rig.sessions, 'update');
    for (let uses = 0; uses < 20; uses += 1) {
      later(1_000);
      await rig.who();
    }
    expect(update).toHaveBeenCalledTimes(2);
  });
});
