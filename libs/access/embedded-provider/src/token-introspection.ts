/**
 * TokenIntrospection: whether a JWT access token is still good.
 * Decides for the tokens that the library itself cannot look up, because it keeps no JWT: good is
 * what we signed, has not expired, and hangs on a grant and a person that still exist.
 * Invariants: the library has authenticated the asking client; a public client learns nothing.
 * Source: RFC 7662 2.2; RFC 9068 (JWT access tokens).
 */
import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import type { Middleware } from 'koa';
import type { JWKS, Provider } from 'oidc-provider';
import type { KoaContextWithOIDC } from './library.js';
import type { People } from './people.js';
import type { ProviderStore } from './provider-store.js';
import { SIGNING_ALGORITHM } from './signing-keys.js';

const PATH = '/token/introspection';
const ISSUED = 'IssuedAccess';

export interface IntrospectionParts {
  readonly keys: JWKS;
  readonly audience: string;
  readonly store: ProviderStore;
  readonly people: People;
}

export class TokenIntrospection {
  readonly #keys: JWTVerifyGetKey;

  constructor(private readonly parts: IntrospectionParts) {
    const keys = parts.keys.keys.map((key) => publicPart(key as JsonWebKey));
    this.#keys = createLocalJWKSet({ keys } as JSONWebKeySet);
  }

  /** Remembers which grant each JWT hangs on. */
  watch(provider: Provider): void {
    provider.on('access_token.issued', ({ jti: id, grantId, accountId, expiration }) => {
      const payload = { grantId, accountId };
      this.parts.store.put({ model: ISSUED, id, payload, seconds: expiration });
    });
  }

  readonly middleware: Middleware = async (context, next) => {
    await next();
    const { oidc } = context as unknown as Partial<KoaContextWithOIDC>;
    const isOurs = context.path === PATH && oidc?.client !== undefined;
    const refusal = context.body as { readonly error?: string } | undefined;
    if (!isOurs || refusal?.error !== 'unsupported_token_type') return;
    const mayAsk = oidc.client?.clientAuthMethod !== 'none';
    context.status = 200;
    context.body = mayAsk
      ? await this.#about(`${oidc.params?.['token']}`, oidc.issuer ?? '')
      : INACTIVE;
  };

  async #about(token: string, issuer: string): Promise<object> {
    const { store, people, audience } = this.parts;
    try {
      const { payload } = await jwtVerify(token, this.#keys, {
        ...{ issuer, audience, typ: 'at+jwt', algorithms: [SIGNING_ALGORITHM] },
        requiredClaims: ['exp', 'jti', 'sub', 'client_id'],
      });
      const { sub = '', jti = '', client_id: clientId } = payload;
      const isMachine = sub === clientId;
      const isGood = isMachine || (people.byId(sub) && store.find(ISSUED, jti));
      return isGood ? { ...payload, active: true, token_type: 'Bearer' } : INACTIVE;
    } catch {
      // RFC 7662 2.2: nothing is said about why.
      return INACTIVE;
    }
  }
}

const INACTIVE = { active: false };

function publicPart(key: JsonWebKey & { readonly kid?: string }): object {
  const { kid } = key;
  return { ...createPublicKey({ key, format: 'jwk' }).export({ format: 'jwk' }), kid };
}
