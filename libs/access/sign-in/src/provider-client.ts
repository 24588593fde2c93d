/**
 * ProviderClient: the OpenID provider as seen from this server.
 * Decides what a fault of the provider means: it is away (PEER_UNAVAILABLE), it says no
 * (PEER_REFUSED), or it is not the one that is trusted (UNTRUSTED).
 * Invariants: metadata must name the configured issuer; what the browser is sent to is HTTPS,
 * unless the provider runs on this machine. Source: OpenID Connect Discovery 1.0, 4.3; RFC 9207.
 */
import { createRemoteJWKSet, customFetch as joseFetch, type JWTVerifyGetKey } from 'jose';
import * as openid from 'openid-client';
import { AifiError, type Clock } from '@aifi/shared-kernel';
import { boundedFetch, isConfidential, isLoopback, type Fetch } from './bounded-fetch.js';
import type { ProviderSettings } from './sign-in-options.js';

const WELL_KNOWN = '/.well-known/openid-configuration';
/** After a failure nobody asks again for so long: requests must not queue up. @unit ms */
const AWAY_MS = 2_000;
/** A key that the provider withdrew is trusted for so long at most. [policy] @unit ms */
const KEYS_MS_MAX = 5 * 60_000;
/** Unknown key ids ask for the key set at most so often. @unit ms */
const KEYS_COOLDOWN_MS = 30_000;

export interface Tokens {
  /** Undefined: the provider gave none. */
  readonly idToken: string | undefined;
  readonly refreshToken: string | undefined;
}
export interface CodeChecks {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}
interface Provider {
  readonly configuration: openid.Configuration;
  readonly keys: JWTVerifyGetKey;
}

export class ProviderClient {
  readonly #fetch: Fetch;
  #provider: Promise<Provider> | undefined;
  #awayUntilMs = 0;

  constructor(
    private readonly settings: ProviderSettings,
    private readonly clock: Clock,
    fetchFunction: Fetch = (address, init) => fetch(address, init),
  ) {
    this.#fetch = boundedFetch(fetchFunction);
  }

  /** Reads the metadata. PEER_UNAVAILABLE: try again later; UNTRUSTED: never. */
  async connect(): Promise<void> {
    await this.#connected();
  }

  async authorizationUrl(parameters: Record<string, string>): Promise<string> {
    const { configuration } = await this.#connected();
    return openid.buildAuthorizationUrl(configuration, parameters).href;
  }

  /** Undefined: the provider has no such endpoint, or is away. */
  async endSessionUrl(parameters: Record<string, string>): Promise<string | undefined> {
    try {
      const { configuration } = await this.#connected();
      if (!configuration.serverMetadata().end_session_endpoint) return undefined;
      return openid.buildEndSessionUrl(configuration, parameters).href;
    } catch {
      return undefined;
    }
  }

