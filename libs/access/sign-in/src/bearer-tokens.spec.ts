/**
 * Goal: only an access token of the trusted provider, for us, short-lived and not revoked, is good.
 * Method: one wrong thing per token; a provider that revokes, is away, or cannot be asked.
 */
import { createHmac } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  exportPKCS8,
  exportSPKI,
  generateKeyPair,
  importJWK,
  importPKCS8,
  SignJWT,
  type CryptoKey,
  type JWK,
} from 'jose';
import { BearerTokens } from './bearer-tokens.js';
import type { Claims } from './claims.js';
import { createSignIn } from './create-sign-in.js';
import { FAKE_ISSUER } from './fake-provider.js';
import { ALL_BUT_THE_DATE, SignInRig } from './sign-in-rig.js';

const START_MS = Date.UTC(2026, 0, 5, 8);
const START_S = START_MS / 1_000;
const later = (byMs: number): void => void jest.setSystemTime(Date.now() + byMs);
const unauthenticated = { code: 'UNAUTHENTICATED' };
const GOOD = { sub: 'anna', aud: 'aifi-hub', name: 'Anna Smit', aifi_roles: ['auditor'] };
let rig: SignInRig;
const token = (claims: Claims = {}, header = {}): Promise<string> =>
  rig.provider.sign({ ...GOOD, ...claims }, { typ: 'at+jwt', ...header });
const asked = (): number => rig.provider.calls.filter((call) => call === 'introspect').length;

beforeEach(async () => {
  jest.useFakeTimers({ now: START_MS, doNotFake: ALL_BUT_THE_DATE });
  rig = await SignInRig.make();
});
afterAll(() => void jest.useRealTimers());

