/**
 * Backoff with full jitter: how long to wait before attempt n.
 * Decides that retries of many gateways never fall together. Unit: milliseconds.
 * Source: reliability specification 2, P2 (full jitter 1 s to 60 s).
 */
export interface BackoffOptions {
  /** @unit ms @default 1000 */
  readonly baseMs?: number;
  /** @unit ms @default 60000 */
  readonly maxMs?: number;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
}

/**
 * Delay before retry number `attempt` (1 = first retry): uniform in (0, min(max, base·2^(n-1))].
 */
export function backoffMs(attempt: number, options: BackoffOptions = {}): number {
  const { baseMs = 1_000, maxMs = 60_000, random = Math.random } = options;
  const ceilingMs = Math.min(maxMs, baseMs * 2 ** Math.min(attempt - 1, 30));
  return Math.max(1, Math.ceil(random() * ceilingMs));
}
