/**
 * DownlinkPort: the hub as the downlink stage sees it, without a wire.
 * Decides the border between what is done with what comes down (verify, keep, acknowledge) and how
 * it comes. Invariants: every call begins here, nothing is pushed on a connection that the hub
 * opened; a stream that ends, whatever the reason, ends its iteration.
 * Source: reliability specification C2, P5; aifi/downlink/v1/downlink.proto.
 */
import type { downlink } from '@aifi/contracts-proto';

export interface OutcomeStream {
  /** Ends well when the hub ends the stream; PEER_UNAVAILABLE when it breaks. */
  readonly responses: AsyncIterable<downlink.StreamOutcomesResponse>;
  /** What is sent to a stream that has ended is lost: the hub sends the outcome again. */
  send(request: downlink.StreamOutcomesRequest): void;
  close(): void;
}

export interface ControlStream {
  /**
   * Ends well when the hub ends the stream; PEER_UNAVAILABLE when it breaks; PEER_REFUSED when the
   * hub is too old to have one.
   */
  readonly responses: AsyncIterable<downlink.StreamControlResponse>;
  close(): void;
}

export interface DownlinkPort {
  /** Empty rules when the held ones are current. */
  routingRules(heldSha256: string): Promise<downlink.GetRoutingRulesResponse>;
  /** Canonical bytes of the hub's audit anchors from that day on, oldest first. */
  auditAnchors(fromDay: string): Promise<readonly Uint8Array[]>;
  openOutcomes(): OutcomeStream;
  openControl(held: downlink.StreamControlRequest): ControlStream;
}
