/**
 * Goal: a session begins, is stepped up and ends only for the browser and the person it belongs to.
 * Method: the whole of sign-in against a provider that can be told to answer wrongly.
 */
import { afterAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { generateKeyPair, SignJWT } from 'jose';
import { cookieNames } from './cookies.js';
import { createSignIn } from './create-sign-in.js';
import { FAKE_CLIENT, FAKE_ISSUER } from './fake-provider.js';
import { ALL_BUT_THE_DATE, CookieJar, PUBLIC_URL, SignInRig } from './sign-in-rig.js';

const { session: SESSION_COOKIE, login: LOGIN_COOKIE } = cookieNames('https://hub.example');

const START_MS = Date.UTC(2026, 0, 5, 8);
const later = (byMs: number): void => void jest.setSystemTime(Date.now() + byMs);
const unauthenticated = { code: 'UNAUTHENTICATED' };
let rig: SignInRig;

beforeEach(async () => {
  jest.useFakeTimers({ now: START_MS, doNotFake: ALL_BUT_THE_DATE });
  rig = await SignInRig.make();
});
afterAll(() => void jest.useRealTimers());

describe('sign-in', () => {
  it('makes a session of the person with the roles that exist', async () => {
    rig.provider.people.set('anna', {
      ...{ name: 'Anna\u202e Smit\n', aifi_roles: ['radiologist', 'superuser', 7] },
      aifi_sites: ['site-a', 'site-b'],
    });
    const { location } = await rig.signIn();
    expect(location).toBe('/studies?page=2');
    const { principal, session } = (await rig.who())!;
    expect(principal).toEqual({
      ...{ kind: 'person', userId: 'anna', userName: 'Anna Smit', roles: ['radiologist'] },
      ...{ siteIds: ['site-a', 'site-b'], steppedUpAtMs: null },
    });
    expect(session?.expiresAtMs).toBe(START_MS + 15 * 60_000);
    expect(rig.sessions.records).toEqual([
      expect.objectContaining({
        ...{ act: 'session.start', outcome: 'success', userId: 'anna', userKind: 'person' },
        ...{ siteId: '*', objectId: session?.record.idHash, sourceAddress: '192.0.2.7' },
      }),
    ]);
  });

  it('asks with PKCE, state and nonce and no address of the request', async () => {
    const { location } = await rig.sut.begin('sign-in', '/', rig.jar.request);
    const asked = Object.fromEntries(new URL(location).searchParams);
    expect(location.startsWith(`${FAKE_ISSUER}/authorize?`)).toBe(true);
    expect(asked).toMatchObject({
      ...{ response_type: 'code', code_challenge_method: 'S256', scope: 'openid profile' },
      ...{ redirect_uri: `${PUBLIC_URL}/auth/callback`, client_id: 'aifi-pages' },
    });
    for (const name of ['state', 'nonce', 'code_challenge']) expect(asked[name]).toHaveLength(43);
  });

  it('sets cookies for this host only, and keeps neither tokens nor the id in the store', async () => {
    const begun = await rig.sut.begin('sign-in', '/', rig.jar.request);
    expect(begun.setCookies).toEqual([
      expect.stringMatching(
        /^__Host-aifi-login=[\w-]+; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=600$/,
      ),
    ]);
    const { setCookies } = await rig.signIn();
    expect(setCookies).toEqual([
      expect.stringMatching(
        /^__Host-aifi-session=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Lax$/,
      ),
      '__Host-aifi-login=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0',
    ]);
    const stored = JSON.stringify([...rig.sessions.sessions.values()]);
    expect(stored).not.toContain(rig.jar.cookies.get(SESSION_COOKIE));
    expect(stored).not.toContain('eyJ');
    expect(JSON.stringify(setCookies)).not.toContain('eyJ');
  });

  it('gives a new id at every sign-in and ends the one before', async () => {
    await rig.signIn();
    const before = rig.jar.cookies.get(SESSION_COOKIE);
    await rig.signIn();
    expect(rig.jar.cookies.get(SESSION_COOKIE)).not.toBe(before);
    expect(rig.acts).toEqual(['session.start', 'session.start', 'session.end']);
    expect(rig.sessions.sessions.size).toBe(1);
  });

  it('does not take a session id that somebody planted', async () => {
    const planted = 'A'.repeat(43);
    rig.jar.cookies.set(SESSION_COOKIE, planted);
    await expect(rig.who()).rejects.toMatchObject(unauthenticated);
    await rig.signIn();
    expect(rig.jar.cookies.get(SESSION_COOKIE)).not.toBe(planted);
  });

  it.each(['//evil.test', '/\\evil.test', 'https://evil.test', '/a\\b', '/a\nb', '', 'x', '/é'])(
    'refuses to return to %j',
    async (path) => {
      await expect(rig.sut.begin('sign-in', path, rig.jar.request)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
    },
  );

  it('refuses the answer in a browser that did not ask, and records it', async () => {
    const begun = await rig.sut.begin('sign-in', '/', rig.jar.request);
    const callback = rig.provider.authorize(begun.location, 'anna');
    const stranger = new CookieJar();
    await expect(rig.sut.complete(callback, stranger.request)).rejects.toMatchObject(
      unauthenticated,
    );
    expect(rig.refusals).toEqual([
      expect.objectContaining({
        ...{ act: 'session.start', outcome: 'refused', code: 'UNAUTHENTICATED' },
        ...{ userKind: 'anonymous', objectId: '-' },
      }),
    ]);
    expect(rig.provider.calls).not.toContain('token');
  });

  it('refuses the answer to another login of the same browser', async () => {
    const first = await rig.sut.begin('sign-in', '/', rig.jar.request);
    rig.jar.keep(await rig.sut.begin('sign-in', '/', rig.jar.request));
    const callback = rig.provider.authorize(first.location, 'anna');
    await expect(rig.sut.complete(callback, rig.jar.request)).rejects.toMatchObject(
      unauthenticated,
    );
  });

  it('refuses a state that was used, also with the cookie kept and a new code', async () => {
    const begun = await rig.sut.begin('sign-in', '/', rig.jar.request);
    rig.jar.keep(begun);
    const { request } = rig.jar;
    await rig.sut.complete(rig.provider.authorize(begun.location, 'anna'), request);
    const again = rig.provider.authorize(begun.location, 'anna');
    await expect(rig.sut.complete(again, request)).rejects.toMatchObject(unauthenticated);
    expect(rig.sessions.sessions.size).toBe(1);
  });

  it('does not lose a login to an answer that somebody made up', async () => {
    const begun = await rig.sut.begin('sign-in', '/', rig.jar.request);
    rig.jar.keep(begun);
    const callback = rig.provider.authorize(begun.location, 'anna');
    const forged = new URL(`${PUBLIC_URL}/auth/callback?code=x&state=y`);
    await expect(rig.sut.complete(forged, rig.jar.request)).rejects.toMatchObject(unauthenticated);
    await expect(rig.sut.complete(callback, rig.jar.request)).resolves.toBeDefined();
  });

  it('refuses an answer that comes after ten minutes', async () => {
    const begun = await rig.sut.begin('sign-in', '/', rig.jar.request);
    rig.jar.keep(begun);
    later(10 * 60_000);
    const callback = rig.provider.authorize(begun.location, 'anna');
    await expect(rig.sut.complete(callback, rig.jar.request)).rejects.toMatchObject(
      unauthenticated,
    );
  });

  it('refuses a login cookie that was changed', async () => {
    const begun = await rig.sut.begin('sign-in', '/', rig.jar.request);
    rig.jar.keep(begun);
    const value = rig.jar.cookies.get(LOGIN_COOKIE)!;
    rig.jar.cookies.set(LOGIN_COOKIE, `${value.startsWith('A') ? 'B' : 'A'}${value.slice(1)}`);
    const callback = rig.provider.authorize(begun.location, 'anna');
    await expect(rig.sut.complete(callback, rig.jar.request)).rejects.toMatchObject(
      unauthenticated,
    );
  });

  it.each([
    ['another nonce', { nonce: 'other' }],
    ['another audience', { aud: 'other-client' }],
    ['several audiences without a party', { aud: ['aifi-pages', 'other'] }],
    ['another party', { azp: 'other-client' }],
    ['another issuer', { iss: 'https://evil.test' }],
    ['an end in the past', { exp: START_MS / 1_000 - 60 }],
    ['a begin in the future', { nbf: START_MS / 1_000 + 60 }],
    ['a subject that is no name', { sub: 'anna\nsmit' }],
    ['no end', { exp: undefined }],
  ])('refuses an ID token with %s', async (_, claims) => {
    await expect(rig.signIn('anna', { claims })).rejects.toMatchObject(unauthenticated);
    expect(rig.sessions.sessions.size).toBe(0);
    expect(rig.refusals).toHaveLength(1);
  });

  it('refuses ID tokens of another key, without signature or with the secret as key', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    const claims = (nonce: string): SignJWT =>
      new SignJWT({ sub: 'anna', nonce, iss: FAKE_ISSUER, aud: 'aifi-pages' })
        .setIssuedAt()
        .setExpirationTime('2m');
    const base64 = (text: string): string => Buffer.from(text).toString('base64url');
    const secret = Buffer.from(FAKE_CLIENT.clientSecret.padEnd(32, 'x'));
    const makers: ((nonce: string) => Promise<string>)[] = [
      (nonce) => claims(nonce).setProtectedHeader({ alg: 'ES256', kid: 'key-1' }).sign(privateKey),
      (nonce) => claims(nonce).setProtectedHeader({ alg: 'HS256', kid: 'key-1' }).sign(secret),
      async (nonce) => {
        const good = await rig.provider.sign({ sub: 'anna', nonce, aud: 'aifi-pages' });
        return `${base64('{"alg":"none"}')}.${good.split('.')[1]}.`;
      },
    ];
    for (const make of makers) {
      const begun = await rig.sut.begin('sign-in', '/', rig.jar.request);
      rig.jar.keep(begun);
      const nonce = new URL(begun.location).searchParams.get('nonce') ?? '';
      const token = await make(nonce);
      rig.provider.instead.set('token', () =>
        Response.json({
          ...{ access_token: 'a', token_type: 'Bearer', refresh_token: 'r', id_token: token },
        }),
      );
      const callback = rig.provider.authorize(begun.location, 'anna');
      await expect(rig.sut.complete(callback, rig.jar.request)).rejects.toMatchObject(
        unauthenticated,
      );
    }
    expect(rig.sessions.sessions.size).toBe(0);
  });

  it('refuses a provider that gives no refresh token: no revocation would be seen', async () => {
    rig.provider.givesRefreshToken = false;
    await expect(rig.signIn()).rejects.toMatchObject(unauthenticated);
  });

  it('says what the provider refused by its code only', async () => {
    const begun = await rig.sut.begin('sign-in', '/', rig.jar.request);
    rig.jar.keep(begun);
    const state = new URL(begun.location).searchParams.get('state') ?? '';
    const answer = { error: 'access_denied', error_description: 'Anna Smit may not', state };
    const callback = new URL(`${PUBLIC_URL}/auth/callback?${new URLSearchParams(answer)}`);
    await expect(rig.sut.complete(callback, rig.jar.request)).rejects.toMatchObject(
      unauthenticated,
    );
    expect(rig.refusals[0]?.detail).toEqual({ because: 'access_denied' });
  });

  it('answers PEER_UNAVAILABLE while the provider is away, and starts without it', async () => {
    rig.provider.isAway = true;
    const sut = await createSignIn(rig.options);
    const begin = () => sut.begin('sign-in', '/', rig.jar.request);
    await expect(begin()).rejects.toMatchObject({ code: 'PEER_UNAVAILABLE' });
    rig.provider.isAway = false;
    later(2_000);
    await expect(begin()).resolves.toMatchObject({ setCookies: [expect.any(String)] });
  });

  it.each(['&id_token=1', '&token=1', '&response=1', `&x=${'y'.repeat(5_000)}`])(
    'lets no stranger make the provider count as away: %.14s',
    async (more) => {
      const stranger = new CookieJar();
      const begun = await rig.sut.begin('sign-in', '/', stranger.request);
      stranger.keep(begun);
      const state = new URL(begun.location).searchParams.get('state') ?? '';
      const callback = new URL(`${PUBLIC_URL}/auth/callback?code=x&state=${state}${more}`);
      await rig.sut.complete(callback, stranger.request).catch(() => undefined);
      await expect(rig.signIn('ben', { jar: new CookieJar() })).resolves.toBeDefined();
    },
  );

  it('lets no stranger fill the audit trail, and counts what it left out', async () => {
    const callback = new URL(`${PUBLIC_URL}/auth/callback?code=x&state=y`);
    const knock = () => rig.sut.complete(callback, rig.jar.request).catch(() => undefined);
    for (let knocks = 0; knocks < 75; knocks += 1) await knock();
    expect(rig.refusals).toHaveLength(60);
    later(60_000);
    await knock();
    expect(rig.refusals.at(-1)?.detail).toMatchObject({ unwritten: 15 });
  });
});

describe('step-up', () => {
  it('is the same session, authenticated anew and at the asked strength', async () => {
    await rig.signIn();
    const before = rig.jar.cookies.get(SESSION_COOKIE);
    later(30_000);
    const asked = await rig.sut.begin('step-up', '/', rig.jar.request);
    const { searchParams } = new URL(asked.location);
    expect(searchParams.get('acr_values')).toBe('aifi-step-up');
    expect(searchParams.get('max_age')).toBe('0');
    await rig.stepUp();
    expect(rig.jar.cookies.get(SESSION_COOKIE)).toBe(before);
    expect((await rig.who())?.principal.steppedUpAtMs).toBe(START_MS + 30_000);
    expect(rig.acts).toEqual(['session.start', 'session.step-up']);
  });

  it.each([
    ['another person', 'ben', {}],
    ['a weaker authentication', 'anna', { acr: '1' }],
    ['no strength at all', 'anna', { acr: undefined }],
    ['an authentication from before', 'anna', { auth_time: START_MS / 1_000 - 10 }],
    ['no time of authentication', 'anna', { auth_time: undefined }],
  ])('refuses %s and leaves the session as it was', async (_, subject, claims) => {
    await rig.signIn();
    await expect(rig.stepUp(subject, claims)).rejects.toMatchObject(unauthenticated);
    expect((await rig.who())?.principal).toMatchObject({ userId: 'anna', steppedUpAtMs: null });
    expect(rig.refusals).toEqual([
      expect.objectContaining({
        ...{ act: 'session.step-up', outcome: 'refused', userId: 'anna', userName: 'Anna Smit' },
      }),
    ]);
  });

  it('does not dare to begin without a session, nor to end in another one', async () => {
    const step = () => rig.sut.begin('step-up', '/', rig.jar.request);
    await expect(step()).rejects.toMatchObject(unauthenticated);
    await rig.signIn();
    const begun = await step();
    await rig.signIn();
    rig.jar.keep(begun);
    const callback = rig.provider.authorize(begun.location, 'anna');
    await expect(rig.sut.complete(callback, rig.jar.request)).rejects.toMatchObject(
      unauthenticated,
    );
    expect((await rig.who())?.principal.steppedUpAtMs).toBeNull();
  });
});

describe('sign-out', () => {
  it('ends the session here, and sends the browser to end it at the provider', async () => {
    await rig.signIn();
    const { request } = rig.jar;
    const { location, setCookies } = await rig.sut.end(request);
    const { origin, pathname, searchParams } = new URL(location);
    expect(origin + pathname).toBe(`${FAKE_ISSUER}/logout`);
    expect(searchParams.get('post_logout_redirect_uri')).toBe(`${PUBLIC_URL}/`);
    expect(searchParams.get('id_token_hint')).toMatch(/^eyJ/);
    expect(setCookies[0]).toContain(`${SESSION_COOKIE}=; `);
    await expect(rig.sut.authenticate(request)).rejects.toMatchObject(unauthenticated);
    expect(rig.acts).toEqual(['session.start', 'session.end']);
    await expect(rig.sut.end(request)).resolves.toMatchObject({ location: '/' });
    expect(rig.acts).toHaveLength(2);
  });
});
