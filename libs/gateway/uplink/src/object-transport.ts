/**
 * ObjectTransport: how the bytes of spooled objects get to the hub, apart from when.
 * Decides the border between the schedule of the uplink (which job, how fast, how many at once) and
 * the wire. Invariants: an object counts as sent when the hub has acknowledged it under its digest
 * and size; memory holds chunks, never objects.
 * Source: reliability specification P2, F7; aifi/uplink/v1/uplink.proto.
 */
import type { Sha256 } from '@aifi/shared-kernel';

/** An object of the spool. */
export interface SpooledObject {
  readonly sha256: string;
  /** @unit bytes */
  readonly sizeBytes: number;
  readonly path: string;
}
/** An object that the hub does not hold whole. */
export interface OwedObject extends SpooledObject {
  /** How much of it the hub holds durably. @unit bytes */
  readonly offsetBytes: number;
}

export interface ObjectBatch {
  readonly jobId: string;
  readonly objects: readonly OwedObject[];
  /** How the bytes are compressed on the way; a transport may send them as they are. */
  readonly encoding: 'none' | 'zstd';
  /** Called once per object, after the hub holds it; objects may come in any order. */
  readonly acknowledge: (sha256: Sha256) => Promise<void>;
  /** Resolves when so many bytes more may go: bandwidth, and acute studies before routine ones. */
  readonly pace: (bytes: number) => Promise<void>;
  readonly signal: AbortSignal;
}
/** `draining`: the hub goes; what was not acknowledged is owed still, later, on a new stream. */
export type SendEnd =
  { readonly kind: 'sent' } | { readonly kind: 'draining'; readonly retryAfterMs: number };

export interface ObjectTransport {
  /** PEER_UNAVAILABLE when the link breaks, PEER_REFUSED when the hub will never take it. */
  send(batch: ObjectBatch): Promise<SendEnd>;
  /** Ends the connections that nothing goes over; nothing is sent after it. */
  close?(): void;
}
