/**
 * Key ring: all epochs of a hospital's keys.
 * Decides which keys new work is done with, and with which older keys work in flight is finished.
 * Invariant: an epoch that linkage rows name stays on the ring until the last of them is gone.
 * Source: pseudonymisation specification 1.3; security specification 5 (keys).
 */
import type { SiteKeys } from './site-keys.js';

export interface KeyRing {
  /** Keys of the highest epoch: everything new is made with these. */
  readonly current: SiteKeys;
  /** Keys of one epoch; undefined when it is not on the ring (any more). */
  readonly epoch: (epoch: number) => SiteKeys | undefined;
  /** Ascending. */
  readonly epochs: readonly number[];
}

/** A ring of the given epochs, of which there is at least one. */
export function keyRingOf(...keys: readonly [SiteKeys, ...SiteKeys[]]): KeyRing {
  const byEpoch = new Map(keys.map((each) => [each.epoch, each]));
  const epochs = [...byEpoch.keys()].sort((a, b) => a - b);
  const current = byEpoch.get(epochs.at(-1)!)!;
  return { current, epochs, epoch: (epoch) => byEpoch.get(epoch) };
}
