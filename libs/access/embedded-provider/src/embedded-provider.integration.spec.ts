/**
 * Goal: the embedded provider signs people in and steps up as its README says, bounds guessing, and
 * its pages carry the headers of the security specification.
 * Method: a running provider, a browser of few lines, real HTTP; tokens verified with its keys.
 */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { join } from 'node:path';
import { DEMO_PASSWORD, startEmbeddedProvider } from './index.js';
import { formsOf, type Form, type Page } from './testing/http-browser.js';
import {
  AUDIENCE,
  loginForm,
  ProviderUnderTest,
  REDIRECT_URI,
  signIn,
} from './testing/provider-under-test.js';
import type { RelyingParty } from './testing/relying-party.js';

const warnings = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
let sut: ProviderUnderTest;
let party: RelyingParty;

beforeAll(async () => {
  ({ sut, party } = await ProviderUnderTest.start());
});
afterAll(async () => {
  await sut.stop();
  // Jest hides from the library what it guards requests with; everything else would be news.
  const news = warnings.mock.calls.filter(([words]) => !/SSRF protection/.test(`${words}`));
  expect(news).toEqual([]);
});

describe('what it says of itself', () => {
  it('offers the code flow with PKCE S256, device codes, introspection, revocation, logout', () => {
    expect(party.metadata).toMatchObject({
      issuer: `http://localhost:${sut.provider.port}`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      acr_values_supported: ['aifi-sign-in', 'aifi-step-up'],
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
      device_authorization_endpoint: `${sut.provider.issuer}/device/auth`,
      introspection_endpoint: `${sut.provider.issuer}/token/introspection`,
      revocation_endpoint: `${sut.provider.issuer}/token/revocation`,
      end_session_endpoint: `${sut.provider.issuer}/session/end`,
    });
  });
  it('names itself whatever the Host header says', async () => {
    const answer = await fetch(
      `http://127.0.0.1:${sut.provider.port}/.well-known/openid-configuration`,
    );
    expect(await answer.json()).toMatchObject({
      issuer: sut.provider.issuer,
      token_endpoint: `${sut.provider.issuer}/token`,
    });
  });
});

describe('sign-in', () => {
  it('puts name, roles, sites, level and time into the ID token and the access token', async () => {
    const { tokens } = await signIn(party, 'radiologist.noord');
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
    const { tokens } = await signIn(party, 'auditor');
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
    for (const { userName } of sut.options.accounts)
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
    const { url } = party.start({ redirect_uri: `${REDIRECT_URI}/more` });
    const page = await party.browser().open(url);
    expect([page.status, page.url.origin]).toEqual([400, sut.provider.issuer]);
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
    sut.clock.advance(60_000);
    expect((await submit(DEMO_PASSWORD)).url.searchParams.has('code')).toBe(true);
  });
});

describe('step-up', () => {
  it('is asked no password within a session, unless it is a step-up', async () => {
    const { browser } = await signIn(party, 'raio.noord');
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
    const { browser } = await signIn(party, 'raio.noord');
    const { url, verifier } = party.start({ acr_values: 'aifi-step-up' });
    const form = loginForm(await browser.open(url));
    const back = await browser.submit(form, { name: 'auditor', password: DEMO_PASSWORD });
    const tokens = await party.redeem(back, verifier);
    const { sub } = await party.verified(tokens.id_token, 'aifi-pages');
    expect(sub).toBe('demo-raio.noord');
  });
  it('is not done without asking: prompt=none is refused', async () => {
    const { browser } = await signIn(party, 'raio.noord');
    const { url } = party.start({ acr_values: 'aifi-step-up', prompt: 'none' });
    expect((await browser.open(url)).url.searchParams.get('error')).toBe('login_required');
  });
});

describe('headers', () => {
  const headersOf = async (path: string): Promise<Record<string, string>> => {
    const { headers } = await fetch(sut.provider.issuer + path, { redirect: 'manual' });
    const changing = ['date', 'content-length', 'keep-alive', 'connection', 'etag'];
    return Object.fromEntries([...headers].filter(([name]) => !changing.includes(name)));
  };
  it('are those of the specification on a page, on data and on a refusal', async () => {
    const all = await headersOf('/device');
    const { 'permissions-policy': permissions, 'set-cookie': cookie, ...page } = all;
    expect(cookie).toMatch(
      /^__Host-aifi-provider-\d+=[\w-]{40,}; path=\/; samesite=lax; secure; httponly; expires=/,
    );
    expect(permissions).toMatch(/^accelerometer=\(\), .*camera=\(\)/);
    expect(page).toMatchInlineSnapshot(`
     {
       "cache-control": "no-store",
       "content-security-policy": "default-src 'none'; style-src 'self'; img-src data:; form-action 'self' http://localhost:1; frame-ancestors 'none'; base-uri 'none'",
       "content-type": "text/html; charset=utf-8",
       "cross-origin-opener-policy": "same-origin",
       "cross-origin-resource-policy": "same-origin",
       "referrer-policy": "no-referrer",
       "x-content-type-options": "nosniff",
       "x-frame-options": "DENY",
     }
    `);
    const always = Object.entries(page).filter(
      ([name]) => !['content-type', 'cache-control'].includes(name),
    );
    for (const path of ['/jwks', '/interaction/unknown', '/nowhere']) {
      expect(Object.entries(await headersOf(path))).toEqual(expect.arrayContaining(always));
    }
  });
  it('promise TLS only where the issuer has it', async () => {
    const keyFolder = join(sut.folder.path, 'behind-proxy');
    const publicUrl = 'https://sign-in.example';
    const other = await startEmbeddedProvider({ ...sut.options, keyFolder, publicUrl });
    const { headers } = await fetch(`http://127.0.0.1:${other.port}/jwks`);
    await other.stop();
    expect(headers.get('strict-transport-security')).toBe('max-age=31536000; includeSubDomains');
    expect(await headersOf('/jwks')).not.toHaveProperty('strict-transport-security');
  });
});
