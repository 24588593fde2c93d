/**
 * LinkServer: the gRPC server that the gateways dial, with mutual TLS.
 * Decides its limits: message sizes, memory of a session, keepalive that finds a dead peer.
 * Invariant: no call reaches a stage without a client certificate of our authority.
 * Source: reliability specification F7, C1, 3 (half-open: keepalive 20 s + 10 s).
 */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { downlink, uplink } from '@aifi/contracts-proto';
import { AifiError, LIMITS, type Clock } from '@aifi/shared-kernel';
import type { HubConfig } from './hub-config.js';
import { readSecret } from './hub-parts.js';
import type { HubStages } from './hub-stages.js';

/** OpenStudy carries the manifest: 50,000 instances of about 430 bytes. @unit bytes */
const MANIFEST_MESSAGE_BYTES_MAX = 32 * 1024 * 1024;
/** Four upload streams of 32 MiB for a gateway (F7). @unit MiB */
const SESSION_MEMORY_MIB_MAX = 128;
/** Time for open calls to end before they are cut. @unit ms */
const STOP_GRACE_MS = 5_000;

export class LinkServer {
  readonly #server = new Server({
    'grpc.max_receive_message_length': MANIFEST_MESSAGE_BYTES_MAX,
    'grpc.max_send_message_length': LIMITS.linkMessageBytesMax,
    'grpc.max_concurrent_streams': 32,
    'grpc.keepalive_time_ms': 20_000,
    'grpc.keepalive_timeout_ms': 10_000,
    'grpc-node.max_session_memory': SESSION_MEMORY_MIB_MAX,
  });

  constructor(stages: HubStages) {
    this.#server.addService(uplink.UplinkServiceService, stages.uplink);
    this.#server.addService(downlink.DownlinkServiceService, stages.downlink.service);
  }

  /** The port that it listens on. */
  start({ host, port, caFile, certificateFile, keyFile }: HubConfig['grpc']): Promise<number> {
    const keyPair = {
      cert_chain: readSecret(certificateFile, 'grpc.certificateFile'),
      private_key: readSecret(keyFile, 'grpc.keyFile'),
    };
    const credentials = ServerCredentials.createSsl(
      readSecret(caFile, 'grpc.caFile'),
      [keyPair],
      true,
    );
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(`${host}:${port}`, credentials, (error, bound) => {
        if (!error) return resolve(bound);
        reject(new AifiError('CONFIG_INVALID', 'the link port does not open', { cause: error }));
      });
    });
  }

  /** Lets open calls end, then cuts what is left. */
  async stop(clock: Clock): Promise<void> {
    const ended = new AbortController();
    this.#server.tryShutdown(() => ended.abort());
    await clock.sleep(STOP_GRACE_MS, ended.signal);
    this.#server.forceShutdown();
  }
}
