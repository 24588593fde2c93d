/**
 * Goal: sign-in works with an OpenID provider that none of us wrote, over HTTP.
 * Method: oidc-provider and our four addresses on loopback; a browser that follows redirects and
 * keeps cookies. The date is the only thing that is not real.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider, type Configuration } from 'oidc-provider';
import { AifiError, systemClock } from '@aifi/shared-kernel';
import { freePorts } from '@aifi/shared-testing';
import { cookieNames } from './cookies.js';
import { createSignIn } from './create-sign-in.js';
import { FakeSessionStore } from './memory-session-store.js';
import { ALL_BUT_THE_DATE } from './sign-in-rig.js';
import type { SignIn, SignInRequest } from './sign-in.js';

const CLIENT = { client_id: 'aifi-pages', client_secret: 'pages-secret-for-tests' };
const AUTOMATION = { client_id: 'automation', client_secret: 'automation-secret-tests' };
const AUDIENCE = 'https://hub.example.test/api';
const START_MS = Date.UTC(2026, 0, 5, 8);
const later = (byMs: number): void => void jest.setSystemTime(Date.now() + byMs);

let issuer: string;
let publicUrl: string;
let provider: Provider;
let servers: Server[];
let sessions: FakeSessionStore;
let sut: SignIn;
/** Who is in front of the browser, and how strongly that is proven. */
let person = { accountId: 'anna', acr: 'aifi-step-up' };
const people = new Map<string, object>();

