/**
 * LinkKeeper: what a joined gateway does by itself so that its link stays usable.
 * Decides when the certificate is renewed (two thirds of its life), how often the hub's trust is
 * asked for (hourly, and when the hub says that it changed), how soon after a failure (full jitter,
 * a minute to an hour), and what is said when the end comes near (30, 14 and 3 days).
 * Invariants: nothing here runs in a hurry; a failure ends no call and changes nothing; what is
 * alarmed is told once a day and at each step. Source: reliability specification 5.
 */
import type { CertificateAlarm } from '@aifi/contracts-rest';
import { AifiError, backoffMs, type Clock, type Stage, type Wake } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import { alarmOf, certificateFacts, chanceOf, daysLeft, renewalAtMs } from './certificate-facts.js';
import type { EnrolmentPort } from './enrolment-port.js';
import type { IdentityInForce } from './identity-in-force.js';

/** @unit ms */
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Longest time between two looks at what is due: a clock may be put right meanwhile. @unit ms */
const LOOK_MS_MAX = MINUTE_MS;

export interface KeeperDependencies {
  readonly identity: Pick<IdentityInForce, 'current' | 'renew' | 'refreshTrust' | 'signingKeys'>;
  readonly port: EnrolmentPort;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Rung when the gateway has joined. */
  readonly wake: Wake;
}

/** When something is done next, on the monotonic clock. */
class Due {
  #atMs = -Infinity;
  #failures = 0;
  constructor(
    private readonly clock: Clock,
    private readonly random: () => number,
  ) {}
  get isNow(): boolean {
    return this.clock.monotonicMs() >= this.#atMs;
  }
  now(): void {
    this.#atMs = -Infinity;
  }
  done(againInMs: number): void {
    this.#failures = 0;
    this.#atMs = this.clock.monotonicMs() + againInMs;
  }
  failed(): void {
    this.#failures += 1;
    const { random } = this;
    const waitMs = backoffMs(this.#failures, { baseMs: MINUTE_MS, maxMs: HOUR_MS, random });
    this.#atMs = this.clock.monotonicMs() + waitMs;
  }
}

export class LinkKeeper {
  readonly stage: Stage = { name: 'link', run: (signal) => this.#run(signal) };
  readonly #trust: Due;
  readonly #renewal: Due;
  #alarm: { readonly level: CertificateAlarm; readonly toldAtMs: number } | undefined;
  #trustCheckedAtMs: number | null = null;

  constructor(private readonly dependencies: KeeperDependencies) {
    const { clock, random } = dependencies;
    this.#trust = new Due(clock, random);
    this.#renewal = new Due(clock, random);
  }

  get trustCheckedAtMs(): number | null {
    return this.#trustCheckedAtMs;
  }

  /** The hub has another configuration than ours: it is asked for now. */
  trustChanged(): void {
    this.#trust.now();
    this.dependencies.wake.notify();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, wake } = this.dependencies;
    while (!signal.aborted) {
      await this.look();
      await wake.wait(clock, LOOK_MS_MAX, signal);
    }
  }

  /** Does what is due. Never throws. */
  async look(): Promise<void> {
    if (!this.dependencies.identity.current) return;
    // Trust first: the next certificate may be of the next authority.
    if (this.#trust.isNow) await this.#refreshTrust();
    if (this.#isRenewalDue() && this.#renewal.isNow) await this.#renew();
    this.#tellAlarm();
  }

  #isRenewalDue(): boolean {
    const { identity, clock } = this.dependencies;
    if (!identity.current) return false;
    const facts = certificateFacts(identity.current.certificate);
    return clock.nowMs() >= renewalAtMs(facts, chanceOf(facts));
  }

  async #refreshTrust(): Promise<void> {
    const { identity, port, clock, random, logger } = this.dependencies;
    try {
      const isChanged = await identity.refreshTrust(port);
      this.#trustCheckedAtMs = clock.nowMs();
      // Not all gateways in the same minute of the hour.
      this.#trust.done(HOUR_MS * (0.9 + 0.1 * random()));
      if (isChanged) logger.info('authorities and keys of the hub changed');
    } catch (error) {
      this.#trust.failed();
      this.#tellFailure('authorities and keys of the hub were not refreshed', error);
    }
  }

  async #renew(): Promise<void> {
    const { identity, port, logger } = this.dependencies;
    try {
      await identity.renew(port);
      this.#renewal.done(MINUTE_MS);
      logger.info('the certificate was renewed');
    } catch (error) {
      this.#renewal.failed();
      this.#tellFailure('the certificate was not renewed', error);
    }
  }

  /** A hub that is away is for its own alarm; what it sent and we refuse is for a person. */
  #tellFailure(words: string, error: unknown): void {
    const { logger } = this.dependencies;
    const fault = AifiError.from(error);
    if (fault.code === 'PEER_UNAVAILABLE') logger.warn(words, { code: fault.code });
    else logger.fault(words, fault);
  }

  #tellAlarm(): void {
    const { identity, clock, logger } = this.dependencies;
    if (!identity.current) return;
    const facts = certificateFacts(identity.current.certificate);
    const nowMs = clock.nowMs();
    const level = alarmOf(facts, nowMs);
    const isTold =
      level === this.#alarm?.level && clock.monotonicMs() - this.#alarm.toldAtMs < DAY_MS;
    if (isTold) return;
    this.#alarm = { level, toldAtMs: clock.monotonicMs() };
    if (level === 'none') return;
    const count = Math.max(0, daysLeft(facts, nowMs));
    if (level === 'soon') logger.warn('the certificate of the link ends soon', { count });
    else logger.error('the certificate of the link ends: renew it or join again', { count });
  }
}
