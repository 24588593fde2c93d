/**
 * LinkServer: the gRPC services that the gateways call, behind the front of the link.
 * Decides their limits: message sizes, memory of a session, keepalive that finds a dead peer.
 * Invariant: no call reaches a stage without a certificate that the front has let in.
 * Source: reliability specification F7, C1, 3 (half-open: keepalive 20 s + 10 s).
 */
import { Server } from '@grpc/grpc-js';
import { downlink, enrolment, keepaliveOptions, uplink } from '@aifi/contracts-proto';
import { grpcProtocol, LinkFront, type LinkMeter } from '@aifi/hub-link';
import { LIMITS, type Clock } from '@aifi/shared-kernel';
import type { HubConfig } from './hub-config.js';
import type { HubParts } from './hub-parts.js';
import type { HubStages } from './hub-stages.js';

/**
 * Of one connection: outcomes and control, four uploads that open or close, anchors, renewal. Those
 * beyond wait at the gateway; each may hold a message in memory, whoever its sender is.
 */
const STREAMS_MAX = 8;
/** Eight streams with a manifest of 16 MiB each (F7). @unit MiB */
const SESSION_MEMORY_MIB_MAX = 128;
/** Time for open calls to end before they are cut. @unit ms */
const STOP_GRACE_MS = 5_000;

export class LinkServer {
  readonly #server = new Server({
    'grpc.max_receive_message_length': LIMITS.linkMessageBytesMax,
    'grpc.max_send_message_length': LIMITS.linkMessageBytesMax,
    'grpc.max_concurrent_streams': STREAMS_MAX,
    ...keepaliveOptions(),
    'grpc-node.max_session_memory': SESSION_MEMORY_MIB_MAX,
  });
  readonly #grpc = grpcProtocol(this.#server);
  readonly #front: LinkFront;
  readonly #objects: HubStages['objects'];

  constructor(stages: HubStages, parts: HubParts, meter: LinkMeter) {
    this.#objects = stages.objects;
    this.#server.addService(uplink.UplinkServiceService, stages.uplink);
    this.#server.addService(downlink.DownlinkServiceService, stages.downlink.service);
    this.#server.addService(enrolment.EnrolmentServiceService, stages.enrolment);
    const { clock, enrolment: enrolled, logger } = parts;
    this.#front = new LinkFront({
      ...{ clock, logger, meter, trust: enrolled.trust, readIdentity: enrolled.readIdentity },
      protocols: [this.#grpc, ...stages.protocols],
    });
  }

  /** The port that it listens on. */
  start({ host, port }: HubConfig['grpc']): Promise<number> {
    return this.#front.start({ host, port });
  }

  /** Whether those inside may still be; a fault is logged by the front. */
  look(): void {
    void this.#front.look();
  }

  /** Lets open calls end, then cuts what is left. */
  async stop(clock: Clock): Promise<void> {
    this.#front.close();
    const ended = new AbortController();
    // Tells each connection that no new call may begin on it.
    this.#server.tryShutdown(() => undefined);
    void this.#grpc.ended().then(() => ended.abort());
    await clock.sleep(STOP_GRACE_MS, ended.signal);
    this.#server.forceShutdown();
    // What is in hand is kept as a beginning, while there is a database to know it.
    await this.#objects.close();
    this.#front.destroy();
  }
}