async function providerConfiguration(): Promise<Configuration> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(privateKey)), kid: 'es-1', alg: 'ES256', use: 'sig' };
  const rsa = await generateKeyPair('RS256', { extractable: true });
  const rsaJwk = { ...(await exportJWK(rsa.privateKey)), kid: 'rs-1', alg: 'RS256', use: 'sig' };
  return {
    jwks: { keys: [jwk, rsaJwk] },
    clients: [
      {
        ...{ ...CLIENT, grant_types: ['authorization_code', 'refresh_token'] },
        redirect_uris: [`${publicUrl}/auth/callback`],
        post_logout_redirect_uris: [`${publicUrl}/`],
        backchannel_logout_uri: `${publicUrl}/auth/back-channel-logout`,
        ...{ backchannel_logout_session_required: true, id_token_signed_response_alg: 'ES256' },
      },
      {
        ...{ ...AUTOMATION, grant_types: ['client_credentials'] },
        ...{ redirect_uris: [], response_types: [] },
      },
    ],
    claims: { openid: ['sub', 'aifi_roles', 'aifi_sites'], profile: ['name'] },
    conformIdTokenClaims: false,
    acrValues: ['aifi-step-up'],
    cookies: { keys: ['only for tests'] },
    enabledJWA: { idTokenSigningAlgValues: ['ES256', 'RS256'] },
    features: {
      ...{ devInteractions: { enabled: false }, backchannelLogout: { enabled: true } },
      ...{ introspection: { enabled: true }, clientCredentials: { enabled: true } },
      resourceIndicators: {
        enabled: true,
        defaultResource: (_ctx, client) => (client.clientId === 'automation' ? AUDIENCE : []),
        getResourceServerInfo: () => ({
          ...{ scope: '', audience: AUDIENCE, accessTokenFormat: 'jwt', accessTokenTTL: 300 },
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => void (ctx.body = form),
      },
    },
    extraTokenClaims: () => ({ aifi_roles: ['hospital-it'] }),
    findAccount: (_ctx, sub) => {
      const claims = people.get(sub);
      return claims && { accountId: sub, claims: () => ({ sub, ...claims }) };
    },
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    issueRefreshToken: (_ctx, client) => Promise.resolve(client.grantTypeAllowed('refresh_token')),
    loadExistingGrant: async ({ oidc }) => {
      const accountId = oidc.session?.accountId ?? '';
      const grant = new oidc.provider.Grant({ clientId: oidc.client?.clientId ?? '', accountId });
      grant.addOIDCScope('openid profile');
      await grant.save();
      return grant;
    },
    rotateRefreshToken: true,
    ttl: { IdToken: 300, RefreshToken: 8 * 3_600, Session: 8 * 3_600, Grant: 8 * 3_600 },
  };
}

const requestOf = ({ headers }: IncomingMessage): SignInRequest => ({
  ...{ cookie: headers.cookie, authorization: headers.authorization },
  ...{ sourceAddress: '127.0.0.1', correlationId: 'correlation-1' },
});

/** What the web edge does with sign-in, in short. */
async function page(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', publicUrl);
  const from = requestOf(request);
  const answer = async (): Promise<object | undefined> => {
    if (url.pathname === '/auth/sign-in') return sut.begin('sign-in', '/me', from);
    if (url.pathname === '/auth/step-up') return sut.begin('step-up', '/me', from);
    if (url.pathname === '/auth/callback') return sut.complete(url, from);
    if (url.pathname === '/auth/sign-out') return sut.end(from);
    if (url.pathname === '/me') return (await sut.authenticate(from))?.principal;
    if (url.pathname !== '/auth/back-channel-logout') return undefined;
    const body = new URLSearchParams(await new Response(request as never).text());
    await sut.backChannelLogout(body.get('logout_token') ?? '', from);
    return {};
  };
  try {
    const said = (await answer()) ?? {};
    if ('setCookies' in said && 'location' in said) {
      response.setHeader('set-cookie', said.setCookies as string[]);
      response.writeHead(303, { location: String(said.location) }).end();
    } else response.writeHead(200).end(JSON.stringify(said));
  } catch (error) {
    const { code, httpStatus } = AifiError.from(error);
    response.writeHead(httpStatus).end(JSON.stringify({ code }));
  }
}

/** A browser: cookies by origin, redirects followed. */
class Browser {
  readonly cookies = new Map<string, Map<string, string>>();

  async go(address: string, init: RequestInit = {}): Promise<Response> {
    let next = new URL(address, publicUrl);
    for (let hops = 0; hops < 12; hops += 1) {
      const jar = this.cookies.get(next.origin) ?? new Map<string, string>();
      this.cookies.set(next.origin, jar);
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
      const headers = { cookie, ...(init.headers as Record<string, string>) };
      const sent: RequestInit = hops === 0 ? { ...init, headers } : { headers: { cookie } };
      const response = await fetch(next, { ...sent, redirect: 'manual' });
      for (const line of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        if (value === '') jar.delete(name);
        else jar.set(name, value);
      }
      const location = response.headers.get('location');
      if (location === null) return response;
      await response.arrayBuffer();
      next = new URL(location, next);
    }
    throw new Error('redirects without end');
  }
  /** Presses the button of the provider's page that ends a session there. */
  submit(page: string): Promise<Response> {
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(page)?.[1] ?? '';
    return this.go(`${issuer}/session/end/confirm`, {
      method: 'POST',
      body: new URLSearchParams({ xsrf, logout: 'yes' }).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
  }
  async read(address: string): Promise<Record<string, unknown>> {
    return (await (await this.go(address)).json()) as Record<string, unknown>;
  }
}

beforeAll(async () => {
  jest.useFakeTimers({ now: START_MS, doNotFake: ALL_BUT_THE_DATE });
  const [providerPort, pagePort] = (await freePorts(2)) as [number, number];
  issuer = `http://127.0.0.1:${providerPort}`;
  publicUrl = `http://127.0.0.1:${pagePort}`;
  provider = new Provider(issuer, await providerConfiguration());
  const answer = provider.callback();
  const servedProvider = createServer((request, response) => {
    if (!request.url?.startsWith('/interaction/')) return void answer(request, response);
    // The page with the password, as a person fills it in.
    void provider.interactionFinished(request, response, { login: { ...person, amr: ['pwd'] } });
  });
  const servedPages = createServer((request, response) => void page(request, response));
  servers = [servedProvider, servedPages];
  await Promise.all([
    new Promise<void>((done) => servedProvider.listen(providerPort, '127.0.0.1', done)),
    new Promise<void>((done) => servedPages.listen(pagePort, '127.0.0.1', done)),
  ]);
});
afterAll(async () => {
  for (const server of servers) server.closeAllConnections();
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  jest.useRealTimers();
});
beforeEach(async () => {
  person = { accountId: 'anna', acr: 'aifi-step-up' };
  people.set('anna', { name: 'Anna Smit', aifi_roles: ['radiologist'], aifi_sites: ['site-a'] });
  people.set('ben', { name: 'Ben Bos', aifi_roles: ['auditor'] });
  sessions = new FakeSessionStore();
  sut = await createSignIn({
    ...{ issuer, clientId: CLIENT.client_id, clientSecret: CLIENT.client_secret, publicUrl },
    ...{ audience: AUDIENCE, rolesClaim: 'aifi_roles', sitesClaim: 'aifi_sites' },
    ...{ stepUpAcr: 'aifi-step-up', sessionKey: new Uint8Array(32).fill(3), sessions },
    ...{ homeSite: '*', clock: systemClock },
    recordAnonymous: async (draft) => void sessions.records.push(draft),
  });
});
const acts = (): string[] => sessions.records.map(({ act, outcome }) => `${act} ${outcome}`);

describe('sign-in with oidc-provider', () => {
  it('signs in, steps up by authenticating anew, and ends at the provider too', async () => {
    const browser = new Browser();
    await expect(browser.read('/auth/sign-in')).resolves.toEqual({
      ...{ kind: 'person', userId: 'anna', userName: 'Anna Smit', roles: ['radiologist'] },
      ...{ siteIds: ['site-a'], steppedUpAtMs: null },
    });
    later(20_000);
    const stepped = await browser.read('/auth/step-up');
    expect(stepped['steppedUpAtMs']).toBe(Math.floor(Date.now() / 1_000) * 1_000);
    const form = await (await browser.go('/auth/sign-out')).text();
    expect(form).toContain(`${issuer}/session/end/confirm`);
    expect(acts()).toEqual([
      ...['session.start success', 'session.step-up success', 'session.end success'],
    ]);
    await expect(browser.read('/me')).resolves.toEqual({});
  });

  it('refuses a step-up without the strength, and leaves the session as it was', async () => {
    const browser = new Browser();
    await browser.go('/auth/sign-in');
    person = { accountId: 'anna', acr: '0' };
    await expect(browser.go('/auth/step-up')).resolves.toMatchObject({ status: 401 });
    await expect(browser.read('/me')).resolves.toMatchObject({
      ...{ userId: 'anna', steppedUpAtMs: null },
    });
    expect(acts()).toEqual(['session.start success', 'session.step-up refused']);
  });

  it('refuses a step-up by another person, whose coming ends the session at the provider', async () => {
    const browser = new Browser();
    await browser.go('/auth/sign-in');
    person = { accountId: 'ben', acr: 'aifi-step-up' };
    const form = await browser.go('/auth/step-up');
    const back = await browser.submit(await form.text());
    expect(back.status).toBe(401);
    await expect(browser.go('/me')).resolves.toMatchObject({ status: 401 });
    expect(acts()).toEqual([
      ...['session.start success', 'session.revoke success', 'session.step-up refused'],
    ]);
  });

  it('rotates refresh tokens once for many requests, and takes new roles', async () => {
    const browser = new Browser();
    await browser.go('/auth/sign-in');
    for (const role of ['auditor', 'raio', 'procurement']) {
      people.set('anna', { name: 'Anna Smit', aifi_roles: [role] });
      later(46_000);
      const found = await Promise.all(Array.from({ length: 10 }, () => browser.read('/me')));
      expect(found.map(({ roles }) => roles)).toEqual(Array(10).fill([role]));
    }
    expect(acts()).toEqual(['session.start success']);
  });

  it('finds that the provider no longer knows the person, within 60 s', async () => {
    const browser = new Browser();
    await browser.go('/auth/sign-in');
    later(30_000);
    people.delete('anna');
    await expect(browser.go('/me')).resolves.toMatchObject({ status: 200 });
    later(16_000);
    await expect(browser.go('/me')).resolves.toMatchObject({ status: 401 });
    expect(acts()).toEqual(['session.start success', 'session.revoke success']);
  });

  it('ends the session when the person signs out at the provider', async () => {
    const browser = new Browser();
    await browser.go('/auth/sign-in');
    const form = await (await browser.go(`${issuer}/session/end`)).text();
    await browser.submit(form);
    await expect(browser.go('/me')).resolves.toMatchObject({ status: 401 });
    expect(acts()).toEqual(['session.start success', 'session.revoke success']);
  });

  it('refuses a login that another browser began', async () => {
    const victim = new Browser();
    const begun = await sut.begin('sign-in', '/me', requestOf({ headers: {} } as never));
    // The provider sends the browser to our callback, which has no cookie of this login.
    await expect(victim.go(begun.location)).resolves.toMatchObject({ status: 401 });
    expect(victim.cookies.get(publicUrl)?.get(cookieNames(publicUrl).session)).toBeUndefined();
    expect(acts()).toEqual(['session.start refused']);
  });

  it('knows a machine by its own token, for as long as that lives', async () => {
    const { client_id: id, client_secret: secret } = AUTOMATION;
    const response = await fetch(`${issuer}/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'client_credentials', resource: AUDIENCE }),
      headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
    });
    const { access_token: token } = (await response.json()) as { access_token: string };
    const bearer = (text: string) => ({ headers: { authorization: `Bearer ${text}` } });
    const found = await fetch(`${publicUrl}/me`, bearer(token));
    await expect(found.json()).resolves.toMatchObject({
      ...{ kind: 'machine', userId: 'automation', roles: ['hospital-it'], steppedUpAtMs: null },
    });
    later(301_000 + 5_000);
    await expect(fetch(`${publicUrl}/me`, bearer(token))).resolves.toMatchObject({ status: 401 });
  });
});
