/**
 * Goal: the embedded provider signs people in, steps up, renews, revokes and signs out as its
 * README says, and its pages carry the headers of the security specification.
 * Method: a running provider, a browser of few lines, real HTTP; tokens verified with its keys.
 */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chmodSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { FakeClock, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import {
  DEMO_PASSWORD,
  demoAccounts,
  startEmbeddedProvider,
  type EmbeddedProvider,
  type EmbeddedProviderOptions,
} from './index.js';
import { formsOf, type Form, type HttpBrowser, type Page } from './testing/http-browser.js';
import { RelyingParty, type TokenAnswer } from './testing/relying-party.js';

const REDIRECT = 'http://localhost:1/auth/callback';
const AFTER = 'http://localhost:1/';
const AUDIENCE = 'aifi-hub';
const SECRET = 'a-secret-of-this-test';
const MACHINE = { id: 'automation', secret: 'another-secret-of-this-test' };

const warnings = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
let folder: TemporaryFolder;
let clock: FakeClock;
let pages: Server;
let logoutTokens: string[];
let options: EmbeddedProviderOptions;
let sut: EmbeddedProvider;
let party: RelyingParty;

async function discover(issuer: string): Promise<RelyingParty> {
  const url = `${issuer}/.well-known/openid-configuration`;
  return RelyingParty.discover(url, { id: 'aifi-pages', secret: SECRET }, REDIRECT);
}

beforeAll(async () => {
  folder = temporaryFolder('provider');
  clock = new FakeClock();
  logoutTokens = [];
  pages = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      logoutTokens.push(new URLSearchParams(body).get('logout_token') ?? '');
      response.end();
    });
  });
  await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', () => resolve()));
  const { port } = pages.address() as AddressInfo;
  options = {
    listen: { host: '127.0.0.1', port: 0 },
    redirectUris: [REDIRECT],
    postLogoutRedirectUris: [AFTER],
    backChannelLogoutUri: `http://127.0.0.1:${port}/auth/back-channel-logout`,
    clientSecret: SECRET,
    audience: AUDIENCE,
    automation: { secret: MACHINE.secret, roles: ['hospital-it'], siteIds: ['noord'] },
    accounts: demoAccounts({ siteIds: ['noord', 'zuid'] }),
    keyFolder: join(folder.path, 'provider'),
    clock,
  };
  sut = await startEmbeddedProvider(options);
  party = await discover(sut.issuer);
});
afterAll(async () => {
  await sut.stop();
  await new Promise((resolve) => pages.close(resolve));
  folder.remove();
  // Jest hides from the library what it guards requests with; everything else would be news.
  const news = warnings.mock.calls.filter(([words]) => !/SSRF protection/.test(`${words}`));
  expect(news).toEqual([]);
});

const loginForm = (page: Page): Form => formsOf(page)[0] as Form;

interface SignedIn {
  readonly browser: HttpBrowser;
  readonly tokens: TokenAnswer;
}
async function signIn(name: string): Promise<SignedIn> {
  const browser = party.browser();
  const { url, verifier } = party.start();
  const form = loginForm(await browser.open(url));
  const back = await browser.submit(form, { name, password: DEMO_PASSWORD });
  return { browser, tokens: await party.redeem(back, verifier) };
}

describe('what it says of itself', () => {
  it('offers the code flow with PKCE S256, device codes, introspection, revocation, logout', () => {
    expect(party.metadata).toMatchObject({
      issuer: `http://localhost:${sut.port}`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      acr_values_supported: ['aifi-sign-in', 'aifi-step-up'],
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
      device_authorization_endpoint: `${sut.issuer}/device/auth`,
      introspection_endpoint: `${sut.issuer}/token/introspection`,
      revocation_endpoint: `${sut.issuer}/token/revocation`,
      end_session_endpoint: `${sut.issuer}/session/end`,
    });
  });
  it('names itself whatever the Host header says', async () => {
    const answer = await fetch(`http://127.0.0.1:${sut.port}/.well-known/openid-configuration`);
    expect(await answer.json()).toMatchObject({
      issuer: sut.issuer,
      token_endpoint: `${sut.issuer}/token`,
    });
  });
});

