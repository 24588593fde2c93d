/**
 * Objects over the PutObjects stream of gRPC.
 * Decides how a stream keeps its memory bounded, goes on after the beginning that the hub holds,
 * and leaves when the hub drains: the object in hand goes to its end, no other begins.
 * Invariants: an acknowledgement for other bytes than were sent ends the stream; a silent hub is
 * noticed. Source: aifi/uplink/v1/uplink.proto; reliability specification F7.
 */
import { createReadStream } from 'node:fs';
import { once } from 'node:events';
import type { ServiceError } from '@grpc/grpc-js';
import { AifiError, LIMITS, type Clock, type ErrorCode, type Sha256 } from '@aifi/shared-kernel';
import type { uplink } from '@aifi/contracts-proto';
import { codeOfStatus } from './grpc-uplink-port.js';
import type { ObjectBatch, ObjectTransport, OwedObject, SendEnd } from './object-transport.js';

/** Longest silence of the hub while objects are under way: it syncs each of them. @unit ms */
const IDLE_MS_MAX = 60_000;

/** What the hub says about an object, as opposed to about us, about itself or about the link. */
const OF_THE_OBJECT: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'INVALID_ARGUMENT',
  'NOT_FOUND',
  'DIGEST_MISMATCH',
  'STATE_CONFLICT',
]);

type PutClient = Pick<uplink.UplinkServiceClient, 'putObjects'>;
type PutCall = ReturnType<PutClient['putObjects']>;

/** `client` is asked for each stream: a renewed certificate comes with a new one. */
export function createGrpcObjectTransport(client: () => PutClient, clock: Clock): ObjectTransport {
  return { send: (batch) => new PutStream(client().putObjects(), batch, clock).run() };
}

function streamFault(error: ServiceError): AifiError {
  const code = codeOfStatus(error);
  const options = { cause: error };
  return OF_THE_OBJECT.has(code)
    ? new AifiError('PEER_REFUSED', 'the hub refused an object', options)
    : new AifiError('PEER_UNAVAILABLE', 'the upload stream was cut', options);
}

class PutStream {
  readonly #owed: Map<string, number>;
  readonly #acks: Promise<void>[] = [];
  readonly #done = new AbortController();
  #heardMs: number;
  #drainMs: number | undefined;

  constructor(
    private readonly call: PutCall,
    private readonly batch: ObjectBatch,
    private readonly clock: Clock,
  ) {
    this.#owed = new Map(batch.objects.map(({ sha256, sizeBytes }) => [sha256, sizeBytes]));
    this.#heardMs = clock.monotonicMs();
  }

  async run(): Promise<SendEnd> {
    const { call, batch } = this;
    const cancel = (): void => call.cancel();
    batch.signal.addEventListener('abort', cancel, { signal: this.#done.signal });
    call.on('data', (response: uplink.PutObjectsResponse) => this.#take(response));
    const ended = new Promise<void>((resolve, reject) => {
      call.on('end', resolve);
      call.on('error', (error: ServiceError) => reject(streamFault(error)));
    });
    try {
      void this.#watch();
      await Promise.race([ended, this.#sendAll()]);
      await ended;
      await Promise.all(this.#acks);
    } finally {
      this.#done.abort();
      call.cancel();
    }
    if (this.#owed.size === 0) return { kind: 'sent' };
    if (this.#drainMs === undefined) {
      throw new AifiError('PEER_UNAVAILABLE', 'objects were not acknowledged');
    }
    return { kind: 'draining', retryAfterMs: this.#drainMs };
  }

  #take({ part }: uplink.PutObjectsResponse): void {
    this.#heardMs = this.clock.monotonicMs();
    if (part?.$case === 'drain') {
      this.#drainMs = part.value.retryAfterMs;
      return;
    }
    const ack = part?.value;
    if (!ack || this.#owed.get(ack.sha256) !== ack.sizeBytes) return this.call.cancel();
    this.#owed.delete(ack.sha256);
    this.#acks.push(this.batch.acknowledge(ack.sha256 as Sha256));
  }

  /** A hub that neither reads nor answers is given up. */
  async #watch(): Promise<void> {
    const { signal } = this.#done;
    for (;;) {
      const leftMs = this.#heardMs + IDLE_MS_MAX - this.clock.monotonicMs();
      if (leftMs <= 0) return this.call.cancel();
      await this.clock.sleep(leftMs, signal);
      if (signal.aborted) return;
    }
  }

  async #sendAll(): Promise<void> {
    for (const object of this.batch.objects) {
      if (this.#drainMs !== undefined) break;
      await this.#sendObject(object);
    }
    this.call.end();
  }

  async #sendObject({ sha256, sizeBytes, path, offsetBytes }: OwedObject): Promise<void> {
    const { jobId } = this.batch;
    await this.#write({
      $case: 'header',
      value: { jobId, sha256, sizeBytes, offsetBytes, encoding: '' },
    });
    const file = createReadStream(path, {
      start: offsetBytes,
      highWaterMark: LIMITS.linkChunkBytesMax,
    });
    for await (const chunk of file as AsyncIterable<Buffer>) {
      await this.batch.pace(chunk.length);
      await this.#write({ $case: 'chunk', value: chunk });
    }
  }

  async #write(part: NonNullable<uplink.PutObjectsRequest['part']>): Promise<void> {
    const { signal } = this.#done;
    if (this.batch.signal.aborted || signal.aborted) {
      throw new AifiError('PEER_UNAVAILABLE', 'the upload was broken off');
    }
    if (!this.call.write({ part })) await once(this.call, 'drain', { signal });
    this.#heardMs = this.clock.monotonicMs();
  }
}
