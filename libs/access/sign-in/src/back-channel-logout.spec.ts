/**
 * Goal: the provider, and nobody else, ends sessions from behind.
 * Method: logout tokens that are right but for one thing.
 * Source: OpenID Connect Back-Channel Logout 1.0, 2.4 and 2.6.
 */
import { afterAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { generateKeyPair, SignJWT } from 'jose';
import type { Claims } from './claims.js';
import { FAKE_ISSUER } from './fake-provider.js';
import { ALL_BUT_THE_DATE, CookieJar, SignInRig } from './sign-in-rig.js';

const START_MS = Date.UTC(2026, 0, 5, 8);
const START_S = START_MS / 1_000;
const GOOD = {
  ...{ aud: 'aifi-pages', sub: 'anna', sid: 'sid-of-anna', jti: 'logout-1' },
  events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
};
let rig: SignInRig;
const token = (claims: Claims = {}, header = {}): Promise<string> =>
  rig.provider.sign({ ...GOOD, ...claims }, { typ: 'logout+jwt', ...header });
const logout = (logoutToken: string): Promise<void> =>
  rig.sut.backChannelLogout(logoutToken, rig.jar.request);

beforeEach(async () => {
  jest.useFakeTimers({ now: START_MS, doNotFake: ALL_BUT_THE_DATE });
  rig = await SignInRig.make();
  await rig.signIn();
});
afterAll(() => void jest.useRealTimers());

describe('back-channel logout', () => {
  it('ends the sessions of a provider session, with one record each, and no other', async () => {
    const [second, ben] = [new CookieJar(), new CookieJar()];
    await rig.signIn('anna', { jar: second });
    await rig.signIn('ben', { jar: ben });
    await logout(await token());
    for (const jar of [rig.jar, second]) {
      await expect(rig.who(jar)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    }
    await expect(rig.who(ben)).resolves.toBeDefined();
    expect(rig.acts.slice(3)).toEqual(['session.revoke', 'session.revoke']);
    expect(rig.sessions.records.at(-1)).toMatchObject({
      ...{ userKind: 'system', detail: { because: 'signed out at the provider', user: 'anna' } },
    });
  });

  it('ends all sessions of a person when the token names no session', async () => {
    await logout(await token({ sid: undefined }));
    expect(rig.sessions.sessions.size).toBe(0);
  });

  it.each([
    ['no event', { events: undefined }],
    ['another event', { events: { other: {} } }],
    ['an event that is no object', { events: { [Object.keys(GOOD.events)[0]!]: 1 } }],
    ['a nonce: it is an ID token', { nonce: 'n' }],
    ['another audience', { aud: 'aifi-hub' }],
    ['another issuer', { iss: 'https://evil.test' }],
    ['neither session nor subject', { sid: undefined, sub: undefined }],
    ['no id', { jti: undefined }],
    ['an empty id', { jti: '' }],
    ['no time', { iat: undefined }],
    ['a time too long ago', { iat: START_S - 121 }],
    ['a time to come', { iat: START_S + 6 }],
    ['an end in the past', { exp: START_S - 6 }],
  ])('refuses a token with %s', async (_, claims) => {
    await expect(logout(await token(claims))).rejects.toMatchObject({ code: 'UNTRUSTED' });
    expect(rig.sessions.sessions.size).toBe(1);
  });

  it('refuses a token of another kind or key, and what is no token', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    const foreign = await new SignJWT({ ...GOOD, iss: FAKE_ISSUER })
      .setIssuedAt()
      .setProtectedHeader({ alg: 'ES256', kid: 'key-1' })
      .sign(privateKey);
    for (const bad of [foreign, await token({}, { typ: 'at+jwt' }), '', 'a.b.c']) {
      await expect(logout(bad)).rejects.toMatchObject({ code: 'UNTRUSTED' });
    }
    expect(rig.sessions.sessions.size).toBe(1);
  });

  it('refuses a token that was used, and one that failed may come again', async () => {
    const good = await token();
    const endWhere = jest.spyOn(rig.sessions, 'endWhere');
    endWhere.mockRejectedValueOnce(new Error('the store is away'));
    await expect(logout(good)).rejects.toThrow();
    await logout(good);
    expect(rig.sessions.sessions.size).toBe(0);
    await rig.signIn();
    await expect(logout(good)).rejects.toMatchObject({ code: 'UNTRUSTED' });
    expect(rig.sessions.sessions.size).toBe(1);
  });
});
