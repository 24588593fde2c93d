/**
 * TokenVerifier: whether a token is one of the trusted provider, meant for us, now, for this use.
 * Decides by pinned algorithms and the provider's key set alone. Invariants: `none` and shared
 * secrets are never accepted; an ID token, an access token and a logout token cannot stand in for
 * one another. Source: RFC 8725; RFC 9068; OpenID Connect Back-Channel Logout 1.0, 2.6.
 */
import { jwtVerify, type JWTPayload, type JWTVerifyGetKey, type JWTVerifyOptions } from 'jose';
import { AifiError, type Clock } from '@aifi/shared-kernel';
import { CLOCK_SKEW_SECONDS, type ProviderSettings } from './sign-in-options.js';

/** @source security specification 7, V9 */
const ALGORITHMS = ['RS256', 'ES256', 'EdDSA'];
/** Tokens of real providers stay under 8 KiB. */
const TOKEN_CHARACTERS_MAX = 16 * 1024;
/** @source security specification 7, V9 @unit s */
const ACCESS_TOKEN_SECONDS_MAX = 300;
/** A logout token is delivered at once. @source Back-Channel Logout 1.0, 2.4 @unit s */
export const LOGOUT_TOKEN_SECONDS_MAX = 120;
const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';

export interface AccessToken extends JWTPayload {
  readonly sub: string;
  readonly iat: number;
  readonly exp: number;
}
export interface LogoutToken {
  readonly jti: string;
  readonly sid: string | undefined;
  readonly sub: string | undefined;
}

export class TokenVerifier {
  constructor(
    private readonly settings: Pick<ProviderSettings, 'issuer' | 'clientId' | 'audience'>,
    private readonly keys: JWTVerifyGetKey,
    private readonly clock: Clock,
  ) {}

  /** Claims of an ID token that was read from the token endpoint. */
  async idToken(token: string | undefined): Promise<JWTPayload> {
    if (token === undefined) throw untrusted('the provider gave no ID token');
    const required = ['exp', 'iat', 'sub'];
    const payload = await this.#verify(token, this.settings.clientId, required);
    const { azp, aud, events } = payload;
    requireThat(events === undefined, 'a logout token is no ID token');
    // OpenID Connect Core 1.0, 3.1.3.7: with several audiences the party must be named, and be us.
    const isOurs = azp === undefined ? !Array.isArray(aud) || aud.length === 1 : true;
    requireThat(isOurs && (azp === undefined || azp === this.settings.clientId), 'another party');
    return payload;
  }

  async accessToken(token: string): Promise<AccessToken> {
    const required = ['exp', 'iat', 'sub'];
    const payload = await this.#verify(token, this.settings.audience, required, 'at+jwt');
    const { typ, nonce, events, cnf, at_hash: hash } = payload;
    // Keycloak names the use in the payload: ID and Refresh are others.
    requireThat(typ === undefined || typ === 'Bearer', 'another kind of token');
    requireThat(
      [nonce, events, hash].every((claim) => claim === undefined),
      'no access token',
    );
    // A token bound to a key of the caller proves nothing without that key (RFC 7800).
    requireThat(cnf === undefined, 'a token bound to a key is not for a bearer');
    const { sub, iat, exp } = payload as AccessToken;
    const lifeSeconds = exp - iat;
    const isShort = lifeSeconds <= ACCESS_TOKEN_SECONDS_MAX + CLOCK_SKEW_SECONDS;
    requireThat(isShort, 'an access token lives too long');
    requireThat(iat <= this.#nowSeconds() + CLOCK_SKEW_SECONDS, 'a token of the future');
    return { ...payload, sub, iat, exp };
  }

  async logoutToken(token: string): Promise<LogoutToken> {
    const required = ['iat', 'jti', 'events'];
    const payload = await this.#verify(token, this.settings.clientId, required, 'logout+jwt');
    const { events, jti, sid, sub, iat, nonce } = payload;
    const hasEvent = isObject(events) && isObject(events[LOGOUT_EVENT]);
    requireThat(hasEvent && nonce === undefined, 'no logout token');
    const ageSeconds = this.#nowSeconds() - (iat ?? 0);
    const isFresh = ageSeconds <= LOGOUT_TOKEN_SECONDS_MAX && ageSeconds >= -CLOCK_SKEW_SECONDS;
    requireThat(isFresh, 'a logout token that is not fresh');
    const isNamed = typeof sid === 'string' || typeof sub === 'string';
    requireThat(isNamed && isText(jti), 'a logout token names nobody');
    return { jti: String(jti), sid: isText(sid) ? sid : undefined, sub };
  }

  #nowSeconds(): number {
    return Math.floor(this.clock.nowMs() / 1_000);
  }

  async #verify(
    token: string,
    audience: string,
    requiredClaims: string[],
    kind?: 'at+jwt' | 'logout+jwt',
  ): Promise<JWTPayload> {
    requireThat(token.length <= TOKEN_CHARACTERS_MAX, 'a token is too long');
    const options: JWTVerifyOptions = {
      ...{ algorithms: ALGORITHMS, issuer: this.settings.issuer, audience, requiredClaims },
      ...{ clockTolerance: CLOCK_SKEW_SECONDS, currentDate: new Date(this.clock.nowMs()) },
    };
    try {
      const { payload, protectedHeader } = await jwtVerify(token, this.keys, options);
      // Not every provider names the kind; one that is named must be right.
      const { typ = 'JWT' } = protectedHeader;
      const said = typ.toLowerCase().replace(/^application\//, '');
      requireThat(said === 'jwt' || said === kind, 'another kind of token');
      return payload;
    } catch (error) {
      if (error instanceof AifiError) throw error;
      throw new AifiError('UNTRUSTED', 'a token does not verify', { cause: error });
    }
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= 256;
const untrusted = (words: string): AifiError => new AifiError('UNTRUSTED', words);
function requireThat(holds: boolean, words: string): asserts holds {
  if (!holds) throw untrusted(words);
}
