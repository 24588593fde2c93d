/**
 * gRPC behind the front: grpc-js serves sockets whose TLS the front has ended.
 * Decides also how a refused gateway learns that it was refused: each call gets the status of the
 * catalogue, as from a handler, instead of a connection that breaks for no stated reason.
 * Invariant: a refused connection reaches no service. Source: gRPC over HTTP/2 (Trailers-Only).
 */
import { performServerHandshake } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { ServerCredentials, type Server } from '@grpc/grpc-js';
import type { AifiError, Clock } from '@aifi/shared-kernel';
import type { LinkProtocol } from './link-protocol.js';

export const GRPC_ALPN = 'h2';
/** Enough for the calls that a gateway starts at once. @unit ms */
const REFUSAL_MS = 2_000;
const REFUSED_STREAMS_MAX = 16;

/** gRPC on the sockets that it was given. */
export interface GrpcProtocol extends LinkProtocol {
  /** Resolves when none of its connections is open; new ones are not its to refuse. */
  ended(): Promise<void>;
}

/** The services of `server`, for gateways that the front has let in. */
export function grpcProtocol(server: Server): GrpcProtocol {
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  // The server does not wait for connections that were injected when it shuts down.
  const open = new Set<Promise<void>>();
  return {
    alpn: GRPC_ALPN,
    accept: (socket) => {
      const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
      open.add(closed);
      void closed.then(() => open.delete(closed));
      injector.injectConnection(socket);
    },
    ended: async () => {
      await Promise.all(open);
    },
  };
}

/** Answers each call of this connection with the fault, then ends it. */
export async function refuseCalls(
  socket: TLSSocket,
  fault: AifiError,
  clock: Clock,
): Promise<void> {
  const settings = { maxConcurrentStreams: REFUSED_STREAMS_MAX };
  const session = performServerHandshake(socket, { settings });
  session.on('error', () => undefined);
  session.on('stream', (stream) => {
    stream.on('error', () => undefined);
    stream.respond(
      {
        ':status': 200,
        'content-type': 'application/grpc',
        'grpc-status': String(fault.grpcStatus),
        'grpc-message': fault.code,
        'aifi-code': fault.code,
        'aifi-instance-id': fault.instanceId,
      },
      { endStream: true },
    );
  });
  const ended = new AbortController();
  session.on('close', () => ended.abort());
  await clock.sleep(REFUSAL_MS, ended.signal);
  session.destroy();
  socket.destroy();
}
