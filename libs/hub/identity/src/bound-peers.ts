/**
 * Peers whose certificate does not name a site itself: found by its fingerprint while connected.
 * Decides nothing about trust: the front of the link did, from a binding that two persons agreed to
 * (certificates of a national PKI). Invariants: a fingerprint means one gateway at a time, and
 * nothing once its last connection has ended; the SiteId is made here, from the row of the binding.
 * Source: reliability specification C1 (issuer and subject identifier bound at enrolment).
 */
import { AifiError, siteId } from '@aifi/shared-kernel';
import type { LinkPeer } from './site-from-peer.js';

/** A row of the bindings: which gateway a certificate stands for. */
export interface BoundName {
  readonly siteName: string;
  readonly gateway: number;
}

interface Connected {
  readonly peer: LinkPeer;
  connections: number;
}
const connected = new Map<string, Connected>();

export interface BoundPeer {
  readonly peer: LinkPeer;
  /** The connection has ended. */
  release(): void;
}

/**
 * Remembers whom a verified certificate stands for, for the calls of one connection.
 * UNTRUSTED when it stands for another gateway at this moment.
 */
export function bindPeer(fingerprint256: string, { siteName, gateway }: BoundName): BoundPeer {
  const known = connected.get(fingerprint256);
  const entry = known ?? { peer: { siteId: siteId(siteName), gateway }, connections: 0 };
  if (entry.peer.siteId !== siteName || entry.peer.gateway !== gateway) {
    throw new AifiError('UNTRUSTED', 'the certificate stands for another gateway');
  }
  entry.connections += 1;
  connected.set(fingerprint256, entry);
  let isOpen = true;
  const release = (): void => {
    if (!isOpen) return;
    isOpen = false;
    entry.connections -= 1;
    if (entry.connections === 0) connected.delete(fingerprint256);
  };
  return { peer: entry.peer, release };
}

/** The gateway that a connected certificate was bound to. */
export const boundPeerOf = (fingerprint256: string): LinkPeer | undefined =>
  connected.get(fingerprint256)?.peer;
