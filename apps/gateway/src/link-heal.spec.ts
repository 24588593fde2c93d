/**
 * Goal: data flows again within 40 s of the end of a black hole, however long it was.
 * Method: the shipped time-outs, added up along the way that each kind of talk takes. A hole that
 * ends before anybody noticed it has lost the packets that were on the way, so that its end is
 * noticed as late as the hole itself; in a longer one a dial may hang when it ends.
 */
import { describe, expect, it } from '@jest/globals';
import { LINK_KEEPALIVE, OBJECTS_SILENCE_MS } from '@aifi/contracts-proto';
import { RECONNECT_MS_MAX, reconnectDelayMs, SILENCE_MS_MAX } from '@aifi/gateway-downlink';
import {
  CHANNEL_OPTIONS,
  DIAL_INTERVAL_MS,
  DIAL_LOOK_MS,
  DIAL_PATIENCE_MS,
  TUNNEL_TIMEOUT_MS,
} from '@aifi/gateway-link';
import { LINK_BACK_MS_MAX, LINK_LOOK_MS, LinkGate, OBJECTS_LOOK_MS } from '@aifi/gateway-uplink';

const FLOWS_AGAIN_MS_MAX = 40_000;
/** TCP, TLS and the first frames of a dial that succeeds, over a slow line. @unit ms */
const HANDSHAKE_MS = 1_000;

const longest = (): number => 0.999_999;
/** Longest wait of the gate after so many failures, and when the channel comes back then. */
function gateMs(failures: number, isLinkBack: boolean): number {
  const gate = new LinkGate(longest);
  for (let count = 0; count < failures; count += 1) gate.failed(gate.round, 0);
  if (isLinkBack) gate.linkIsBack(0);
  return gate.waitMs(0);
}

/** A ping goes out every 20 s and is waited for 10 s: a dead connection is gone by then. */
const CHANNEL_NOTICES_MS = LINK_KEEPALIVE.timeMs + LINK_KEEPALIVE.timeoutMs;
/**
 * From the heal to a channel that is up: our own dial that hangs ends, the next one succeeds, and
 * the channel dials anew beside it. What the channel does by itself can only be sooner.
 */
const REDIALLED_MS =
  Math.max(TUNNEL_TIMEOUT_MS + DIAL_INTERVAL_MS, DIAL_PATIENCE_MS) +
  DIAL_LOOK_MS +
  2 * HANDSHAKE_MS;

/** Each is the worst time from the heal to bytes that flow. */
const WAYS = {
  'a stream whose channel had noticed nothing':
    Math.max(CHANNEL_NOTICES_MS, SILENCE_MS_MAX) + reconnectDelayMs(1, longest) + HANDSHAKE_MS,
  'a stream whose channel hangs in a dial': REDIALLED_MS + RECONNECT_MS_MAX,
  'a study that is opened or closed on a dead channel':
    CHANNEL_NOTICES_MS + gateMs(1, false) + 2 * HANDSHAKE_MS,
  'objects on a dead connection':
    OBJECTS_SILENCE_MS + OBJECTS_LOOK_MS + gateMs(1, false) + 2 * HANDSHAKE_MS,
  'an upload that has failed for hours':
    REDIALLED_MS + LINK_LOOK_MS + gateMs(1_000, true) + HANDSHAKE_MS,
} as const;

describe('after a black hole', () => {
  it.each(Object.entries(WAYS))('%s flows again within 40 s', (_, worstMs) => {
    expect(worstMs).toBeLessThan(FLOWS_AGAIN_MS_MAX);
  });

  it('an upload would wait longer without the return of the channel', () => {
    expect(gateMs(1_000, true)).toBeLessThanOrEqual(LINK_BACK_MS_MAX);
    expect(gateMs(1_000, false)).toBeGreaterThan(FLOWS_AGAIN_MS_MAX);
  });

  it('the channel itself dials a hub that refuses connections every 12 s at most', () => {
    expect(CHANNEL_OPTIONS['grpc.max_reconnect_backoff_ms']).toBeLessThanOrEqual(10_000);
  });
});
