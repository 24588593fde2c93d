/**
 * The link to the hub: one mTLS channel that the gateway dials.
 * Decides who the hub is for us (pinned CA) and how a dead connection is noticed.
 * Invariant: nothing listens here; the site is told by our certificate only (guards C1, C2).
 * Source: reliability specification F7, section 3 (half-open peers).
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connectivityState, credentials, type ClientOptions } from '@grpc/grpc-js';
import { downlink, uplink } from '@aifi/contracts-proto';
import { AifiError, LIMITS } from '@aifi/shared-kernel';
import type { GatewayConfig } from './gateway-config.js';

const CHANNEL_OPTIONS: ClientOptions = {
  // A half-open connection is noticed within 30 s (20 s silence, 10 s for the answer).
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.keepalive_permit_without_calls': 1,
  'grpc.max_receive_message_length': LIMITS.linkMessageBytesMax,
  'grpc.max_send_message_length': LIMITS.linkMessageBytesMax,
  'grpc.max_reconnect_backoff_ms': 10_000,
};

export type LinkState = 'up' | 'connecting' | 'down';
export interface HubLink {
  readonly uplink: uplink.UplinkServiceClient;
  readonly downlink: downlink.DownlinkServiceClient;
  /** The hub's Ed25519 key for rules and outcomes. */
  readonly signingKey: KeyObject;
  /** Of the channel that the outcome stream keeps open. */
  state(): LinkState;
  close(): void;
}

export function openHubLink(config: GatewayConfig['hub']): HubLink {
  const channel = credentials.createSsl(
    readSecret(config.caFile),
    readSecret(config.keyFile),
    readSecret(config.certificateFile),
  );
  const up = new uplink.UplinkServiceClient(config.address, channel, CHANNEL_OPTIONS);
  const down = new downlink.DownlinkServiceClient(config.address, channel, CHANNEL_OPTIONS);
  return {
    uplink: up,
    downlink: down,
    signingKey: createPublicKey(readSecret(config.signingPublicKeyFile)),
    state: () => linkState(down.getChannel().getConnectivityState(false)),
    close: () => {
      up.close();
      down.close();
    },
  };
}

function linkState(state: connectivityState): LinkState {
  if (state === connectivityState.READY) return 'up';
  const isTrying = state === connectivityState.CONNECTING || state === connectivityState.IDLE;
  return isTrying ? 'connecting' : 'down';
}

function readSecret(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new AifiError('CONFIG_INVALID', 'a certificate or key file does not read', {
      cause: error,
    });
  }
}
