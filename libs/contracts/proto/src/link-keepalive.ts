/**
 * Keepalive of the link: how a connection that nobody has closed, and nobody answers on, is found.
 * Decides both ends' times at one place. Invariant: together below the 35 s after which a gateway
 * must have noticed a half-open link.
 * Source: reliability specification 3 (half-open: keepalive 20 s + timeout 10 s, <= 35 s).
 */
export interface Keepalive {
  /** Silence before a ping. @unit ms */
  readonly timeMs: number;
  /** How long its answer may take. @unit ms */
  readonly timeoutMs: number;
}

export const LINK_KEEPALIVE: Keepalive = { timeMs: 20_000, timeoutMs: 10_000 };

/** Options of a grpc-js channel or server. Streams may be silent for hours: pings go on then. */
export const keepaliveOptions = ({ timeMs, timeoutMs }: Keepalive = LINK_KEEPALIVE): Readonly<
  Record<string, number>
> => ({
  'grpc.keepalive_time_ms': timeMs,
  'grpc.keepalive_timeout_ms': timeoutMs,
  'grpc.keepalive_permit_without_calls': 1,
});
