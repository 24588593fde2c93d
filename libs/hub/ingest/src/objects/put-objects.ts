/**
 * PutObjects: the gRPC form of the same intake, for gateways of earlier releases.
 * Decides nothing about objects; counts streams, tells the stream when the hub goes, and ends one
 * that holds a slot and makes no use of it: HTTP/2 itself answers pings of a silent gateway.
 * Invariant: a gateway has at most four streams. Source: aifi/uplink/v1/uplink.proto; reliability
 * specification F7, H14; docs/adr/0020-bulk-transport.md.
 */
import { AifiError, LIMITS } from '@aifi/shared-kernel';
import type { uplink } from '@aifi/contracts-proto';
import type { SiteStream } from '@aifi/hub-identity';
import type { DrainSignal } from '../hub-drain.js';
import { ObjectIntake, type IntakeDependencies } from './object-intake.js';
import { ObjectProgress, PROGRESS_LOOK_MS } from './object-progress.js';

export type PutStream = SiteStream<uplink.PutObjectsRequest, uplink.PutObjectsResponse>;
export interface PutObjectsDependencies extends IntakeDependencies {
  readonly drain?: DrainSignal | undefined;
}

/** Upload streams of one gateway at a time (F7: each may hold 32 MiB). */
const STREAMS_MAX = 4;

/** Serves streams of gateways, each to its end. */
export function createPutObjects(
  dependencies: PutObjectsDependencies,
): (stream: PutStream) => Promise<void> {
  const openStreams = new Map<string, number>();
  return async (stream) => {
    const { siteId, gateway } = stream.peer;
    const key = `${siteId}/${gateway}`;
    const open = openStreams.get(key) ?? 0;
    if (open >= STREAMS_MAX) {
      throw new AifiError('LIMIT_EXCEEDED', 'too many upload streams of this gateway');
    }
    openStreams.set(key, open + 1);
    try {
      await serve(dependencies, stream);
    } finally {
      const left = (openStreams.get(key) ?? 1) - 1;
      if (left === 0) openStreams.delete(key);
      else openStreams.set(key, left);
    }
  };
}

async function serve(dependencies: PutObjectsDependencies, stream: PutStream): Promise<void> {
  const { drain, clock } = dependencies;
  const unread = new UnreadAcks();
  const intake = new ObjectIntake(dependencies, {
    peer: stream.peer,
    signal: stream.signal,
    acknowledge: (ack) => unread.during(stream.write({ part: { $case: 'ack', value: ack } })),
  });
  const ended = new AbortController();
  const progress = new ObjectProgress(clock);
  const reading = new ObjectProgress(clock);
  const watch = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(PROGRESS_LOOK_MS, ended.signal);
      if (ended.signal.aborted) return;
      const isStalled = progress.isStalled(intake.inHand) || reading.isStalled(unread.first);
      if (isStalled) throw new AifiError('DEADLINE_EXCEEDED', 'the gateway does not go on');
    }
  };
  const tell = (): void => {
    const value = { retryAfterMs: drain?.retryAfterMs ?? 0 };
    stream.write({ part: { $case: 'drain', value } }).catch(() => undefined);
  };
  if (drain?.signal.aborted) tell();
  else drain?.signal.addEventListener('abort', tell);
  let how: 'keep' | 'discard' = 'discard';
  try {
    const all = read(intake, stream, progress).then(() => intake.settled());
    await Promise.race([all, intake.failed, watch()]);
  } catch (error) {
    // A line that is slow is no fault of the bytes that came.
    const isSlow = error instanceof AifiError && error.code === 'DEADLINE_EXCEEDED';
    if (stream.signal.aborted || isSlow) how = 'keep';
    throw error;
  } finally {
    ended.abort();
    unread.giveUp();
    drain?.signal.removeEventListener('abort', tell);
    await intake.close(how);
  }
}

async function read(
  intake: ObjectIntake,
  stream: PutStream,
  progress: ObjectProgress,
): Promise<void> {
  for await (const { part } of stream.requests) {
    progress.pause();
    if (part?.$case === 'header') await intake.begin(part.value);
    else if (part?.$case === 'chunk') {
      if (part.value.length > LIMITS.linkChunkBytesMax) {
        throw new AifiError('LIMIT_EXCEEDED', 'a chunk is too large');
      }
      await intake.append(part.value, true);
    } else throw new AifiError('INVALID_ARGUMENT', 'neither header nor chunk');
    progress.resume();
  }
}

/** Acknowledgements that the gateway leaves unread: their objects hold slots all the while. */
class UnreadAcks {
  readonly #waiting = new Set<{ readonly sizeBytes: number }>();
  readonly #ended = Promise.withResolvers<never>();

  constructor() {
    this.#ended.promise.catch(() => undefined);
  }
  /** The one that waits longest. */
  get first(): { readonly sizeBytes: number } | undefined {
    const [first] = this.#waiting;
    return first;
  }
  async during(writing: Promise<void>): Promise<void> {
    const ack = { sizeBytes: 0 };
    this.#waiting.add(ack);
    try {
      await Promise.race([writing, this.#ended.promise]);
    } finally {
      this.#waiting.delete(ack);
    }
  }
  /** The stream is over: nobody reads them any more. */
  giveUp(): void {
    this.#ended.reject(new AifiError('PEER_UNAVAILABLE', 'the stream has ended'));
  }
}
