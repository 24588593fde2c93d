/**
 * Goal: a real Keycloak with our realm gives the platform what the embedded provider gives: claims,
 * audience, step-up with a second factor, rotation, revocation, device codes, machine tokens.
 * Method: its published distribution, realm and test accounts imported at start, its own HTML forms
 * by a browser of few lines. Started once for the suite.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { ROLES } from '@aifi/access-authorisation';
import { systemClock } from '@aifi/shared-kernel';
import { freePorts, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { hasKeycloak } from '../../../../deploy/services/keycloak/install.mjs';
import { oneTimeCode } from '../../../../deploy/services/keycloak/one-time-code.mjs';
import {
  prepareKeycloak,
  TEST_OTP_SECRET,
  TEST_USERS_FILE,
  testPassword,
  type PreparedKeycloak,
} from '../../../../deploy/services/keycloak/start.mjs';
import { formsOf, type Form, type HttpBrowser, type Page } from './testing/http-browser.js';
import { RelyingParty, type TokenAnswer } from './testing/relying-party.js';

const AUDIENCE = 'aifi-hub';
const SECRET = 'a-secret-of-this-test';
const MACHINE = { id: 'automation', secret: 'another-secret-of-this-test' };
/** A server that initialises its database, on two cores that others use too. @unit ms */
const START_MS_MAX = 120_000;
const POLL_MS = 200;

let folder: TemporaryFolder;
let child: ChildProcess;
let prepared: PreparedKeycloak;
let pages: Server;
let logoutTokens: string[];
let party: RelyingParty;

async function isUp(): Promise<boolean> {
  try {
    return (await fetch(prepared.healthUrl)).ok;
  } catch {
    return false;
  }
}

async function startKeycloak(log: string): Promise<void> {
  const output = openSync(log, 'a', 0o600);
  child = spawn(prepared.command, prepared.arguments, {
    stdio: ['ignore', output, output],
    env: prepared.environment,
  });
  closeSync(output);
  const untilMs = systemClock.monotonicMs() + START_MS_MAX;
  while (!(await isUp())) {
    if (child.exitCode !== null || systemClock.monotonicMs() > untilMs) {
      throw new Error(`Keycloak did not start:\n${readFileSync(log, 'utf8').slice(-2_000)}`);
    }
    await systemClock.sleep(POLL_MS);
  }
}

/** Our page: it only hears of sessions that have ended. */
function startPages(port: number): Promise<void> {
  pages = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      logoutTokens.push(new URLSearchParams(body).get('logout_token') ?? '');
      response.end();
    });
  });
  return new Promise((resolve) => pages.listen(port, '127.0.0.1', () => resolve()));
}

async function start(): Promise<void> {
  folder = temporaryFolder('keycloak');
  logoutTokens = [];
  const [httpPort = 0, pagesPort = 0] = await freePorts(2);
  await startPages(pagesPort);
  const pagesUrl = `http://localhost:${pagesPort}`;
  prepared = prepareKeycloak({
    ...{ folder: join(folder.path, 'server'), httpPort },
    publicUrl: `http://localhost:${httpPort}`,
    ...{ usersFile: TEST_USERS_FILE, testSite: 'noord', audience: AUDIENCE },
    pages: { url: pagesUrl, secret: SECRET },
    automationSecret: MACHINE.secret,
  });
  await startKeycloak(join(folder.path, 'server.log'));
  party = await RelyingParty.discover(
    prepared.discoveryUrl,
    { id: 'aifi-pages', secret: SECRET },
    `${pagesUrl}/auth/callback`,
  );
}

async function stop(): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  // Nothing of it is kept: there is no order to stop in.
  if (child.kill('SIGKILL')) await gone;
  await new Promise((resolve) => pages.close(resolve));
  folder.remove();
}

const firstForm = (page: Page): Form => formsOf(page)[0] as Form;

interface SignedIn {
  readonly browser: HttpBrowser;
  readonly back: Page;
  readonly tokens: TokenAnswer;
}
async function signIn(username: string): Promise<SignedIn> {
  const browser = party.browser();
  const { url, verifier } = party.start();
  const form = firstForm(await browser.open(url));
  const back = await browser.submit(form, { username, password: testPassword(username) });
  return { browser, back, tokens: await party.redeem(back, verifier) };
}