  redeem(callback: URL, { state, nonce, verifier }: CodeChecks): Promise<Tokens> {
    return this.#ask(async (configuration) => {
      const answer = await openid.authorizationCodeGrant(configuration, callback, {
        ...{ expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier },
        idTokenExpected: true,
      });
      return { idToken: answer.id_token, refreshToken: answer.refresh_token };
    });
  }

  /** Undefined: the provider no longer stands by the session (invalid_grant). */
  async refresh(refreshToken: string): Promise<Tokens | undefined> {
    try {
      return await this.#ask(async (configuration) => {
        const answer = await openid.refreshTokenGrant(configuration, refreshToken);
        return { idToken: answer.id_token, refreshToken: answer.refresh_token };
      });
    } catch (error) {
      const { cause } = error as AifiError;
      if (cause instanceof openid.ResponseBodyError && cause.error === 'invalid_grant') {
        return undefined;
      }
      throw error;
    }
  }

  async canIntrospect(): Promise<boolean> {
    const { configuration } = await this.#connected();
    return configuration.serverMetadata().introspection_endpoint !== undefined;
  }
  introspect(token: string): Promise<openid.IntrospectionResponse> {
    return this.#ask((configuration) => openid.tokenIntrospection(configuration, token));
  }

  /** Keys of the provider's own set: a token never brings or chooses its key. */
  readonly keys: JWTVerifyGetKey = async (header, token) => {
    if (typeof header.kid !== 'string' || header.kid === '') {
      throw new AifiError('UNTRUSTED', 'a token names no key');
    }
    const { keys } = await this.#connected();
    return keys(header, token);
  };

  async #ask<T>(question: (configuration: openid.Configuration) => Promise<T>): Promise<T> {
    const { configuration } = await this.#connected();
    this.#requirePresent();
    try {
      return await question(configuration);
    } catch (error) {
      throw this.#faultOf(error);
    }
  }

  #faultOf(error: unknown): AifiError {
    if (error instanceof openid.ResponseBodyError) {
      return new AifiError('PEER_REFUSED', 'the provider refused', { cause: error });
    }
    // The codes of what the provider said and we do not accept; everything else is transport.
    const { code } = error as { code?: string };
    if (error instanceof openid.AuthorizationResponseError || UNACCEPTABLE.test(code ?? '')) {
      return new AifiError('UNTRUSTED', 'the answer of the provider is not one for this', {
        cause: error,
      });
    }
    this.#awayUntilMs = this.clock.nowMs() + AWAY_MS;
    return new AifiError('PEER_UNAVAILABLE', 'the provider does not answer', { cause: error });
  }

  #requirePresent(): void {
    if (this.clock.nowMs() < this.#awayUntilMs) {
      throw new AifiError('PEER_UNAVAILABLE', 'the provider did not answer a moment ago');
    }
  }

  /** Once read, the metadata stay; a failure is not remembered beyond the moment. */
  #connected(): Promise<Provider> {
    this.#provider ??= this.#discover().catch((error: unknown) => {
      this.#provider = undefined;
      throw error;
    });
    return this.#provider;
  }

  async #discover(): Promise<Provider> {
    this.#requirePresent();
    const { issuer, discoveryUrl, clientId, clientSecret } = this.settings;
    const named = discoveryUrl ?? issuer;
    const address = named.includes('/.well-known/')
      ? new URL(named)
      : new URL(named.replace(/\/$/, '') + WELL_KNOWN);
    if (!isConfidential(address)) {
      throw new AifiError('UNTRUSTED', 'the provider is only read over HTTPS');
    }
    const auth = openid.ClientSecretBasic(clientSecret);
    const configuration = await openid
      .discovery(address, clientId, clientSecret, auth, {
        // Bounded fetch decides about plain HTTP.
        execute: [openid.allowInsecureRequests],
        [openid.customFetch]: this.#fetch as openid.CustomFetch,
      })
      .catch((error: unknown) => {
        throw this.#faultOf(error);
      });
    const metadata = configuration.serverMetadata();
    requireTrusted(metadata, issuer, address);
    const keys = createRemoteJWKSet(new URL(metadata.jwks_uri ?? ''), {
      ...{ cacheMaxAge: KEYS_MS_MAX, cooldownDuration: KEYS_COOLDOWN_MS },
      [joseFetch]: this.#fetch,
    });
    return { configuration, keys };
  }
}

/**
 * Codes of openid-client for an answer that came and is wrong, or that the browser brought and that
 * was never sent on: neither says that the provider is away.
 */
const UNACCEPTABLE =
  /^OAUTH_(JWT_|INVALID_RE(SPONSE|QUEST)|UNSUPPORTED_|JSON_ATTRIBUTE_COMPARISON|KEY_SELECTION)/;

function requireTrusted(metadata: openid.ServerMetadata, issuer: string, readAt: URL): void {
  const must = (holds: boolean, words: string): void => {
    if (!holds) throw new AifiError('UNTRUSTED', words);
  };
  // To the letter: two issuers that differ in a slash are two issuers.
  must(metadata.issuer === issuer, 'the metadata name another issuer');
  const own = [metadata.jwks_uri, metadata.token_endpoint, metadata.introspection_endpoint];
  must(own[0] !== undefined && own[1] !== undefined, 'the metadata name no keys or no tokens');
  for (const address of own) {
    must(address === undefined || isConfidential(new URL(address)), 'an endpoint is not HTTPS');
  }
  const pages = [issuer, metadata.authorization_endpoint, metadata.end_session_endpoint];
  must(pages[1] !== undefined, 'the metadata name no sign-in page');
  for (const address of pages) {
    const isSafe = address === undefined || new URL(address).protocol === 'https:';
    must(isSafe || isLoopback(readAt), 'a page of the provider is not HTTPS');
  }
}
