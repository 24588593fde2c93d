/**
 * Login transaction: what one browser must bring back from the provider, sealed in its own cookie.
 * Decides that an answer belongs to the browser that asked, once, within ten minutes; the server
 * keeps nothing for people who only look at the sign-in page.
 * Source: RFC 6749 10.12 (state), RFC 7636 (PKCE), OpenID Connect Core 1.0, 3.1.2.1 (nonce).
 */
import { timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '@aifi/shared-kernel';
import { readCookie, setCookie } from './cookies.js';
import type { Seal } from './seal.js';
import { SeenOnce } from './seen-once.js';

/** Time to find the second factor. [policy] @unit ms */
export const LOGIN_MS_MAX = 10 * 60_000;

const transactionSchema = z.strictObject({
  kind: z.enum(['sign-in', 'step-up']),
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  returnTo: z.string(),
  /** The session that is stepped up; null at a sign-in. */
  session: z
    .strictObject({ idHash: z.string(), userId: z.string(), userName: z.string() })
    .nullable(),
  startedAtMs: z.number(),
});
export type LoginTransaction = z.output<typeof transactionSchema>;

export class LoginTransactions {
  readonly #used: SeenOnce;

  constructor(
    private readonly seal: Seal,
    private readonly clock: Clock,
    private readonly cookieName: string,
  ) {
    this.#used = new SeenOnce(clock, LOGIN_MS_MAX);
  }

  cookieFor(transaction: LoginTransaction): string {
    const sealed = this.seal.close(JSON.stringify(transaction), this.cookieName);
    return setCookie(this.cookieName, sealed, LOGIN_MS_MAX);
  }

  /** The transaction of this browser, used up by this; undefined: none that fits the state. */
  take(cookie: string | undefined, state: string | null): LoginTransaction | undefined {
    const text = this.seal.open(readCookie(cookie, this.cookieName) ?? '', this.cookieName);
    if (text === undefined) return undefined;
    const transaction = transactionSchema.parse(JSON.parse(text));
    const ageMs = this.clock.nowMs() - transaction.startedAtMs;
    if (ageMs < 0 || ageMs >= LOGIN_MS_MAX || !areSame(transaction.state, state ?? '')) {
      return undefined;
    }
    return this.#used.use(transaction.state) ? transaction : undefined;
  }
}

function areSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
