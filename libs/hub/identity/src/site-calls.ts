/**
 * Calls of a site: gRPC handlers that know who calls before they read what is asked.
 * Decides that every method starts with the site of the certificate, that a fault becomes the
 * status of the catalogue with its code and never a text from inside, and that writers always wait
 * for drain.
 * Invariant: a stage sees no grpc-js call. Source: reliability specification C1, F7.
 */
import { once } from 'node:events';
import {
  Metadata,
  type handleBidiStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  type ServerDuplexStream,
  type ServerWritableStream,
} from '@grpc/grpc-js';
import { AifiError, type SiteId } from '@aifi/shared-kernel';
import { linkPeerOf, type LinkPeer } from './site-from-peer.js';

/** A stream with one gateway. */
export interface SiteStream<Request, Response> {
  readonly peer: LinkPeer;
  /** Ends when the gateway has nothing more to say, or when the stream is cut. */
  readonly requests: AsyncIterable<Request>;
  /** Aborts when the gateway has gone. */
  readonly signal: AbortSignal;
  /** Resolves when the stream can take more; PEER_UNAVAILABLE when the gateway has gone. */
  write(response: Response): Promise<void>;
}

/** A stream to one gateway, which has said what it holds. */
export interface SiteFeed<Request, Response> extends Omit<
  SiteStream<Request, Response>,
  'requests'
> {
  readonly request: Request;
}

export type FaultListener = (error: AifiError, siteId: SiteId | undefined) => void;

/**
 * A unary method: the answer of `handle`, or the status of what it threw. `certificate` (DER) is
 * the one of the connection, for what is about certificates; who calls is `peer` alone.
 */
export function siteUnary<Request, Response>(
  handle: (peer: LinkPeer, request: Request, certificate?: Uint8Array) => Promise<Response>,
  onFault: FaultListener,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    let peer: LinkPeer | undefined;
    const answer = async (): Promise<Response> => {
      peer = linkPeerOf(call);
      return handle(peer, call.request, call.getAuthContext()?.sslPeerCertificate?.raw);
    };
    answer().then(
      (response) => callback(null, response),
      (error: unknown) => {
        const fault = AifiError.from(error);
        onFault(fault, peer?.siteId);
        callback(grpcFault(fault));
      },
    );
  };
}

/** A stream in both directions: ends well when `handle` resolves. */
export function siteStream<Request, Response>(
  handle: (stream: SiteStream<Request, Response>) => Promise<void>,
  onFault: FaultListener,
): handleBidiStreamingCall<Request, Response> {
  return (call) =>
    serve(call, onFault, (parts) => handle({ ...parts, requests: requestsOf(call) }));
}

/** A stream to the gateway only: ends well when `handle` resolves. */
export function siteServerStream<Request, Response>(
  handle: (feed: SiteFeed<Request, Response>) => Promise<void>,
  onFault: FaultListener,
): handleServerStreamingCall<Request, Response> {
  return (call) => serve(call, onFault, (parts) => handle({ ...parts, request: call.request }));
}

type Call<Request, Response> =
  ServerDuplexStream<Request, Response> | ServerWritableStream<Request, Response>;

/** Ends the stream well, or with the status of what `work` threw. */
function serve<Request, Response>(
  call: Call<Request, Response>,
  onFault: FaultListener,
  work: (parts: Omit<SiteFeed<Request, Response>, 'request'>) => Promise<void>,
): void {
  let peer: LinkPeer | undefined;
  const gone = new AbortController();
  call.on('cancelled', () => gone.abort());
  const { signal } = gone;
  const served = async (): Promise<void> => {
    peer = linkPeerOf(call);
    await work({ peer, signal, write: (response) => writeAndDrain(call, response, signal) });
  };
  served().then(
    () => call.end(),
    (error: unknown) => {
      if (signal.aborted) return;
      const fault = AifiError.from(error);
      onFault(fault, peer?.siteId);
      call.emit('error', grpcFault(fault));
    },
  );
}

async function* requestsOf<Request, Response>(
  call: ServerDuplexStream<Request, Response>,
): AsyncGenerator<Request> {
  // Leaving the loop must not destroy the stream: the status still has to be sent.
  for await (const request of call.iterator({ destroyOnReturn: false })) yield request as Request;
}

async function writeAndDrain<Request, Response>(
  call: Call<Request, Response>,
  response: Response,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) throw new AifiError('PEER_UNAVAILABLE', 'the gateway has gone');
  if (call.write(response)) return;
  try {
    await once(call, 'drain', { signal });
  } catch (error) {
    throw new AifiError('PEER_UNAVAILABLE', 'the gateway has gone', { cause: error });
  }
}

/** Code and instance id travel as metadata; the text is the code, so that nothing leaks in it. */
function grpcFault(fault: AifiError): { code: number; details: string; metadata: Metadata } {
  const metadata = new Metadata();
  metadata.set('aifi-code', fault.code);
  metadata.set('aifi-instance-id', fault.instanceId);
  return { code: fault.grpcStatus, details: fault.code, metadata };
}
