/**
 * ProviderUnderTest: a running embedded provider, our page as it sees it, and a page that hears of
 * sessions that have ended. Decides addresses, secrets and accounts that the suites name.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { FakeClock, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { DEMO_PASSWORD, demoAccounts } from '../demo-account.js';
import { startEmbeddedProvider } from '../embedded-provider.js';
import type { EmbeddedProvider, EmbeddedProviderOptions } from '../embedded-provider-options.js';
import { formsOf, type Form, type HttpBrowser, type Page } from './http-browser.js';
import { RelyingParty, type TokenAnswer } from './relying-party.js';

/** Nobody listens there: the browser of the suites stops at our page. */
export const REDIRECT_URI = 'http://localhost:1/auth/callback';
export const AFTER_SIGN_OUT = 'http://localhost:1/';
export const AUDIENCE = 'aifi-hub';
export const MACHINE = { id: 'automation', secret: 'another-secret-of-this-test' };
const SECRET = 'a-secret-of-this-test';

export const loginForm = (page: Page): Form => formsOf(page)[0] as Form;

export interface SignedIn {
  readonly browser: HttpBrowser;
  readonly tokens: TokenAnswer;
}

export class ProviderUnderTest {
  /** Moves the bound on wrong passwords. */
  readonly clock: FakeClock;
  /** As they came to the page of back-channel logout. */
  readonly logoutTokens: string[] = [];

  private constructor(
    readonly folder: TemporaryFolder,
    readonly options: EmbeddedProviderOptions,
    private readonly pages: Server,
    public provider: EmbeddedProvider,
  ) {
    this.clock = options.clock as FakeClock;
  }

  static async start(): Promise<{ sut: ProviderUnderTest; party: RelyingParty }> {
    const folder = temporaryFolder('provider');
    const pages = createServer();
    await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', () => resolve()));
    const { port } = pages.address() as AddressInfo;
    const clock = new FakeClock();
    const options: EmbeddedProviderOptions = {
      listen: { host: '127.0.0.1', port: 0 },
      redirectUris: [REDIRECT_URI],
      postLogoutRedirectUris: [AFTER_SIGN_OUT],
      backChannelLogoutUri: `http://127.0.0.1:${port}/auth/back-channel-logout`,
      clientSecret: SECRET,
      audience: AUDIENCE,
      automation: { secret: MACHINE.secret, roles: ['hospital-it'], siteIds: ['noord'] },
      accounts: demoAccounts({ siteIds: ['noord', 'zuid'] }),
      keyFolder: join(folder.path, 'provider'),
      clock,
    };
    const provider = await startEmbeddedProvider(options);
    const sut = new ProviderUnderTest(folder, options, pages, provider);
    sut.#hear();
    const url = `${provider.issuer}/.well-known/openid-configuration`;
    const client = { id: 'aifi-pages', secret: SECRET };
    return { sut, party: await RelyingParty.discover(url, client, REDIRECT_URI) };
  }

  /** As after a restart of its process: same folder, same address. */
  async restart(): Promise<void> {
    const { port } = this.provider;
    await this.provider.stop();
    const listen = { host: '127.0.0.1', port };
    this.provider = await startEmbeddedProvider({ ...this.options, listen });
  }

  async stop(): Promise<void> {
    await this.provider.stop();
    await new Promise((resolve) => this.pages.close(resolve));
    this.folder.remove();
  }

  #hear(): void {
    this.pages.on('request', (request, response) => {
      let body = '';
      request.on('data', (part: Buffer) => (body += part.toString()));
      request.on('end', () => {
        this.logoutTokens.push(new URLSearchParams(body).get('logout_token') ?? '');
        response.end();
      });
    });
  }
}

export async function signIn(party: RelyingParty, name: string): Promise<SignedIn> {
  const browser = party.browser();
  const { url, verifier } = party.start();
  const form = loginForm(await browser.open(url));
  const back = await browser.submit(form, { name, password: DEMO_PASSWORD });
  return { browser, tokens: await party.redeem(back, verifier) };
}
