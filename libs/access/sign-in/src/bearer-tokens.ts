/**
 * BearerTokens: who an access token stands for.
 * Decides between a person and a machine, and that a person's token is asked about at the provider:
 * a token that lives five minutes must not outlive a revocation by more than a minute.
 * Invariants: a machine has no step-up; the cache is bounded and holds hashes, never tokens.
 * Source: RFC 6750 2.1; RFC 7662 (introspection); RFC 9068 2.2; security specification 7 (V7, V9).
 */
import type { PersonPrincipal } from '@aifi/access-authorisation';
import { AifiError, sha256Hex, type Clock } from '@aifi/shared-kernel';
import { personOf } from './claims.js';
import { InTurn } from './in-turn.js';
import type { ProviderClient } from './provider-client.js';
import { REVOCATION_MS_MAX, type ProviderSettings } from './sign-in-options.js';
import { SESSION_CHECK_MS_MAX } from './sign-in.js';
import type { AccessToken, TokenVerifier } from './token-verifier.js';

/** Answers of the provider that are remembered: more callers than a site has scripts. */
const ANSWERS_MAX = 1_000;

export interface BearerParts {
  readonly settings: ProviderSettings;
  readonly verifier: TokenVerifier;
  readonly provider: ProviderClient;
  readonly clock: Clock;
}
interface Answer {
  readonly isActive: boolean;
  readonly atMs: number;
}

export class BearerTokens {
  /** By the token's hash, in the order of asking. */
  readonly #answers = new Map<string, Answer>();
  readonly #turns = new InTurn();

  constructor(private readonly parts: BearerParts) {}

  /** UNAUTHENTICATED for every header that does not prove somebody. */
  async authenticate(authorization: string): Promise<PersonPrincipal> {
    const [, token] = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization) ?? [];
    if (token === undefined) throw notAccepted('the Authorization header holds no bearer token');
    try {
      const claims = await this.parts.verifier.accessToken(token);
      const principal = this.#principalOf(claims);
      if (principal.kind === 'person') await this.#requireActive(token, claims);
      return principal;
    } catch (cause) {
      throw notAccepted('the bearer token is not accepted', cause);
    }
  }

  #principalOf(claims: AccessToken): PersonPrincipal {
    const person = personOf(claims, this.parts.settings);
    if (isMachine(claims)) return { kind: 'machine', ...person, steppedUpAtMs: null };
    return { kind: 'person', ...person, steppedUpAtMs: this.#steppedUpAt(claims) };
  }

  #steppedUpAt({ acr, auth_time: authTime }: AccessToken): number | null {
    if (acr !== this.parts.settings.stepUpAcr || typeof authTime !== 'number') return null;
    return Math.min(authTime * 1_000, this.parts.clock.nowMs());
  }

  async #requireActive(token: string, { iat, exp, sub }: AccessToken): Promise<void> {
    // It ends by itself before a revocation would have to work.
    if ((exp - iat) * 1_000 <= REVOCATION_MS_MAX) return;
    if (!(await this.parts.provider.canIntrospect())) {
      throw new AifiError('UNTRUSTED', 'a token that lives so long must be open to introspection');
    }
    const hash = sha256Hex(token);
    const { isActive } = await this.#turns.run(hash, () => this.#answerFor(hash, token, sub));
    if (!isActive) throw new AifiError('UNTRUSTED', 'the token has been revoked');
  }

  async #answerFor(hash: string, token: string, subject: string): Promise<Answer> {
    const atMs = this.parts.clock.nowMs();
    const known = this.#answers.get(hash);
    if (known && atMs - known.atMs <= SESSION_CHECK_MS_MAX) return known;
    try {
      const { active, sub } = await this.parts.provider.introspect(token);
      const isActive = active && (sub === undefined || sub === subject);
      return this.#remember(hash, { isActive, atMs });
    } catch (error) {
      const isAway = AifiError.from(error).code === 'PEER_UNAVAILABLE';
      const isRecent = known && this.parts.clock.nowMs() - known.atMs < REVOCATION_MS_MAX;
      if (isAway && isRecent) return known;
      throw error;
    }
  }

  #remember(hash: string, answer: Answer): Answer {
    this.#answers.delete(hash);
    this.#answers.set(hash, answer);
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > ANSWERS_MAX && oldest !== undefined) this.#answers.delete(oldest);
    return answer;
  }
}

/**
 * A token by client credentials. RFC 9068 2.2: its subject is the client. Keycloak gives a client
 * a user of its own instead, with a reserved name. Either way it has less than a person has.
 */
function isMachine({
  sub,
  client_id: clientId,
  azp,
  preferred_username: name,
}: AccessToken): boolean {
  return [clientId, azp].some(
    (client) =>
      typeof client === 'string' &&
      (sub === client || name === `service-account-${client.toLowerCase()}`),
  );
}

const notAccepted = (words: string, cause?: unknown): AifiError =>
  new AifiError('UNAUTHENTICATED', words, { cause });
