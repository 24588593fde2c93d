/**
 * ConnectionBook: how many connections there are, of whom, and how many there may be.
 * Decides who gets in when many come: those in their handshake have a room of their own, so that
 * nobody who is unknown takes the place of a gateway; then a total, a share of each address (a
 * hospital may have several gateways behind one), a share of each gateway. Pure counting.
 * Invariant: what was entered is left once, so that a count never drifts.
 * Source: security specification 4 (bounded connections); reliability specification H14.
 */
import type { LinkPeer } from '@aifi/hub-identity';
import { addressKey } from './address-key.js';

export interface LinkLimits {
  /** Of one hub process, until it is known who is there. */
  readonly handshakesMax: number;
  /** Of one address: a hospital network may hide several gateways that come back at once. */
  readonly handshakesPerAddressMax: number;
  /** Of one hub process: 100 gateways with five connections each, and as many reconnecting. */
  readonly connectionsMax: number;
  /** Of the gateways behind one address. */
  readonly perAddressMax: number;
  /** Of one gateway by one protocol: four uploads, and the old ones while it reconnects. */
  readonly perPeerMax: number;
}
export const LINK_LIMITS: LinkLimits = {
  handshakesMax: 256,
  handshakesPerAddressMax: 32,
  connectionsMax: 1_024,
  perAddressMax: 64,
  perPeerMax: 8,
};

/** Leaves the book; a second call does nothing. */
export type Leave = () => void;

export interface KnownConnection {
  readonly address: string;
  readonly peer: LinkPeer;
  readonly alpn: string;
  /** Fewer than perPeerMax, where the protocol says so. */
  readonly perPeerMax?: number | undefined;
}

export class ConnectionBook {
  readonly #totals = new Map<string, number>();
  readonly #handshakesByAddress = new Map<string, number>();
  readonly #byAddress = new Map<string, number>();
  readonly #byPeer = new Map<string, number>();

  constructor(private readonly limits: LinkLimits) {}

  /** Undefined: no room for another handshake, or another one of this address. */
  enterHandshake(address: string): Leave | undefined {
    const { handshakesMax, handshakesPerAddressMax } = this.limits;
    return enterAll([
      [this.#totals, 'handshakes', handshakesMax],
      [this.#handshakesByAddress, addressKey(address), handshakesPerAddressMax],
    ]);
  }

  /** Undefined: no room, or this gateway or its address has as many as it may. */
  enterPeer({ address, peer, alpn, perPeerMax }: KnownConnection): Leave | undefined {
    const { connectionsMax, perAddressMax } = this.limits;
    const ofPeer = Math.min(perPeerMax ?? Infinity, this.limits.perPeerMax);
    return enterAll([
      [this.#totals, 'connections', connectionsMax],
      [this.#byAddress, addressKey(address), perAddressMax],
      [this.#byPeer, `${peer.siteId}/${peer.gateway}/${alpn}`, ofPeer],
    ]);
  }
}

/** One count of a key, and how many of it there may be. */
export type Share = readonly [counts: Map<string, number>, key: string, max: number];

/** Enters all of them, or none. */
export function enterAll(shares: readonly Share[]): Leave | undefined {
  if (shares.some(([counts, key, max]) => (counts.get(key) ?? 0) >= max)) return undefined;
  for (const [counts, key] of shares) counts.set(key, (counts.get(key) ?? 0) + 1);
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    for (const [counts, key] of shares) leave(counts, key);
  };
}

function leave(counts: Map<string, number>, key: string): void {
  const left = (counts.get(key) ?? 1) - 1;
  if (left === 0) counts.delete(key);
  else counts.set(key, left);
}
