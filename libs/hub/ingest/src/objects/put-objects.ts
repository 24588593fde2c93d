/**
 * PutObjects: the gRPC form of the same intake, for gateways of earlier releases.
 * Decides nothing about objects; counts streams, and tells the stream when the hub goes.
 * Invariant: a gateway has at most four streams. Source: aifi/uplink/v1/uplink.proto; reliability
 * specification F7; docs/adr/0020-bulk-transport.md.
 */
import { AifiError, LIMITS } from '@aifi/shared-kernel';
import type { uplink } from '@aifi/contracts-proto';
import type { SiteStream } from '@aifi/hub-identity';
import type { DrainSignal } from '../hub-drain.js';
import { ObjectIntake, type IntakeDependencies } from './object-intake.js';

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
  const { drain } = dependencies;
  const intake = new ObjectIntake(dependencies, {
    peer: stream.peer,
    signal: stream.signal,
    acknowledge: (ack) => stream.write({ part: { $case: 'ack', value: ack } }),
  });
  const tell = (): void => {
    const value = { retryAfterMs: drain?.retryAfterMs ?? 0 };
    stream.write({ part: { $case: 'drain', value } }).catch(() => undefined);
  };
  if (drain?.signal.aborted) tell();
  else drain?.signal.addEventListener('abort', tell);
  let how: 'keep' | 'discard' = 'discard';
  try {
    await Promise.race([read(intake, stream), intake.failed]);
    await intake.settled();
  } catch (error) {
    if (stream.signal.aborted) how = 'keep';
    throw error;
  } finally {
    drain?.signal.removeEventListener('abort', tell);
    await intake.close(how);
  }
}

async function read(intake: ObjectIntake, stream: PutStream): Promise<void> {
  for await (const { part } of stream.requests) {
    if (part?.$case === 'header') await intake.begin(part.value);
    else if (part?.$case === 'chunk') {
      if (part.value.length > LIMITS.linkChunkBytesMax) {
        throw new AifiError('LIMIT_EXCEEDED', 'a chunk is too large');
      }
      await intake.append(part.value, true);
    } else throw new AifiError('INVALID_ARGUMENT', 'neither header nor chunk');
  }
}