describe('sign-in', () => {
  it('puts name, roles, sites, level and time into the ID token and the access token', async () => {
    const { tokens } = await signIn('radiologist.noord');
    const expected = {
      sub: 'demo-radiologist.noord',
      name: expect.stringMatching(/^\S+ .+$/),
      aifi_roles: ['radiologist'],
      aifi_sites: ['noord'],
      acr: 'aifi-sign-in',
      auth_time: expect.any(Number),
    };
    const idToken = await party.verified(tokens.id_token, 'aifi-pages');
    expect(idToken).toMatchObject({ ...expected, nonce: 'nonce-1', sid: expect.any(String) });
    const access = await party.verified(tokens.access_token, AUDIENCE);
    expect(access).toMatchObject({ ...expected, client_id: 'aifi-pages' });
    expect((access.exp ?? 0) - (access.iat ?? 0)).toBe(300);
  });
  it('gives a national role an empty list of sites', async () => {
    const { tokens } = await signIn('auditor');
    const { aifi_sites: sites } = await party.verified(tokens.id_token, 'aifi-pages');
    expect(sites).toEqual([]);
  });
  it('fills in the name of the account that was chosen', async () => {
    const browser = party.browser();
    const page = await browser.open(party.start().url);
    const [link = ''] = /\/interaction\/[^"]+account=auditor(?=")/.exec(page.text) ?? [];
    expect(loginForm(await browser.open(new URL(link, page.url))).fields['name']).toBe('auditor');
  });
  it('shows every account and the password, and says that it is a demonstration', async () => {
    const page = await party.browser().open(party.start().url);
    for (const { userName } of options.accounts)
      expect(page.text).toContain(`> · ${userName}<`.slice(4));
    expect(page.text).toContain(`<code>${DEMO_PASSWORD}</code>`);
    expect(page.text).toContain('Demonstration');
    expect(page.text).not.toMatch(/<script|style=|onclick/);
  });
  it.each([
    ['nl', {}, 'nl', 'Inloggen'],
    ['en', { ui_locales: 'nl-NL en' }, 'nl', 'Inloggen'],
    ['nl', { ui_locales: 'fr en' }, 'en', 'Sign in'],
    ['fr', {}, 'en', 'Sign in'],
  ])('speaks to a browser of language %s with %j in %s', async (accept, extra, lang, title) => {
    const page = await party.browser(accept).open(party.start(extra).url);
    expect(page.text).toContain(`<html lang="${lang}">`);
    expect(page.text).toContain(`>${title}</h1>`);
  });
  it('refuses a redirect address that is not registered to the letter', async () => {
    const { url } = party.start({ redirect_uri: `${REDIRECT}/more` });
    const page = await party.browser().open(url);
    expect([page.status, page.url.origin]).toEqual([400, sut.issuer]);
    expect(page.text).not.toContain('more');
  });
  it('refuses a flow without PKCE', async () => {
    const { url } = party.start();
    url.searchParams.delete('code_challenge');
    url.searchParams.delete('code_challenge_method');
    const page = await party.browser().open(url);
    expect(page.url.searchParams.get('error')).toBe('invalid_request');
  });
  it('returns to our page when a person cancels', async () => {
    const browser = party.browser();
    const [, cancel] = formsOf(await browser.open(party.start().url));
    const page = await browser.submit(cancel as Form);
    expect(page.url.searchParams.get('error')).toBe('access_denied');
  });
  it('escapes what a form sends back', async () => {
    const browser = party.browser();
    const form = loginForm(await browser.open(party.start().url));
    const name = '"><img src=x>';
    const page = await browser.submit(form, { name, password: 'x' });
    expect(page.text).not.toContain('<img');
    expect(loginForm(page).fields['name']).toBe(name);
  });
  it('takes no form from a page of another site, and none that is large', async () => {
    const browser = party.browser();
    const { action } = loginForm(await browser.open(party.start().url));
    const cookie = 'x=y';
    const init = { method: 'POST', redirect: 'manual' } as const;
    const cross = { cookie, 'sec-fetch-site': 'cross-site' };
    expect((await fetch(action, { ...init, headers: cross })).status).toBe(400);
    const large = await browser.submit({ action, fields: { name: 'x'.repeat(5_000) } });
    expect([large.status, large.text.includes('expired')]).toEqual([400, true]);
  });
});

