/**
 * LinkGate: when the uplink may begin anything at the hub.
 * Decides one breaker for all jobs of the gateway, so that a dead hub is dialled by one probe and
 * not by each job, and the silence after a Drain.
 * Invariants: failures that began before the last one was noticed count once; full jitter 1 s to
 * 60 s; a drain is no failure. Times are monotonic.
 * Source: reliability specification P2 (full jitter), 3 (rolling deploy); hazard H15.
 */
import { backoffMs } from '@aifi/shared-kernel';

/** A drain that names no time, or an absurd one, is kept within these. @unit ms */
const DRAIN_MS_MIN = 500;
const DRAIN_MS_MAX = 60_000;
/** How long a gateway waits, at most, that has just seen its hub come back. @unit ms */
export const LINK_BACK_MS_MAX = 5_000;

/** Which round of the link a call belongs to: noted when it begins. */
export type LinkRound = number;

export class LinkGate {
  #failures = 0;
  #round: LinkRound = 0;
  #notBeforeMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly random: () => number = Math.random) {}

  get round(): LinkRound {
    return this.#round;
  }
  /** Rounds that failed since the hub last answered. */
  get failures(): number {
    return this.#failures;
  }

  /** How many calls may be under way now: one probe of a hub that failed, none before its time. */
  callsMax(nowMs: number): number {
    if (nowMs < this.#notBeforeMs) return 0;
    return this.#failures > 0 ? 1 : Number.POSITIVE_INFINITY;
  }
  /** Until something may begin. @unit ms */
  waitMs(nowMs: number): number {
    return Math.max(0, this.#notBeforeMs - nowMs);
  }

  /** The hub answered, whatever it said. */
  answered(): void {
    this.#failures = 0;
  }
  /** A call of that round found no hub. */
  failed(round: LinkRound, nowMs: number): void {
    if (round !== this.#round) return;
    this.#round += 1;
    this.#failures += 1;
    this.#holdUntil(nowMs + backoffMs(this.#failures, { random: this.random }));
  }
  /** Another channel has reached the hub: the probe need not wait for its own time. */
  linkIsBack(nowMs: number): void {
    if (this.#failures === 0) return;
    const atMs = nowMs + this.random() * LINK_BACK_MS_MAX;
    this.#notBeforeMs = Math.min(this.#notBeforeMs, atMs);
  }
  /** The hub goes, and says when to come again; gateways do not come all at that moment. */
  drained(retryAfterMs: number, nowMs: number): void {
    const asked = Math.min(DRAIN_MS_MAX, Math.max(DRAIN_MS_MIN, retryAfterMs));
    this.#round += 1;
    this.#holdUntil(nowMs + asked * (1 + this.random()));
  }

  #holdUntil(atMs: number): void {
    this.#notBeforeMs = Math.max(this.#notBeforeMs, atMs);
  }
}
