/**
 * LinkProtocol: what may be spoken on the hub's one port for gateways, chosen by ALPN.
 * Decides that a protocol gets a socket only after the front knows who is at the other end, or says
 * openly that it serves strangers. Invariant: a protocol never looks at certificates itself.
 * Source: RFC 7301 (ALPN); reliability specification C1.
 */
import type { TLSSocket } from 'node:tls';
import type { LinkPeer } from '@aifi/hub-identity';

/** A protocol between the hub and a gateway that it knows. */
export interface LinkProtocol {
  /** Protocol name in the TLS handshake, such as `h2`. */
  readonly alpn: string;
  /** Takes over the socket; must not throw. The front destroys it when its certificate lapses. */
  accept(socket: TLSSocket, peer: LinkPeer): void;
  /** Connections of one gateway, where they are to be fewer than those of the front's limit. */
  readonly perPeerMax?: number;
}

/** A protocol with somebody who has no certificate yet: bounded in size, time and number. */
export interface StrangerProtocol {
  readonly alpn: string;
  /** Takes over the socket; must not throw. The front destroys it after `timeoutMs`. */
  acceptStranger(socket: TLSSocket): void;
  /** @unit ms */
  readonly timeoutMs: number;
  /** At one time, of all addresses. */
  readonly connectionsMax: number;
  /** At one time, of one address. */
  readonly perAddressMax: number;
}

export type AnyProtocol = LinkProtocol | StrangerProtocol;

export const isForStrangers = (protocol: AnyProtocol): protocol is StrangerProtocol =>
  'acceptStranger' in protocol;