/** A step-up until the page that asks for the second factor. */
async function askedForCode(
  browser: HttpBrowser,
  username: string,
): Promise<{ verifier: string; otpPage: Page }> {
  const { url, verifier } = party.start({ acr_values: 'aifi-step-up', max_age: '0' });
  const form = firstForm(await browser.open(url));
  const otpPage = await browser.submit(form, { password: testPassword(username) });
  expect(otpPage.text).toContain('name="otp"');
  return { verifier, otpPage };
}

/** What an administrator may do. */
async function asAdmin(method: string, path: string): Promise<Response> {
  const { tokenUrl, url, adminPassword } = prepared.admin;
  const form = { grant_type: 'password', username: 'admin', password: adminPassword };
  const token = (await party.post(tokenUrl, form, { id: 'admin-cli' })) as unknown as TokenAnswer;
  return fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${token.access_token}` },
  });
}

const suite = hasKeycloak() || process.env['CI'] === 'true' ? describe : describe.skip;
suite('Keycloak with the realm of deploy/keycloak', () => {
  beforeAll(start, START_MS_MAX);
  afterAll(stop);

  it('names itself as browsers see it, and its endpoints as this machine reaches them', () => {
    expect(party.metadata).toMatchObject({
      issuer: prepared.issuer,
      acr_values_supported: expect.arrayContaining(['aifi-sign-in', 'aifi-step-up']),
      backchannel_logout_session_supported: true,
    });
    expect(new URL(party.metadata.token_endpoint).hostname).toBe('127.0.0.1');
    expect(new URL(party.metadata.authorization_endpoint).hostname).toBe('localhost');
  });

  it('puts name, roles, sites, level and time into both tokens, for our audience', async () => {
    const { tokens } = await signIn('radiologist');
    const expected = {
      name: 'radiologist One',
      aifi_sites: ['noord'],
      acr: 'aifi-sign-in',
      auth_time: expect.any(Number),
    };
    const idToken = await party.verified(tokens.id_token, 'aifi-pages');
    expect(idToken).toMatchObject({ ...expected, nonce: 'nonce-1', sid: expect.any(String) });
    const access = await party.verified(tokens.access_token, AUDIENCE);
    expect(access).toMatchObject({ ...expected, sub: idToken.sub, azp: 'aifi-pages' });
    expect((access.exp ?? 0) - (access.iat ?? 0)).toBe(300);
    for (const { aifi_roles: roles } of [idToken, access]) {
      const known = (roles as string[]).filter((role) => ROLES.some((one) => one === role));
      expect(known).toEqual(['radiologist']);
    }
  });

  it('gives a national role no site', async () => {
    const { tokens } = await signIn('auditor');
    const { aifi_sites: sites = [] } = await party.verified(tokens.id_token, 'aifi-pages');
    expect(sites).toEqual([]);
  });

  it('refuses a wrong password, a flow without PKCE and another redirect address', async () => {
    const browser = party.browser();
    const form = firstForm(await browser.open(party.start().url));
    const wrong = await browser.submit(form, { username: 'vendor', password: 'wrong' });
    expect(wrong.url.origin).toBe(new URL(prepared.issuer).origin);
    const { url } = party.start();
    url.searchParams.delete('code_challenge');
    const plain = await party.browser().open(url);
    expect(plain.url.searchParams.get('error')).toBe('invalid_request');
    const elsewhere = party.start({ redirect_uri: 'http://localhost:1/auth/callback' });
    expect((await party.browser().open(elsewhere.url)).status).toBe(400);
  });

  it('steps up with password and second factor of the same person, and says so', async () => {
    const { browser, tokens } = await signIn('hospital-it');
    expect((await browser.open(party.start().url)).url.searchParams.has('code')).toBe(true);
    const before = await party.verified(tokens.id_token, 'aifi-pages');
    const { verifier, otpPage } = await askedForCode(browser, 'hospital-it');
    const otp = oneTimeCode(TEST_OTP_SECRET, systemClock.nowMs());
    const back = await browser.submit(firstForm(otpPage), { otp });
    const stepped = await party.redeem(back, verifier);
    const after = await party.verified(stepped.id_token, 'aifi-pages');
    expect(after).toMatchObject({ sub: before.sub, sid: before['sid'], acr: 'aifi-step-up' });
    expect(Number(after['auth_time'])).toBeGreaterThanOrEqual(Number(before['auth_time']));
    const access = await party.verified(stepped.access_token, AUDIENCE);
    expect(access['acr']).toBe('aifi-step-up');
  });

  it('takes no step-up with a wrong second factor', async () => {
    const { browser } = await signIn('raio');
    const { otpPage } = await askedForCode(browser, 'raio');
    const wrong = Number(oneTimeCode(TEST_OTP_SECRET, systemClock.nowMs())) + 1;
    const otp = String(wrong % 1_000_000).padStart(6, '0');
    const page = await browser.submit(firstForm(otpPage), { otp });
    expect([page.url.searchParams.has('code'), page.text.includes('name="otp"')]).toEqual([
      false,
      true,
    ]);
  });

  it('gives a new refresh token each time, and takes an old one no more', async () => {
    const { tokens } = await signIn('resident');
    const renewed = await party.refresh(tokens.refresh_token);
    expect(renewed.status).toBe(200);
    expect(renewed.refresh_token).not.toBe(tokens.refresh_token);
    expect(await party.refresh(tokens.refresh_token)).toMatchObject({ error: 'invalid_grant' });
  });

  it('ends a session that an administrator ends, and tells our page', async () => {
    const { tokens } = await signIn('radiographer');
    expect(await party.introspect(tokens.access_token)).toMatchObject({ active: true });
    const { sub, sid } = await party.verified(tokens.id_token, 'aifi-pages');
    expect((await asAdmin('POST', `/users/${sub}/logout`)).status).toBe(204);
    expect(await party.refresh(tokens.refresh_token)).toMatchObject({ error: 'invalid_grant' });
    expect(await party.introspect(tokens.access_token)).toMatchObject({ active: false });
    const told = await party.verified(logoutTokens.at(-1) ?? '', 'aifi-pages');
    expect(told).toMatchObject({ sub, sid });
  });

  it('ends the session when our page signs out, and returns to it', async () => {
    const { browser, back, tokens } = await signIn('privacy-officer');
    const url = new URL(party.metadata.end_session_endpoint);
    const after = `${back.url.origin}/`;
    const values = { id_token_hint: tokens.id_token, post_logout_redirect_uri: after };
    url.search = new URLSearchParams(values).toString();
    expect((await browser.open(url)).url.href).toBe(after);
    expect(await party.refresh(tokens.refresh_token)).toMatchObject({ error: 'invalid_grant' });
  });

  it('gives a script a token for our audience that is no person', async () => {
    const tokens = await party.token({ grant_type: 'client_credentials' }, MACHINE);
    expect(await party.verified(tokens.access_token, AUDIENCE)).toMatchObject({
      ...{ azp: 'automation', preferred_username: 'service-account-automation' },
      ...{ aifi_sites: ['noord'], aifi_roles: expect.arrayContaining(['hospital-it']) },
    });
  });

  it('connects a command line by a code', async () => {
    const cli = { id: 'aifi-cli' };
    const { device_authorization_endpoint: endpoint } = party.metadata;
    const asked = await party.post(endpoint, { scope: 'openid profile' }, cli);
    const device = asked as unknown as Readonly<Record<string, string>>;
    const grant = {
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      device_code: device['device_code'] ?? '',
    };
    expect(await party.token(grant, cli)).toMatchObject({ error: 'authorization_pending' });
    const browser = party.browser();
    const login = firstForm(await browser.open(device['verification_uri_complete'] ?? ''));
    const password = testPassword('model-manager');
    const compare = await browser.submit(login, { username: 'model-manager', password });
    await browser.submit(firstForm(compare), { accept: 'Yes' });
    // RFC 8628 3.5: asking sooner than the interval is refused.
    await systemClock.sleep(Number(device['interval']) * 1_000);
    const tokens = await party.token(grant, cli);
    expect(await party.verified(tokens.access_token, AUDIENCE)).toMatchObject({
      ...{ azp: 'aifi-cli', aifi_roles: expect.arrayContaining(['model-manager']) },
    });
    expect(await party.introspect(tokens.access_token)).toMatchObject({ active: true });
  }, 20_000);
});
