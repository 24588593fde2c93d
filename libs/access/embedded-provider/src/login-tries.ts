/**
 * LoginTries: how often a password may be wrong.
 * Decides that after TRIES_MAX wrong ones within WINDOW_MS nothing is tried for that name, right or
 * wrong, until the window is over. Invariants: bounded memory; an unknown name counts like a known
 * one, so that nobody learns which names exist.
 * Source: OWASP ASVS 5.0 V6 (rate limiting); security specification 7.
 */
import type { Clock } from '@aifi/shared-kernel';

export const TRIES_MAX = 5;
/** @unit ms */
export const WINDOW_MS = 60_000;
/** More names at a time than the demonstration has people. */
const NAMES_MAX = 1_000;

interface Tries {
  readonly count: number;
  readonly untilMs: number;
}

export class LoginTries {
  readonly #wrong = new Map<string, Tries>();

  constructor(private readonly clock: Clock) {}

  mayTry(userName: string): boolean {
    return (this.#current(userName)?.count ?? 0) < TRIES_MAX;
  }

  wrong(userName: string): void {
    const { count, untilMs } = this.#current(userName) ?? {
      count: 0,
      untilMs: this.clock.monotonicMs() + WINDOW_MS,
    };
    this.#wrong.delete(userName);
    this.#wrong.set(userName, { count: count + 1, untilMs });
    const [oldest] = this.#wrong.keys();
    if (this.#wrong.size > NAMES_MAX && oldest !== undefined) this.#wrong.delete(oldest);
  }

  right(userName: string): void {
    this.#wrong.delete(userName);
  }

  #current(userName: string): Tries | undefined {
    const tries = this.#wrong.get(userName);
    return tries && tries.untilMs > this.clock.monotonicMs() ? tries : undefined;
  }
}
