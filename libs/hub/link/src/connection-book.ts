/**
 * ConnectionBook: how many connections there are, of whom, and how many there may be.
 * Decides who gets in when many come: a total, a share of each address (a hospital may have several
 * gateways behind one), a share of each gateway. Pure counting.
 * Invariant: what was entered is left once, so that a count never drifts.
 * Source: security specification 4 (bounded connections); reliability specification H14.
 */
import type { LinkPeer } from '@aifi/hub-identity';

export interface LinkLimits {
  /** Of one hub process: 100 gateways with four connections each, and as many reconnecting. */
  readonly connectionsMax: number;
  /** Of one address, handshakes included: a hospital network may hide several gateways. */
  readonly perAddressMax: number;
  /** Of one gateway: one for control, four uploads, and the old ones while it reconnects. */
  readonly perPeerMax: number;
}
export const LINK_LIMITS: LinkLimits = {
  connectionsMax: 1_024,
  perAddressMax: 64,
  perPeerMax: 16,
};

/** Leaves the book; a second call does nothing. */
export type Leave = () => void;

export class ConnectionBook {
  #total = 0;
  readonly #byAddress = new Map<string, number>();
  readonly #byPeer = new Map<string, number>();

  constructor(private readonly limits: LinkLimits) {}

  get total(): number {
    return this.#total;
  }

  /** Undefined: no room for another one of this address. */
  enterAddress(address: string): Leave | undefined {
    if (this.#total >= this.limits.connectionsMax) return undefined;
    const leave = enter(this.#byAddress, address, this.limits.perAddressMax);
    if (!leave) return undefined;
    this.#total += 1;
    return once(() => {
      this.#total -= 1;
      leave();
    });
  }

  /** Undefined: this gateway has as many as it may. */
  enterPeer({ siteId, gateway }: LinkPeer): Leave | undefined {
    return enter(this.#byPeer, `${siteId}/${gateway}`, this.limits.perPeerMax);
  }
}

function enter(counts: Map<string, number>, key: string, max: number): Leave | undefined {
  const count = counts.get(key) ?? 0;
  if (count >= max) return undefined;
  counts.set(key, count + 1);
  return once(() => {
    const left = (counts.get(key) ?? 1) - 1;
    if (left === 0) counts.delete(key);
    else counts.set(key, left);
  });
}

function once(act: () => void): Leave {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    act();
  };
}
