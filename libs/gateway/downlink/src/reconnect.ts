/**
 * Reconnect: when a broken stream is opened again.
 * Decides that the gateways of a country come back within a minute of their hub, and not all in the
 * same second. The bound is lower than that of uploads, because a stream costs the hub next to
 * nothing and brings stops and acute results.
 * Source: reliability specification 2 (full jitter), 3 (reconnect of 100 gateways < 60 s).
 */
import { backoffMs } from '@aifi/shared-kernel';

/** Longest wait before a try; the channel below adds at most 12 s of its own. @unit ms */
export const RECONNECT_MS_MAX = 20_000;

/** Before try `attempt` (1: the first after a break). @unit ms */
export function reconnectDelayMs(attempt: number, random: () => number = Math.random): number {
  return backoffMs(attempt, { maxMs: RECONNECT_MS_MAX, random });
}
