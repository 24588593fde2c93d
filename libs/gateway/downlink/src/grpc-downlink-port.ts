/**
 * The downlink over gRPC: calls and streams of the generated client as the port has them.
 * Decides deadlines of single calls and which status of grpc-js is which fault of ours.
 * Invariant: the client is asked for at every call, so that a renewed certificate is used by the
 * next one. Source: reliability specification F7, P5.
 */
import { Metadata, status, type CallOptions, type ServiceError } from '@grpc/grpc-js';
import type { downlink } from '@aifi/contracts-proto';
import { AifiError, type Clock } from '@aifi/shared-kernel';
import type { DownlinkPort } from './downlink-port.js';

const DEADLINE_MS = 10_000;
type Client = downlink.DownlinkServiceClient;
type Answer<T> = (error: ServiceError | null, response: T) => void;

export function createGrpcDownlinkPort(client: () => Client, clock: Clock): DownlinkPort {
  const once = <T>(
    call: (metadata: Metadata, options: CallOptions, answer: Answer<T>) => unknown,
  ): Promise<T> =>
    new Promise((resolve, reject) => {
      const deadline = clock.nowMs() + DEADLINE_MS;
      call(new Metadata(), { deadline }, (error, response) =>
        error ? reject(linkFault(error)) : resolve(response),
      );
    });
  return {
    routingRules: (heldSha256) =>
      once((metadata, options, answer) =>
        client().getRoutingRules({ heldSha256 }, metadata, options, answer),
      ),
    auditAnchors: async (fromDay) => {
      const response = await once<downlink.GetAuditAnchorsResponse>((metadata, options, answer) =>
        client().getAuditAnchors({ fromDay }, metadata, options, answer),
      );
      return response.anchors;
    },
    openOutcomes: () => {
      const call = client().streamOutcomes();
      // An error of the call also ends the iteration; unheard it would end the process.
      call.on('error', () => undefined);
      return {
        responses: readable<downlink.StreamOutcomesResponse>(call),
        send: (request) => void call.write(request),
        close: () => call.cancel(),
      };
    },
    openControl: (held) => {
      const call = client().streamControl(held);
      call.on('error', () => undefined);
      return {
        responses: readable<downlink.StreamControlResponse>(call),
        close: () => call.cancel(),
      };
    },
  };
}

async function* readable<T>(call: AsyncIterable<unknown>): AsyncGenerator<T> {
  try {
    for await (const message of call) yield message as T;
  } catch (error) {
    throw linkFault(error);
  }
}

function linkFault(error: unknown): AifiError {
  const isTooOld = (error as Partial<ServiceError>).code === status.UNIMPLEMENTED;
  return isTooOld
    ? new AifiError('PEER_REFUSED', 'the hub does not know this call', { cause: error })
    : new AifiError('PEER_UNAVAILABLE', 'the hub does not answer', { cause: error });
}
