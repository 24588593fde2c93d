/**
 * FakeProvider: a small OpenID provider without a network, for tests.
 * Decides what a real provider decides (codes used once, PKCE, refresh tokens that rotate and end
 * everything when used twice) and can be told to say anything wrong, which a real one cannot.
 * Invariant: never used outside tests.
 */
import { createHash, randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import type { Clock } from '@aifi/shared-kernel';
import type { Fetch } from './bounded-fetch.js';
import type { Claims } from './claims.js';

export const FAKE_ISSUER = 'https://idp.hospital.test/realms/aifi';
export const FAKE_CLIENT = { clientId: 'aifi-pages', clientSecret: 'a-secret-for-tests-only' };

interface Code {
  readonly claims: Claims;
  readonly challenge: string;
  readonly redirectUri: string;
}

export class FakeProvider {
  /** Claims of the next ID tokens of a subject, and what revokes it when it is absent. */
  readonly people = new Map<string, Claims>();
  /** Requests by endpoint. */
  readonly calls: string[] = [];
  /** Replaces the answer of an endpoint, by the last part of its path. */
  readonly instead = new Map<string, () => Response | Promise<Response>>();
  readonly metadata: Record<string, unknown> = {
    issuer: FAKE_ISSUER,
    authorization_endpoint: `${FAKE_ISSUER}/authorize`,
    token_endpoint: `${FAKE_ISSUER}/token`,
    jwks_uri: `${FAKE_ISSUER}/keys`,
    introspection_endpoint: `${FAKE_ISSUER}/introspect`,
    end_session_endpoint: `${FAKE_ISSUER}/logout`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256', 'HS256', 'none'],
  };
  isAway = false;
  givesRefreshToken = true;
  readonly #codes = new Map<string, Code>();
  readonly #refreshTokens = new Map<string, string>();

  private constructor(
    private readonly clock: Clock,
    private readonly key: CryptoKey,
    readonly publicJwk: JWK,
  ) {}

  static async make(clock: Clock): Promise<FakeProvider> {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const jwk = { ...(await exportJWK(publicKey)), kid: 'key-1', alg: 'ES256', use: 'sig' };
    return new FakeProvider(clock, privateKey, jwk);
  }

  nowSeconds(): number {
    return Math.floor(this.clock.nowMs() / 1_000);
  }

  /** A token of this provider; undefined removes a claim. */
  sign(claims: Claims, header: object = {}): Promise<string> {
    const iat = this.nowSeconds();
    return new SignJWT({ iss: FAKE_ISSUER, iat, exp: iat + 300, ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'key-1', ...header })
      .sign(this.key);
  }

  /** Somebody signs in on the page that the browser was sent to: the address of the callback. */
  authorize(location: string, subject: string, claims: Claims = {}): URL {
    const asked = new URL(location).searchParams;
    const code = randomUUID();
    const isFresh = asked.get('max_age') === '0';
    this.#codes.set(code, {
      claims: {
        ...{ sub: subject, nonce: asked.get('nonce'), sid: `sid-of-${subject}` },
        ...(isFresh && { auth_time: this.nowSeconds(), acr: asked.get('acr_values') }),
        ...claims,
      },
      challenge: asked.get('code_challenge') ?? '',
      redirectUri: asked.get('redirect_uri') ?? '',
    });
    const callback = new URL(asked.get('redirect_uri') ?? '');
    callback.search = new URLSearchParams({ code, state: asked.get('state') ?? '' }).toString();
    return callback;
  }

  readonly fetch: Fetch = async (address, init) => {
    const endpoint = new URL(address).pathname.split('/').at(-1) ?? '';
    this.calls.push(endpoint);
    if (this.isAway) throw new TypeError('fetch failed');
    const other = this.instead.get(endpoint);
    if (other) return other();
    if (endpoint === 'openid-configuration') return Response.json(this.metadata);
    if (endpoint === 'keys') return Response.json({ keys: [this.publicJwk] });
    const { clientId, clientSecret } = FAKE_CLIENT;
    // RFC 6749 2.3.1: both parts are form-encoded before they are joined.
    const basic = (new Headers(init.headers).get('authorization') ?? '').replace('Basic ', '');
    const sent = decodeURIComponent(Buffer.from(basic, 'base64').toString());
    const wanted = `${clientId}:${clientSecret}`;
    if (sent !== wanted) return refused('invalid_client', 401);
    const body = new URLSearchParams(String(init.body));
    if (endpoint === 'introspect') return Response.json({ active: this.#isActive(body) });
    return body.get('grant_type') === 'refresh_token' ? this.#refresh(body) : this.#redeem(body);
  };

  #isActive(body: URLSearchParams): boolean {
    const payload = (body.get('token') ?? '').split('.')[1] ?? '';
    const { sub } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sub: string };
    return this.people.has(sub);
  }

  async #redeem(body: URLSearchParams): Promise<Response> {
    const code = this.#codes.get(body.get('code') ?? '');
    this.#codes.delete(body.get('code') ?? '');
    const verifier = body.get('code_verifier') ?? '';
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    if (!code || code.challenge !== challenge || code.redirectUri !== body.get('redirect_uri')) {
      return refused('invalid_grant');
    }
    return this.#tokens(code.claims);
  }

  #refresh(body: URLSearchParams): Promise<Response> | Response {
    const token = body.get('refresh_token') ?? '';
    const subject = this.#refreshTokens.get(token);
    // Used twice: a thief has it, so every token of the person ends.
    if (subject === undefined) {
      this.#refreshTokens.clear();
      return refused('invalid_grant');
    }
    this.#refreshTokens.delete(token);
    if (!this.people.has(subject)) return refused('invalid_grant');
    return this.#tokens({ sub: subject });
  }

  async #tokens(claims: Claims): Promise<Response> {
    const subject = String(claims['sub']);
    const refreshToken = randomUUID();
    this.#refreshTokens.set(refreshToken, subject);
    const about = { aud: FAKE_CLIENT.clientId, ...this.people.get(subject), ...claims };
    return Response.json({
      ...{ access_token: randomUUID(), token_type: 'Bearer', expires_in: 300 },
      id_token: await this.sign(about),
      ...(this.givesRefreshToken && { refresh_token: refreshToken }),
    });
  }
}

const refused = (error: string, status = 400): Response => Response.json({ error }, { status });
