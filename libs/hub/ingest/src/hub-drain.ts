/**
 * HubDrain: this hub process goes, and its gateways are told before they notice.
 * Decides when streams begin no other object, and how long a gateway stays away: long enough for
 * the next process to listen, or for another one to be found.
 * Invariant: once begun it never ends; what is in hand goes to its end.
 * Source: reliability specification 3 (hub restart, rolling deploy); aifi/uplink/v1 Drain.
 */

/** A hub of ours is ready again within 10 s (reliability 3); gateways add jitter. @unit ms */
export const DRAIN_RETRY_AFTER_MS = 2_000;

export interface DrainSignal {
  /** Aborts when the hub begins to go. */
  readonly signal: AbortSignal;
  /** @unit ms */
  readonly retryAfterMs: number;
}

/** A drain that begins with `stopping`. */
export function drainOn(stopping: AbortSignal, retryAfterMs = DRAIN_RETRY_AFTER_MS): DrainSignal {
  return { signal: stopping, retryAfterMs };
}
