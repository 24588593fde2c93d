/**
 * Goal: tokens of the embedded provider are renewed, revoked and ended as its README says, and
 * command lines and scripts get theirs. Method: a running provider, real HTTP, a page that hears of
 * ended sessions; tokens verified with the provider's keys.
 */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { chmodSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DEMO_PASSWORD, startEmbeddedProvider } from './index.js';
import {
  AFTER_SIGN_OUT,
  AUDIENCE,
  loginForm,
  MACHINE,
  ProviderUnderTest,
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

describe('renewal and revocation', () => {
  it('gives a new refresh token each time; an old one ends them all', async () => {
    const { tokens } = await signIn(party, 'resident.noord');
    const renewed = await party.refresh(tokens.refresh_token);
    expect(renewed.status).toBe(200);
    expect(renewed.refresh_token).not.toBe(tokens.refresh_token);
    expect(await party.refresh(tokens.refresh_token)).toMatchObject({ error: 'invalid_grant' });
    expect(await party.refresh(renewed.refresh_token)).toMatchObject({ error: 'invalid_grant' });
  });
  it('knows a good access token and a good refresh token by introspection', async () => {
    const { tokens } = await signIn(party, 'radiographer.zuid');
    expect(await party.introspect(tokens.access_token)).toMatchObject({
      ...{ active: true, sub: 'demo-radiographer.zuid', aifi_sites: ['zuid'] },
    });
    expect(await party.introspect(tokens.refresh_token)).toMatchObject({ active: true });
    const [head, body] = tokens.access_token.split('.');
    expect(await party.introspect(`${head}.${body}.AAAA`)).toMatchObject({ active: false });
  });
  it('tells nothing about tokens to somebody without the secret', async () => {
    const { tokens } = await signIn(party, 'radiographer.zuid');
    const wrong = { id: 'aifi-pages', secret: 'not-the-secret-of-it' };
    expect(await party.introspect(tokens.access_token, wrong)).toMatchObject({ status: 401 });
    const open = await party.introspect(tokens.access_token, { id: 'aifi-cli' });
    expect(open['active']).not.toBe(true);
  });
  it('ends access and renewal when the refresh token is revoked', async () => {
    const { tokens } = await signIn(party, 'radiographer.zuid');
    const { revocation_endpoint: endpoint } = party.metadata;
    await party.post(endpoint, { token: tokens.refresh_token });
    expect(await party.refresh(tokens.refresh_token)).toMatchObject({ error: 'invalid_grant' });
    expect(await party.introspect(tokens.access_token)).toMatchObject({ active: false });
  });
  it('ends everything of an account that is disabled, at once', async () => {
    const { browser, tokens } = await signIn(party, 'privacy-officer.noord');
    sut.provider.disable('demo-privacy-officer.noord');
    expect(await party.refresh(tokens.refresh_token)).toMatchObject({ error: 'invalid_grant' });
    expect(await party.introspect(tokens.access_token)).toMatchObject({ active: false });
    const form = loginForm(await browser.open(party.start().url));
    const values = { name: 'privacy-officer.noord', password: DEMO_PASSWORD };
    expect((await browser.submit(form, values)).status).toBe(422);
    sut.provider.enable('demo-privacy-officer.noord');
    expect((await browser.submit(form, values)).url.searchParams.has('code')).toBe(true);
  });
  it('keeps sessions and keys over a restart, in files that others cannot read', async () => {
    const { browser, tokens } = await signIn(party, 'clinical-physicist.noord');
    await sut.restart();
    expect(await party.refresh(tokens.refresh_token)).toMatchObject({ status: 200 });
    expect((await browser.open(party.start().url)).url.searchParams.has('code')).toBe(true);
    for (const name of ['provider-keys.json', 'provider.db']) {
      expect(statSync(join(sut.options.keyFolder, name)).mode & 0o077).toBe(0);
    }
  });
  it('does not start with a key file that others may read', async () => {
    const path = join(sut.options.keyFolder, 'provider-keys.json');
    chmodSync(path, 0o644);
    const started = startEmbeddedProvider(sut.options);
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
    const { browser, tokens } = await signIn(party, 'hospital-it.noord');
    const { sid } = await party.verified(tokens.id_token, 'aifi-pages');
    const values = {
      id_token_hint: tokens.id_token,
      post_logout_redirect_uri: AFTER_SIGN_OUT,
      state: 's',
    };
    const page = await browser.open(endUrl(values));
    expect(page.url.href).toBe(`${AFTER_SIGN_OUT}?state=s`);
    expect(await party.verified(sut.logoutTokens.at(-1) ?? '', 'aifi-pages')).toMatchObject({
      ...{ sub: 'demo-hospital-it.noord', sid },
    });
    expect(await party.refresh(tokens.refresh_token)).toMatchObject({ error: 'invalid_grant' });
    expect((await browser.open(party.start().url)).text).toContain('id="password"');
  });
  it('returns to our page when the session has already ended', async () => {
    const { tokens } = await signIn(party, 'hospital-it.noord');
    const values = { id_token_hint: tokens.id_token, post_logout_redirect_uri: AFTER_SIGN_OUT };
    expect((await party.browser().open(endUrl(values))).url.href).toBe(AFTER_SIGN_OUT);
  });
  it('asks a person who comes without an ID token', async () => {
    const { browser } = await signIn(party, 'hospital-it.noord');
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
    const page = await browser.open(`${sut.provider.issuer}/device`);
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
