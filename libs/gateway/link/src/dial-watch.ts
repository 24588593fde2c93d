/**
 * DialWatch: a channel that hangs in its dial although the hub is there again.
 * Decides to dial by itself while the channel is not up, and to have the channel dial anew when
 * that succeeds. grpc-js has no time-out for TCP, TLS and the first frame: a dial whose packets
 * were lost in a black hole may hang for minutes after that is healed, and every call with it.
 * Invariants: one dial at a time, each ends within TUNNEL_TIMEOUT_MS; a channel is given up only
 * when the hub was reached beside it; a look sends nothing but a TLS handshake.
 * Source: reliability specification 3 (half-open, black hole).
 */
import type { Clock, Stage } from '@aifi/shared-kernel';

/** A channel that has just lost its connection is given time to get it back. @unit ms */
export const DIAL_PATIENCE_MS = 5_000;
/** Between two dials; half of it by chance. @unit ms */
export const DIAL_INTERVAL_MS = 5_000;
/** Between two looks at the channel, which ask nobody. @unit ms */
export const DIAL_LOOK_MS = 1_000;

export interface DialWatchDependencies {
  readonly channel: { isUp(): boolean; redial(): void };
  /** A bounded dial as the channel does it; there is nothing to dial before joining. */
  readonly dial: (signal: AbortSignal) => Promise<{ destroy(): void }>;
  readonly mayDial: () => boolean;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export function createDialWatch(dependencies: DialWatchDependencies): Stage {
  const { channel, dial, mayDial, clock, random } = dependencies;
  const isReached = async (signal: AbortSignal): Promise<boolean> => {
    try {
      (await dial(signal)).destroy();
      return true;
    } catch {
      // Why is told by the link's own watch.
      return false;
    }
  };
  return {
    name: 'link-dial',
    run: async (signal) => {
      let dialAtMs = clock.monotonicMs() + DIAL_PATIENCE_MS;
      while (!signal.aborted) {
        await clock.sleep(DIAL_LOOK_MS, signal);
        const isUp = channel.isUp();
        if (isUp) dialAtMs = clock.monotonicMs() + DIAL_PATIENCE_MS;
        if (signal.aborted || isUp || !mayDial() || clock.monotonicMs() < dialAtMs) continue;
        if ((await isReached(signal)) && !channel.isUp() && !signal.aborted) channel.redial();
        dialAtMs = clock.monotonicMs() + DIAL_INTERVAL_MS * (0.5 + 0.5 * random());
      }
    },
  };
}