describe('wrong passwords', () => {
  it('answers a wrong password and an unknown name alike', async () => {
    const answers = [];
    for (const name of ['procurement', 'nobody']) {
      const browser = party.browser();
      const form = loginForm(await browser.open(party.start().url));
      const page = await browser.submit(form, { name, password: 'wrong' });
      const [alert] = /<p class="alert".*?<\/p>/.exec(page.text) ?? [];
      answers.push([page.status, alert]);
    }
    expect(answers[0]).toEqual([422, expect.stringContaining('not right')]);
    expect(answers[1]).toEqual(answers[0]);
  });
  it('tries nothing any more after five, until a minute has passed', async () => {
    const browser = party.browser();
    const form = loginForm(await browser.open(party.start().url));
    const submit = (password: string): Promise<Page> =>
      browser.submit(form, { name: 'vendor', password });
    for (let tries = 0; tries < 5; tries += 1) await submit('wrong');
    expect((await submit(DEMO_PASSWORD)).status).toBe(429);
    clock.advance(60_000);
    expect((await submit(DEMO_PASSWORD)).url.searchParams.has('code')).toBe(true);
  });
});

describe('step-up', () => {
  it('is asked no password within a session, unless it is a step-up', async () => {
    const { browser } = await signIn('raio.noord');
    expect((await browser.open(party.start().url)).url.searchParams.has('code')).toBe(true);
    const { url, verifier } = party.start({ acr_values: 'aifi-step-up', max_age: '0' });
    const page = await browser.open(url);
    expect(page.text).toContain('Confirm that it is you');
    const back = await browser.submit(loginForm(page), { password: DEMO_PASSWORD });
    const tokens = await party.redeem(back, verifier);
    const claims = { acr: 'aifi-step-up', auth_time: expect.any(Number) };
    expect(await party.verified(tokens.id_token, 'aifi-pages')).toMatchObject(claims);
    expect(await party.verified(tokens.access_token, AUDIENCE)).toMatchObject(claims);
  });
  it('stays with the person of the session, whatever name is sent', async () => {
    const { browser } = await signIn('raio.noord');
    const { url, verifier } = party.start({ acr_values: 'aifi-step-up' });
    const form = loginForm(await browser.open(url));
    const back = await browser.submit(form, { name: 'auditor', password: DEMO_PASSWORD });
    const tokens = await party.redeem(back, verifier);
    const { sub } = await party.verified(tokens.id_token, 'aifi-pages');
    expect(sub).toBe('demo-raio.noord');
  });
  it('is not done without asking: prompt=none is refused', async () => {
    const { browser } = await signIn('raio.noord');
    const { url } = party.start({ acr_values: 'aifi-step-up', prompt: 'none' });
    expect((await browser.open(url)).url.searchParams.get('error')).toBe('login_required');
  });
});

