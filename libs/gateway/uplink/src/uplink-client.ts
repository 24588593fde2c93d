/**
 * The calls of the uplink contract, as promises with deadlines.
 * Decides how gRPC faults become AifiError and how a stream keeps its memory bounded.
 * Invariant: an acknowledgement for other bytes than were sent is a fault.
 * Source: aifi/uplink/v1/uplink.proto; reliability specification F7.
 */
import { createReadStream } from 'node:fs';
import { once } from 'node:events';
import { Metadata, status as grpcStatus, type ServiceError } from '@grpc/grpc-js';
import { AifiError, LIMITS, type Sha256 } from '@aifi/shared-kernel';
import type { uplink } from '@aifi/contracts-proto';

/** Answer of a unary call. @unit ms */
const UNARY_DEADLINE_MS = 30_000;
/** Longest silence of the hub while objects are under way: it fsyncs each of them. @unit ms */
const STREAM_IDLE_MS = 60_000;

export interface SpooledObject {
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly path: string;
}

const PERMANENT: ReadonlySet<number> = new Set([
  grpcStatus.INVALID_ARGUMENT,
  grpcStatus.FAILED_PRECONDITION,
  grpcStatus.ALREADY_EXISTS,
  grpcStatus.PERMISSION_DENIED,
  grpcStatus.UNAUTHENTICATED,
  grpcStatus.NOT_FOUND,
]);

/**
 * The fault behind a gRPC error: its code decides about retries, its text is kept as cause only.
 */
export function linkFault(error: ServiceError): AifiError {
  return PERMANENT.has(error.code)
    ? new AifiError('PEER_REFUSED', `the hub refused (gRPC ${error.code})`, { cause: error })
    : new AifiError('PEER_UNAVAILABLE', `the link failed (gRPC ${error.code})`, { cause: error });
}

function unary<Request, Response>(
  call: (
    request: Request,
    options: { deadline: number },
    callback: (error: ServiceError | null, response: Response) => void,
  ) => unknown,
  request: Request,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    call(request, { deadline: Date.now() + UNARY_DEADLINE_MS }, (error, response) =>
      error ? reject(linkFault(error)) : resolve(response),
    );
  });
}

export function openStudy(
  client: uplink.UplinkServiceClient,
  request: uplink.OpenStudyRequest,
): Promise<uplink.OpenStudyResponse> {
  return unary<uplink.OpenStudyRequest, uplink.OpenStudyResponse>(
    (message, options, callback) => client.openStudy(message, new Metadata(), options, callback),
    request,
  );
}

/** Resolves when the hub holds the study under exactly this manifest hash. */
export async function closeStudy(
  client: uplink.UplinkServiceClient,
  request: uplink.CloseStudyRequest,
): Promise<void> {
  const { ack } = await unary<uplink.CloseStudyRequest, uplink.CloseStudyResponse>(
    (message, options, callback) => client.closeStudy(message, new Metadata(), options, callback),
    request,
  );
  if (ack?.jobId !== request.jobId || ack.manifestSha256 !== request.manifestSha256) {
    throw new AifiError('DIGEST_MISMATCH', 'the hub acknowledged another study');
  }
}

export interface PutObjects {
  readonly client: uplink.UplinkServiceClient;
  readonly jobId: string;
  readonly objects: readonly SpooledObject[];
  /** Called once per object, after the hub holds it. */
  readonly acknowledge: (sha256: Sha256) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Streams objects one after the other; resolves when each has been acknowledged. */
export async function putObjects(options: PutObjects): Promise<void> {
  const { client, jobId, objects, acknowledge, signal } = options;
  const call = client.putObjects();
  const cancel = (): void => call.cancel();
  signal.addEventListener('abort', cancel);
  const idle = setTimeout(cancel, STREAM_IDLE_MS);
  const owed = new Map(objects.map((object) => [object.sha256, object.sizeBytes]));
  const acks: Promise<void>[] = [];
  call.on('data', ({ part }: uplink.PutObjectsResponse) => {
    idle.refresh();
    const ack = part?.$case === 'ack' ? part.value : undefined;
    if (!ack || owed.get(ack.sha256) !== ack.sizeBytes) return cancel();
    owed.delete(ack.sha256);
    acks.push(acknowledge(ack.sha256 as Sha256));
  });
  const ended = new Promise<void>((resolve, reject) => {
    call.on('end', resolve);
    call.on('error', (error: ServiceError) => reject(linkFault(error)));
  });
  try {
    await Promise.race([ended, sendAll(call, { jobId, objects, progress: () => idle.refresh() })]);
    await ended;
    await Promise.all(acks);
  } finally {
    clearTimeout(idle);
    signal.removeEventListener('abort', cancel);
    call.cancel();
  }
  if (owed.size > 0) throw new AifiError('PEER_UNAVAILABLE', 'objects were not acknowledged');
}

type PutCall = ReturnType<uplink.UplinkServiceClient['putObjects']>;

async function sendAll(
  call: PutCall,
  {
    jobId,
    objects,
    progress,
  }: { jobId: string; objects: readonly SpooledObject[]; progress: () => void },
): Promise<void> {
  const write = async (part: uplink.PutObjectsRequest['part']): Promise<void> => {
    if (!call.write({ part })) await once(call, 'drain');
    progress();
  };
  for (const { sha256, sizeBytes, path } of objects) {
    await write({
      $case: 'header',
      value: { ...{ jobId, sha256, sizeBytes }, offsetBytes: 0, encoding: '' },
    });
    const file = createReadStream(path, { highWaterMark: LIMITS.linkChunkBytesMax });
    for await (const chunk of file) await write({ $case: 'chunk', value: chunk as Buffer });
  }
  call.end();
}
