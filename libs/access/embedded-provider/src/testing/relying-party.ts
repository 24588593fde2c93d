/**
 * RelyingParty: our page as a provider sees it, for tests: code flow with PKCE, tokens, sign-out.
 * Decides nothing of sign-in itself: it only asks and shows what came back.
 * Source: OpenID Connect Core 1.0; RFC 7636; RFC 7662; RFC 8628.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createRemoteJWKSet, jwtVerify, type JWTPayload } from 'jose';
import { HttpBrowser, type Page } from './http-browser.js';

export interface Metadata {
  readonly issuer: string;
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
  readonly introspection_endpoint: string;
  readonly revocation_endpoint: string;
  readonly end_session_endpoint: string;
  readonly device_authorization_endpoint: string;
  readonly jwks_uri: string;
  readonly [name: string]: unknown;
}
export interface TokenAnswer {
  readonly status: number;
  readonly access_token: string;
  readonly id_token: string;
  readonly refresh_token: string;
  readonly error?: string;
}
export interface Credentials {
  readonly id: string;
  readonly secret?: string;
}

export class RelyingParty {
  constructor(
    readonly metadata: Metadata,
    private readonly client: Credentials,
    private readonly redirectUri: string,
  ) {}

  static async discover(
    discoveryUrl: string,
    client: Credentials,
    redirectUri: string,
  ): Promise<RelyingParty> {
    const metadata = (await (await fetch(discoveryUrl)).json()) as Metadata;
    return new RelyingParty(metadata, client, redirectUri);
  }

  /** A browser that knows only the provider. */
  browser(language = 'en'): HttpBrowser {
    return new HttpBrowser(new URL(this.metadata.authorization_endpoint).origin, language);
  }

  /** Where to send the browser; `verifier` is for the code that comes back. */
  start(extra: Readonly<Record<string, string>> = {}): { url: URL; verifier: string } {
    const verifier = randomBytes(32).toString('base64url');
    const url = new URL(this.metadata.authorization_endpoint);
    url.search = new URLSearchParams({
      ...{ client_id: this.client.id, redirect_uri: this.redirectUri, response_type: 'code' },
      ...{ scope: 'openid profile', state: 'state-1', nonce: 'nonce-1' },
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...extra,
    }).toString();
    return { url, verifier };
  }

  redeem({ url }: Page, verifier: string): Promise<TokenAnswer> {
    const code = url.searchParams.get('code') ?? '';
    return this.token({
      ...{ grant_type: 'authorization_code', code, redirect_uri: this.redirectUri },
      code_verifier: verifier,
    });
  }

  refresh(refreshToken: string): Promise<TokenAnswer> {
    return this.token({ grant_type: 'refresh_token', refresh_token: refreshToken });
  }

  async token(
    values: Readonly<Record<string, string>>,
    client: Credentials = this.client,
  ): Promise<TokenAnswer> {
    return (await this.post(this.metadata.token_endpoint, values, client)) as TokenAnswer;
  }

  async introspect(token: string, client: Credentials = this.client): Promise<JWTPayload> {
    const { introspection_endpoint: endpoint } = this.metadata;
    return (await this.post(endpoint, { token }, client)) as JWTPayload;
  }

  /** As JSON; a body that is none is an empty object. */
  async post(
    endpoint: string,
    values: Readonly<Record<string, string>>,
    client: Credentials = this.client,
  ): Promise<{ readonly status: number }> {
    const { id, secret } = client;
    const basic = Buffer.from(`${id}:${secret}`).toString('base64');
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: {
        // A provider that starts anew in a test would meet connections of its former self.
        connection: 'close',
        ...(secret !== undefined && { authorization: `Basic ${basic}` }),
      },
      body: new URLSearchParams(secret === undefined ? { client_id: id, ...values } : values),
    });
    const text = await response.text();
    const body = text.startsWith('{') ? (JSON.parse(text) as object) : {};
    return { ...body, status: response.status };
  }

  /** Claims of a token that verifies against the keys of the provider. */
  async verified(token: string, audience: string): Promise<JWTPayload> {
    const keys = createRemoteJWKSet(new URL(this.metadata.jwks_uri));
    const { issuer } = this.metadata;
    return (await jwtVerify(token, keys, { issuer, audience })).payload;
  }
}
