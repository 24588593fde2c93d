/**
 * Entry of the process that sends in the link bench: the gateway's transports, and plain copies.
 * Decides that a study goes over four streams, as the schedule gives a study that is alone;
 * over gRPC it goes over one, as before. Usage: forked with the folder of certificates.
 */
import { connect, type TLSSocket } from 'node:tls';
import { once } from 'node:events';
import { credentials } from '@grpc/grpc-js';
import { OBJECTS_ALPN, uplink } from '@aifi/contracts-proto';
import {
  createGrpcObjectTransport,
  TlsObjectTransport,
  type ObjectBatch,
  type ObjectTransport,
} from '@aifi/gateway-uplink';
import { AifiError, assertNodeVersion, systemClock } from '@aifi/shared-kernel';
import { readMaterial } from './link/link-certificates.js';
import type { LinkObject, SenderMessage, SenderRequest } from './link/link-messages.js';
import { sendCopy } from './link/plain-copy.js';

assertNodeVersion();
const material = readMaterial(process.argv[2] ?? '', 'gateway');
const STREAMS = 4;

function tell(message: SenderMessage): void {
  process.send?.(message);
}
const batchOf = (jobId: string, objects: readonly LinkObject[]): ObjectBatch => ({
  jobId,
  objects: objects.map((object) => ({ ...object, offsetBytes: 0 })),
  encoding: 'none',
  acknowledge: () => Promise.resolve(),
  pace: () => Promise.resolve(),
  signal: new AbortController().signal,
});

async function sendAll(
  transport: ObjectTransport,
  { jobId, objects }: SenderRequest,
  streams: number,
): Promise<void> {
  const length = Math.ceil(objects.length / streams);
  const parts = Array.from({ length: streams }, (_, index) =>
    objects.slice(index * length, (index + 1) * length),
  );
  const sending = parts.filter((part) => part.length > 0);
  await Promise.all(sending.map((part) => transport.send(batchOf(jobId, part))));
}

async function send(request: SenderRequest): Promise<void> {
  const { way, port, objects } = request;
  if (way === 'copy' || way === 'copy with fsync') return sendCopy(port, material, objects);
  if (way === 'gRPC') {
    const { ca, key, cert } = material;
    const secure = credentials.createSsl(ca, key, cert);
    const client = new uplink.UplinkServiceClient(`localhost:${port}`, secure);
    await sendAll(
      createGrpcObjectTransport(() => client, systemClock),
      request,
      1,
    );
    return client.close();
  }
  const dial = async (): Promise<TLSSocket> => {
    const ALPNProtocols = [OBJECTS_ALPN];
    const socket = connect({ ...material, ALPNProtocols, port, host: '127.0.0.1' });
    socket.setNoDelay(true);
    await once(socket, 'secureConnect');
    return socket;
  };
  const transport = new TlsObjectTransport({ dial, clock: systemClock });
  await sendAll(transport, request, STREAMS);
  transport.close();
}

process.on('message', (request: SenderRequest) => {
  const startMs = performance.now();
  send(request).then(
    () => tell({ kind: 'sent', seconds: (performance.now() - startMs) / 1_000 }),
    (error: unknown) => tell({ kind: 'failed', code: AifiError.from(error).code }),
  );
});
process.on('disconnect', () => process.exit(0));
tell({ kind: 'ready' });
