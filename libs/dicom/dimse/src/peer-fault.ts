/**
 * What went wrong with a peer, as a type: the cause of every PEER_UNAVAILABLE of the SCU.
 * Decides how a rejection, an abort, an end and a failed handshake are told apart, so that a retry
 * table reads fields and never a message. Invariant: nothing here holds a word of the peer.
 * Source: PS3.8 9.3.4 (A-ASSOCIATE-RJ), 9.3.8 (A-ABORT); PS3.15 B.12; RFC 8446 6.2 (alerts).
 */
import { AifiError } from '@aifi/shared-kernel';

/** A-ASSOCIATE-RJ. Nothing was asked yet, so nothing can have happened. */
export class AssociationRejected extends Error {
  constructor(
    /** 1: rejected permanent, 2: rejected transient. */
    readonly result: number,
    /** 1: service user, 2: provider (ACSE), 3: provider (presentation). */
    readonly source: number,
    /** Its meaning depends on the source: 1/3 calling, 1/7 called AE title, 3/2 limit exceeded. */
    readonly reason: number,
  ) {
    super('association rejected');
  }
  /** The peer says that the same request may be taken later. */
  get isTransient(): boolean {
    return this.result === 2;
  }
}
/** How far a request had come. After 'connect' and 'associate' nothing can have happened. */
export type PeerPhase = 'connect' | 'associate' | 'request' | 'answer';

/** A-ABORT of the peer. */
export class PeerAborted extends Error {
  constructor(
    readonly phase: PeerPhase,
    /** 0: service user, 2: service provider. */
    readonly source: number,
    readonly reason: number,
  ) {
    super('association aborted');
  }
}
/** The connection could not be opened, or ended without a word; `code` as in errno or OpenSSL. */
export class PeerClosed extends Error {
  constructor(
    readonly phase: PeerPhase,
    readonly code: string,
  ) {
    super('connection closed');
  }
}
/** The handshake failed. `isUntrusted`: over a certificate, so only a person can heal it. */
export class TlsFault extends Error {
  constructor(
    readonly isUntrusted: boolean,
    readonly code: string,
  ) {
    super('TLS handshake failed');
  }
}
/** The peer answered with a status that says no, to anything but a C-STORE. */
export class PeerStatus extends Error {
  constructor(readonly status: number) {
    super('request failed');
  }
}
/** The peer broke the protocol. */
export class PeerNonsense extends Error {}

export type PeerFault =
  AssociationRejected | PeerAborted | PeerClosed | TlsFault | PeerStatus | PeerNonsense;

/** The typed cause of a fault of this library, if it has one. */
export function peerFaultOf(error: unknown): PeerFault | undefined {
  const cause = error instanceof AifiError ? error.cause : undefined;
  const kinds = [AssociationRejected, PeerAborted, PeerClosed, TlsFault, PeerStatus, PeerNonsense];
  return kinds.some((kind) => cause instanceof kind) ? (cause as PeerFault) : undefined;
}