describe(BearerTokens.name, () => {
  it('knows the person of a good token, without a session', async () => {
    await expect(rig.bearer(await token())).resolves.toEqual({
      principal: {
        ...{ kind: 'person', userId: 'anna', userName: 'Anna Smit', roles: ['auditor'] },
        ...{ siteIds: [], steppedUpAtMs: null },
      },
    });
  });

  it.each([
    ['another audience', { aud: 'other' }],
    ['the audience of an ID token', { aud: 'aifi-pages' }],
    ['no audience', { aud: undefined }],
    ['another issuer', { iss: `${FAKE_ISSUER}/` }],
    ['an end in the past', { iat: START_S - 100, exp: START_S - 6 }],
    ['no end', { exp: undefined }],
    ['no begin', { iat: undefined }],
    ['a begin in the future', { nbf: START_S + 6 }],
    ['an issue in the future', { iat: START_S + 60, exp: START_S + 300 }],
    ['a life of more than five minutes', { exp: START_S + 306 }],
    ['no subject', { sub: undefined }],
    ['the nonce of an ID token', { nonce: 'n' }],
    ['the event of a logout token', { events: {} }],
    ['another use in its payload', { typ: 'Refresh' }],
    ['a key that the caller must prove', { cnf: { jkt: 'x' } }],
  ])('refuses a token with %s', async (_, claims) => {
    await expect(rig.bearer(await token(claims))).rejects.toMatchObject(unauthenticated);
  });

  it.each([
    ['of a logout', { typ: 'logout+jwt' }],
    ['of an unknown kind', { typ: 'x+jwt' }],
    ['with a key id of nobody', { kid: 'key-2' }],
    ['with a key id that climbs folders', { kid: '../../../dev/null' }],
    ['with a key id of a statement', { kid: "x' UNION SELECT 'a" }],
    ['with an empty key id', { kid: '' }],
    ['with no key id', { kid: undefined }],
  ])('refuses a header %s', async (_, header) => {
    await expect(rig.bearer(await token({}, header))).rejects.toMatchObject(unauthenticated);
  });

  it('refuses a good token whose signature was changed', async () => {
    const good = await token();
    const [header, payload, signature = ''] = good.split('.');
    const changed = `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
    await expect(rig.bearer(`${header}.${payload}.${changed}`)).rejects.toMatchObject(
      unauthenticated,
    );
    await expect(rig.bearer(good)).resolves.toBeDefined();
  });

  it('refuses no signature, and shared secrets made of public keys', async () => {
    const [, payload] = (await token()).split('.');
    const base64 = (text: string): string => Buffer.from(text).toString('base64url');
    const publicKey = (await importJWK(rig.provider.publicJwk, 'ES256')) as CryptoKey;
    const pem = await exportSPKI(publicKey);
    for (const alg of ['none', 'None', 'NONE', 'HS256', 'HS512']) {
      const signed = `${base64(JSON.stringify({ alg, kid: 'key-1', typ: 'at+jwt' }))}.${payload}`;
      const mac = createHmac(alg === 'HS512' ? 'sha512' : 'sha256', pem);
      for (const signature of ['', 'AA', mac.update(signed).digest('base64url')]) {
        await expect(rig.bearer(`${signed}.${signature}`)).rejects.toMatchObject(unauthenticated);
      }
    }
  });

  it('takes a key of the set for the pinned algorithms only', async () => {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
    // As providers publish them: a key that does not say what it is for.
    const { n, e } = (await crypto.subtle.exportKey('jwk', publicKey)) as JWK;
    const keys = { keys: [{ kty: 'RSA', n, e, kid: 'rsa-1' }] };
    rig.provider.instead.set('keys', () => Response.json(keys));
    const pkcs8 = await exportPKCS8(privateKey);
    const signed = async (alg: string) =>
      new SignJWT({ ...GOOD, iss: FAKE_ISSUER })
        .setProtectedHeader({ alg, kid: 'rsa-1' })
        .setIssuedAt()
        .setExpirationTime('1m')
        .sign(await importPKCS8(pkcs8, alg));
    await expect(rig.bearer(await signed('RS256'))).resolves.toBeDefined();
    for (const alg of ['PS256', 'RS512']) {
      await expect(rig.bearer(await signed(alg))).rejects.toMatchObject(unauthenticated);
    }
  });

  it('refuses a foreign key, also when the token brings it along', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = { ...(await crypto.subtle.exportKey('jwk', publicKey)) } as { kty: string };
    const headers: object[] = [{}, { jwk }, { jku: 'https://evil.test/keys' }, { kid: undefined }];
    for (const header of headers) {
      const foreign = new SignJWT({ ...GOOD, iss: FAKE_ISSUER }).setIssuedAt();
      const signed = await foreign
        .setExpirationTime('1m')
        .setProtectedHeader({ alg: 'ES256', kid: 'key-1', ...header })
        .sign(privateKey);
      await expect(rig.bearer(signed)).rejects.toMatchObject(unauthenticated);
    }
    expect(rig.provider.calls.filter((call) => call === 'keys')).toHaveLength(1);
  });

  it.each([
    '',
    'Bearer',
    'Bearer x',
    'Bearer a.b',
    'Basic YTpi',
    `Bearer a.${'b'.repeat(20_000)}.c`,
  ])('refuses the header %.20j', async (authorization) => {
    const request = { ...rig.jar.request, authorization };
    await expect(rig.sut.authenticate(request)).rejects.toMatchObject(unauthenticated);
  });

  it('does not fall back to the cookie when the token is bad', async () => {
    await rig.signIn();
    await expect(rig.bearer('a.b.c')).rejects.toMatchObject(unauthenticated);
  });

  it('knows a machine by a subject that is its client, or by the name that Keycloak reserves', async () => {
    const machines = [
      { sub: 'automation', client_id: 'automation' },
      {
        ...{ sub: 'f3c0', azp: 'Automation', preferred_username: 'service-account-automation' },
        name: undefined,
      },
    ];
    for (const claims of machines) {
      const strong = { ...claims, acr: 'aifi-step-up', auth_time: START_S };
      const found = await rig.bearer(await token(strong));
      expect(found?.principal).toMatchObject({ kind: 'machine', steppedUpAtMs: null });
    }
    const person = await token({ client_id: 'aifictl', preferred_username: 'anna' });
    expect((await rig.bearer(person))?.principal.kind).toBe('person');
  });

  it('takes the step-up of a person from strength and time together', async () => {
    const at = async (claims: Claims) =>
      (await rig.bearer(await token(claims)))?.principal.steppedUpAtMs;
    await expect(at({ acr: 'aifi-step-up', auth_time: START_S - 9 })).resolves.toBe(
      START_MS - 9_000,
    );
    await expect(at({ acr: 'aifi-step-up', auth_time: START_S + 9 })).resolves.toBe(START_MS);
    await expect(at({ acr: '1', auth_time: START_S })).resolves.toBeNull();
    await expect(at({ acr: 'aifi-step-up' })).resolves.toBeNull();
  });

  it('finds a revoked token of a person within 60 s, with one question per 45 s', async () => {
    const good = await token();
    await Promise.all(Array.from({ length: 10 }, () => rig.bearer(good)));
    later(45_000);
    await rig.bearer(good);
    expect(asked()).toBe(1);
    rig.provider.people.delete('anna');
    later(1);
    await expect(rig.bearer(good)).rejects.toMatchObject(unauthenticated);
    await expect(rig.bearer(good)).rejects.toMatchObject(unauthenticated);
    expect(asked()).toBe(2);
  });

  it('holds the last answer for less than 60 s while the provider is away', async () => {
    const good = await token();
    await rig.bearer(good);
    rig.provider.isAway = true;
    later(59_999);
    await expect(rig.bearer(good)).resolves.toBeDefined();
    later(1);
    await expect(rig.bearer(good)).rejects.toMatchObject(unauthenticated);
    await expect(rig.bearer(await token({ jti: 'new' }))).rejects.toMatchObject(unauthenticated);
  });

  it('takes only tokens of a minute when the provider cannot be asked about them', async () => {
    delete rig.provider.metadata['introspection_endpoint'];
    rig.sut = await createSignIn(rig.options);
    await expect(rig.bearer(await token({ exp: START_S + 60 }))).resolves.toBeDefined();
    await expect(rig.bearer(await token({ exp: START_S + 61 }))).rejects.toMatchObject(
      unauthenticated,
    );
    expect(asked()).toBe(0);
  });

  it('refuses what the provider says is of somebody else', async () => {
    rig.provider.instead.set('introspect', () => Response.json({ active: true, sub: 'ben' }));
    await expect(rig.bearer(await token())).rejects.toMatchObject(unauthenticated);
  });
});
