/**
 * gRPC behind the front: grpc-js serves sockets whose TLS the front has ended.
 * Decides also how a refused gateway learns that it was refused: each call gets the status of the
 * catalogue, as from a handler, instead of a connection that breaks for no stated reason.
 * Invariants: a refused connection reaches no service; no order of frames ends the process.
 * Source: gRPC over HTTP/2 (Trailers-Only); RFC 9113 5.1 (a stream may be reset at any moment).
 */
import { subscribe } from 'node:diagnostics_channel';
import { performServerHandshake, type ServerHttp2Stream } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { ServerCredentials, type Server } from '@grpc/grpc-js';
import type { AifiError, Clock } from '@aifi/shared-kernel';
import type { LinkProtocol } from './link-protocol.js';

export const GRPC_ALPN = 'h2';
/** Enough for the calls that a gateway starts at once. @unit ms */
const REFUSAL_MS = 2_000;
const REFUSED_STREAMS_MAX = 16;
/**
 * The present connection, those that a renewal and a new authority left with streams that go on,
 * and one that hangs and is not found out yet.
 */
const PER_PEER_MAX = 4;

/**
 * What came while the front looked a gateway up is read in one go: a stream may have been reset
 * before anybody hears of it. Neither grpc-js nor we can know; an answer to such a stream, which
 * node:http2 would answer with an exception that nobody catches, goes nowhere.
 */
subscribe('http2.server.stream.created', (message) => {
  const { stream } = message as { readonly stream: ServerHttp2Stream };
  const respond = stream.respond.bind(stream);
  stream.respond = (...answer) => {
    if (!stream.destroyed && !stream.closed) respond(...answer);
  };
});

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
    perPeerMax: PER_PEER_MAX,
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
