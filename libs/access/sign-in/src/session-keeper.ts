/**
 * SessionKeeper: whether a session cookie still stands for somebody.
 * Decides the end of a session: 8 h after its begin, 15 min after its last use, when the provider
 * says so, or 60 s after the provider last confirmed it and cannot be asked.
 * Invariants: a refresh token is used once, whatever arrives together; a session never outlives the
 * provider's last word by more than REVOCATION_MS_MAX. Source: security specification 5 and 7 (V7).
 */
import { AifiError, sha256Hex, type Clock } from '@aifi/shared-kernel';
import { personOf, type ClaimNames } from './claims.js';
import { InTurn } from './in-turn.js';
import type { ProviderClient, Tokens } from './provider-client.js';
import type { Seal } from './seal.js';
import type { Origin, SessionRecords } from './session-records.js';
import { REVOCATION_MS_MAX } from './sign-in-options.js';
import {
  SESSION_CHECK_MS_MAX,
  SESSION_IDLE_MS_MAX,
  SESSION_MS_MAX,
  type SessionPatch,
  type SessionRecord,
  type SessionStore,
} from './sign-in.js';
import type { TokenVerifier } from './token-verifier.js';

/** A use is written down at most so often: a page asks many things at once. @unit ms */
const SEEN_MS = 10_000;
/** 32 bytes in base64url. */
const COOKIE_VALUE = /^[\w-]{43}$/;

export interface KeeperParts {
  readonly sessions: SessionStore;
  readonly provider: ProviderClient;
  readonly verifier: TokenVerifier;
  readonly names: ClaimNames;
  readonly records: SessionRecords;
  readonly seal: Seal;
  readonly clock: Clock;
}

export const hashOf = (cookieValue: string): string => sha256Hex(cookieValue);
export const hasEnded = (): AifiError => new AifiError('UNAUTHENTICATED', 'the session has ended');

/** When it ends if nobody uses it. */
export const expiryOf = ({ createdAtMs, lastSeenAtMs }: SessionRecord): number =>
  Math.min(createdAtMs + SESSION_MS_MAX, lastSeenAtMs + SESSION_IDLE_MS_MAX);

export class SessionKeeper {
  readonly #turns = new InTurn();

  constructor(private readonly parts: KeeperParts) {}

  /** The session as of now, used by this; UNAUTHENTICATED when there is none any more. */
  async use(cookieValue: string, origin: Origin): Promise<SessionRecord> {
    const session = await this.look(cookieValue, origin);
    const nowMs = this.parts.clock.nowMs();
    if (nowMs - session.lastSeenAtMs < SEEN_MS) return session;
    return this.#update(session, { lastSeenAtMs: nowMs });
  }

  /** As `use`, without being one: the idle time goes on. */
  async look(cookieValue: string, origin: Origin): Promise<SessionRecord> {
    if (!COOKIE_VALUE.test(cookieValue)) throw hasEnded();
    const session = await this.#find(hashOf(cookieValue));
    return this.#needsCheck(session) ? this.#confirm(session.idHash, origin) : session;
  }

  /** Work on a session that must not meet a check of it. */
  exclusively<T>(idHash: string, work: () => Promise<T>): Promise<T> {
    return this.#turns.run(idHash, work);
  }

  /** Undefined: sealed with another session key, or none were given. */
  tokensOf({ sealedTokens, idHash }: SessionRecord): Tokens | undefined {
    const text = this.parts.seal.open(sealedTokens ?? '', idHash);
    return text === undefined ? undefined : (JSON.parse(text) as Tokens);
  }
  sealTokens({ idToken, refreshToken }: Tokens, idHash: string): string {
    return this.parts.seal.close(JSON.stringify({ idToken, refreshToken }), idHash);
  }

  async #find(idHash: string): Promise<SessionRecord> {
    const session = await this.parts.sessions.find(idHash);
    if (!session || this.parts.clock.nowMs() >= expiryOf(session)) throw hasEnded();
    return session;
  }

  #needsCheck({ checkedAtMs }: SessionRecord): boolean {
    return this.parts.clock.nowMs() - checkedAtMs > SESSION_CHECK_MS_MAX;
  }

  /** One check for all requests of a session: the later ones find it done. */
  #confirm(idHash: string, origin: Origin): Promise<SessionRecord> {
    return this.exclusively(idHash, async () => {
      const session = await this.#find(idHash);
      return this.#needsCheck(session) ? this.#ask(session, origin) : session;
    });
  }

  async #ask(session: SessionRecord, origin: Origin): Promise<SessionRecord> {
    const { provider, clock } = this.parts;
    const tokens = this.tokensOf(session);
    if (!tokens?.refreshToken) return this.#revoke(session, origin, 'tokens not readable');
    // The provider's word counts from when it was asked.
    const checkedAtMs = clock.nowMs();
    let renewed: Tokens | undefined;
    try {
      renewed = await provider.refresh(tokens.refreshToken);
    } catch (error) {
      return this.#withoutProvider(session, error);
    }
    if (!renewed) return this.#revoke(session, origin, 'refused by the provider');
    const sealedTokens = this.sealTokens(
      {
        refreshToken: renewed.refreshToken ?? tokens.refreshToken,
        idToken: renewed.idToken ?? tokens.idToken,
      },
      session.idHash,
    );
    return this.#renew(session, origin, { idToken: renewed.idToken, sealedTokens, checkedAtMs });
  }

  async #renew(
    session: SessionRecord,
    origin: Origin,
    word: { idToken: string | undefined; sealedTokens: string; checkedAtMs: number },
  ): Promise<SessionRecord> {
    const { sealedTokens, checkedAtMs } = word;
    try {
      const claims = await this.parts.verifier.idToken(word.idToken);
      const { userId, roles, siteIds } = personOf(claims, this.parts.names);
      if (userId !== session.userId) return await this.#revoke(session, origin, 'another user');
      return await this.#update(session, { roles, siteIds, sealedTokens, checkedAtMs });
    } catch (error) {
      const { code } = AifiError.from(error);
      if (code !== 'UNTRUSTED' && code !== 'PEER_UNAVAILABLE') throw error;
      // The old refresh token is used up, so the new one is kept; it confirmed nothing.
      return this.#withoutProvider(await this.#update(session, { sealedTokens }), error);
    }
  }

  /** The provider cannot be asked: its last word holds for as long as a revocation may take. */
  #withoutProvider(session: SessionRecord, cause: unknown): SessionRecord {
    if (this.parts.clock.nowMs() - session.checkedAtMs < REVOCATION_MS_MAX) return session;
    // It is not deleted: when the provider is back, it may go on.
    throw new AifiError('UNAUTHENTICATED', 'the session cannot be confirmed', { cause });
  }

  async #revoke(session: SessionRecord, origin: Origin, because: string): Promise<never> {
    const record = this.parts.records.revoked(session, origin, because);
    await this.parts.sessions.end(session.idHash, record);
    throw hasEnded();
  }

  async #update(session: SessionRecord, patch: SessionPatch): Promise<SessionRecord> {
    if (!(await this.parts.sessions.update(session.idHash, patch))) throw hasEnded();
    return { ...session, ...patch };
  }
}