describe('renewal and revocation', () => {
  it('gives a new refresh token each time; an old one ends them all', async () => {
    const { tokens } = await signIn('resident.noord');
    const renewed = await party.refresh(tokens.refresh_token);
    expect(renewed.status).toBe(200);
    expect(renewed.refresh_token).not.toBe(tokens.refresh_token);
    expect(await party.refresh(tokens.refresh_token)).toMatchObject({ error: 'invalid_grant' });
    expect(await party.refresh(renewed.refresh_token)).toMatchObject({ error: 'invalid_grant' });
  });
  it('knows a good access token and a good refresh token by introspection', async () => {
    const { tokens } = await signIn('radiographer.zuid');
    expect(await party.introspect(tokens.access_token)).toMatchObject({
      ...{ active: true, sub: 'demo-radiographer.zuid', aifi_sites: ['zuid'] },
    });
    expect(await party.introspect(tokens.refresh_token)).toMatchObject({ active: true });
    const [head, body] = tokens.access_token.split('.');
    expect(await party.introspect(`${head}.${body}.AAAA`)).toMatchObject({ active: false });
  });
  it('tells nothing about tokens to somebody without the secret', async () => {
    const { tokens } = await signIn('radiographer.zuid');
    const wrong = { id: 'aifi-pages', secret: 'not-the-secret-of-it' };
    expect(await party.introspect(tokens.access_token, wrong)).toMatchObject({ status: 401 });
    const open = await party.introspect(tokens.access_token, { id: 'aifi-cli' });
    expect(open['active']).not.toBe(true);
  });
  it('ends access and renewal when the refresh token is revoked', async () => {
    const { tokens } = await signIn('radiographer.zuid');
    const { revocation_endpoint: endpoint } = party.metadata;
    await party.post(endpoint, { token: tokens.refresh_token });
    expect(await party.refresh(tokens.refresh_token)).toMatchObject({ error: 'invalid_grant' });
    expect(await party.introspect(tokens.access_token)).toMatchObject({ active: false });
  });
  it('ends everything of an account that is disabled, at once', async () => {
    const { browser, tokens } = await signIn('privacy-officer.noord');
    sut.disable('demo-privacy-officer.noord');
    expect(await party.refresh(tokens.refresh_token)).toMatchObject({ error: 'invalid_grant' });
    expect(await party.introspect(tokens.access_token)).toMatchObject({ active: false });
    const form = loginForm(await browser.open(party.start().url));
    const values = { name: 'privacy-officer.noord', password: DEMO_PASSWORD };
    expect((await browser.submit(form, values)).status).toBe(422);
    sut.enable('demo-privacy-officer.noord');
    expect((await browser.submit(form, values)).url.searchParams.has('code')).toBe(true);
  });
  it('keeps sessions and keys over a restart, in files that others cannot read', async () => {
    const { browser, tokens } = await signIn('clinical-physicist.noord');
    const { port } = sut;
    await sut.stop();
    sut = await startEmbeddedProvider({ ...options, listen: { host: '127.0.0.1', port } });
    expect(await party.refresh(tokens.refresh_token)).toMatchObject({ status: 200 });
    expect((await browser.open(party.start().url)).url.searchParams.has('code')).toBe(true);
    for (const name of ['provider-keys.json', 'provider.db']) {
      expect(statSync(join(options.keyFolder, name)).mode & 0o077).toBe(0);
    }
  });
  it('does not start with a key file that others may read', async () => {
    const path = join(options.keyFolder, 'provider-keys.json');
    chmodSync(path, 0o644);
    const started = startEmbeddedProvider(options);
    await expect(started).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    chmodSync(path, 0o600);
  });
});

describe('sign-out', () => {
  const endUrl = (values: Readonly<Record<string, string>>): URL => {
    const url = new URL(party.metadata.end_session_endpoint);
    url.search = new URLSearchParams(values).toString();
    return url;
  };
  it('ends the session at once for our page, tells it, and returns to it', async () => {
    const { browser, tokens } = await signIn('hospital-it.noord');
    const { sid } = await party.verified(tokens.id_token, 'aifi-pages');
    const values = { id_token_hint: tokens.id_token, post_logout_redirect_uri: AFTER, state: 's' };
    const page = await browser.open(endUrl(values));
    expect(page.url.href).toBe(`${AFTER}?state=s`);
    expect(await party.verified(logoutTokens.at(-1) ?? '', 'aifi-pages')).toMatchObject({
      ...{ sub: 'demo-hospital-it.noord', sid },
    });
    expect(await party.refresh(tokens.refresh_token)).toMatchObject({ error: 'invalid_grant' });
    expect((await browser.open(party.start().url)).text).toContain('id="password"');
  });
  it('returns to our page when the session has already ended', async () => {
    const { tokens } = await signIn('hospital-it.noord');
    const values = { id_token_hint: tokens.id_token, post_logout_redirect_uri: AFTER };
    expect((await party.browser().open(endUrl(values))).url.href).toBe(AFTER);
  });
  it('asks a person who comes without an ID token', async () => {
    const { browser } = await signIn('hospital-it.noord');
    const page = await browser.open(endUrl({}));
    expect(page.text).toContain('>Sign out</h1>');
    expect((await browser.open(party.start().url)).url.searchParams.has('code')).toBe(true);
    const again = await browser.open(endUrl({}));
    const done = await browser.submit(loginForm(again), { logout: 'yes' });
    expect(done.text).toContain('Signed out');
    expect((await browser.open(party.start().url)).text).toContain('id="password"');
  });
});

describe('the command line and scripts', () => {
  it('connects a command line by a code that a person compares', async () => {
    const cli = { id: 'aifi-cli' };
    const { device_authorization_endpoint: endpoint } = party.metadata;
    const device = (await party.post(
      endpoint,
      { scope: 'openid profile' },
      cli,
    )) as unknown as Record<string, string>;
    const grant = {
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      device_code: device['device_code'] ?? '',
    };
    expect(await party.token(grant, cli)).toMatchObject({ error: 'authorization_pending' });
    const browser = party.browser();
    const first = await browser.open(device['verification_uri_complete'] ?? '');
    expect(loginForm(first).fields['user_code']).toBe(device['user_code']);
    const compare = await browser.submit(loginForm(first));
    expect(compare.text).toContain(`<code class="large">${device['user_code']}</code>`);
    const login = await browser.submit(loginForm(compare));
    const values = { name: 'model-manager', password: DEMO_PASSWORD };
    expect((await browser.submit(loginForm(login), values)).text).toContain('>Connected</h1>');
    const tokens = await party.token(grant, cli);
    expect(await party.verified(tokens.access_token, AUDIENCE)).toMatchObject({
      ...{ sub: 'demo-model-manager', client_id: 'aifi-cli', aifi_roles: ['model-manager'] },
    });
    expect(await party.introspect(tokens.access_token)).toMatchObject({ active: true });
    const renewed = await party.token(
      { grant_type: 'refresh_token', refresh_token: tokens.refresh_token },
      cli,
    );
    expect(renewed.status).toBe(200);
  });
  it('says so when a code is not known', async () => {
    const browser = party.browser();
    const page = await browser.open(`${sut.issuer}/device`);
    const answer = await browser.submit(loginForm(page), { user_code: 'AAAA-AAAA' });
    expect(answer.text).toContain('That code is not known');
  });
  it('gives a script a token with the roles and sites of the settings', async () => {
    const tokens = await party.token({ grant_type: 'client_credentials' }, MACHINE);
    const claims = {
      ...{ sub: 'automation', client_id: 'automation' },
      ...{ aifi_roles: ['hospital-it'], aifi_sites: ['noord'] },
    };
    expect(await party.verified(tokens.access_token, AUDIENCE)).toMatchObject(claims);
    expect(await party.introspect(tokens.access_token)).toMatchObject({ active: true });
    expect(tokens.refresh_token).toBeUndefined();
  });
});

describe('headers', () => {
  const headersOf = async (path: string): Promise<Record<string, string>> => {
    const { headers } = await fetch(sut.issuer + path, { redirect: 'manual' });
    const changing = ['date', 'content-length', 'keep-alive', 'connection', 'etag'];
    return Object.fromEntries([...headers].filter(([name]) => !changing.includes(name)));
  };
  it('are those of the specification on a page, on data and on a refusal', async () => {
    const { 'permissions-policy': permissions, ...page } = await headersOf('/device');
    expect(permissions).toMatch(/^accelerometer=\(\), .*camera=\(\)/);
    expect(page).toMatchInlineSnapshot(`
     {
       "cache-control": "no-store",
       "content-security-policy": "default-src 'none'; style-src 'self'; img-src data:; form-action 'self' http://localhost:1; frame-ancestors 'none'; base-uri 'none'",
       "content-type": "text/html; charset=utf-8",
       "cross-origin-opener-policy": "same-origin",
       "cross-origin-resource-policy": "same-origin",
       "referrer-policy": "no-referrer",
       "set-cookie": "__Host-aifi-provider-46227=xcZYBskEyWdnpll63w_9P7TOm0vqqYqVatgQKE0u6Oj; path=/; samesite=lax; secure; httponly; expires=Sat, 21 Nov 2026 17:55:10 GMT",
       "x-content-type-options": "nosniff",
       "x-frame-options": "DENY",
     }
    `);
    const always = Object.entries(page).filter(
      ([name]) => !['set-cookie', 'content-type', 'cache-control'].includes(name),
    );
    for (const path of ['/jwks', '/interaction/unknown', '/nowhere']) {
      expect(Object.entries(await headersOf(path))).toEqual(expect.arrayContaining(always));
    }
  });
  it('promise TLS only where the issuer has it', async () => {
    const keyFolder = join(folder.path, 'behind-proxy');
    const publicUrl = 'https://sign-in.example';
    const other = await startEmbeddedProvider({ ...options, keyFolder, publicUrl });
    const { headers } = await fetch(`http://127.0.0.1:${other.port}/jwks`);
    await other.stop();
    expect(headers.get('strict-transport-security')).toBe('max-age=31536000; includeSubDomains');
    expect(await headersOf('/jwks')).not.toHaveProperty('strict-transport-security');
  });
});
