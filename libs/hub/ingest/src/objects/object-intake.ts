/**
 * ObjectIntake: objects of one stream, from header to acknowledgement, whatever carries them.
 * Decides which bytes are taken: only objects that a job of the calling site lists, from just the
 * offset that is held, never more than declared, compressed or not; while one object is brought to
 * the disk the next ones come in already.
 * Invariants: acknowledged means durable with its row; at most one object of a stream is incoming,
 * and what is not acknowledged is bounded; a slot of the admission is given back exactly once.
 * Source: reliability specification P2, C1, F7 (32 MiB per stream), H14.
 */
import { promisify } from 'node:util';
import { constants, zstdDecompress } from 'node:zlib';
import { AifiError, crashPoint, LIMITS, type Clock } from '@aifi/shared-kernel';
import type { uplink } from '@aifi/contracts-proto';
import type { FolderObjectStore, IncomingObject } from '@aifi/hub-object-store';
import type { LinkPeer } from '@aifi/hub-identity';
import type { Admission } from '../admission.js';
import type { ObjectCommit } from './object-commit.js';
import type { Growing } from './object-progress.js';
import type { ListedObject, ObjectRecords } from './object-records.js';

export interface IntakeDependencies {
  readonly store: Pick<FolderObjectStore, 'receive' | 'keep'>;
  readonly records: ObjectRecords;
  readonly commit: ObjectCommit;
  readonly admission: Admission;
  readonly clock: Clock;
}
export interface IntakeStream {
  readonly peer: LinkPeer;
  readonly acknowledge: (ack: uplink.ObjectAck) => Promise<void>;
  /** Aborts when the gateway has gone. */
  readonly signal: AbortSignal;
}

/** Objects that are whole and not acknowledged: each may hold a place in the group that waits. */
const FINISHING_MAX = 32;
/** Bytes of them; they are in the file system already, most of them. @unit bytes */
const FINISHING_BYTES_MAX = 32 * 1024 * 1024;
/** What a compressed chunk may grow to: far more than the gateway puts into one. @unit bytes */
const INFLATED_BYTES_MAX = 1024 * 1024;
/** Largest window that a compressed chunk may ask for: 2 to this power. @unit bytes */
const WINDOW_LOG_MAX = 21;

const inflate = promisify(zstdDecompress);

interface OpenObject {
  readonly listed: ListedObject;
  readonly incoming: IncomingObject;
  readonly leave: () => void;
  readonly isCompressed: boolean;
}

export class ObjectIntake {
  #open: OpenObject | undefined;
  /** What the job in hand lists next, by digest. */
  #listed = new Map<string, ListedObject>();
  /** A compressed chunk as it comes; made when the first one does. */
  #chunk: Buffer | undefined;
  #chunkBytes = 0;
  readonly #finishing = new Map<OpenObject, Promise<void>>();
  #finishingBytes = 0;
  readonly #failed = Promise.withResolvers<never>();
  #fault: AifiError | undefined;
  #isClosed = false;

  constructor(
    private readonly dependencies: IntakeDependencies,
    private readonly stream: IntakeStream,
  ) {
    this.#failed.promise.catch(() => undefined);
  }

  /** Rejects when an object that was taken does not come to its end. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }
  /** An object has begun and not come to its end. */
  get isWithinObject(): boolean {
    return this.#open !== undefined;
  }
  /** The object that has begun and not come to its end: it holds a slot. */
  get inHand(): Growing | undefined {
    return this.#open?.incoming;
  }
  /** Objects are owed an acknowledgement. */
  get isOwing(): boolean {
    return this.#finishing.size > 0;
  }

  /** The next object; resolves when there is room for it. */
  async begin(header: uplink.ObjectHeader): Promise<void> {
    if (this.#open) throw new AifiError('INVALID_ARGUMENT', 'an object was not sent to its end');
    if (header.encoding !== '' && header.encoding !== 'zstd') {
      throw new AifiError('INVALID_ARGUMENT', 'an encoding that is not known here');
    }
    const listed = await this.#authorise(header);
    await this.#room();
    const { peer, signal } = this.stream;
    const { store, admission } = this.dependencies;
    const { lane, sizeBytes, sha256 } = listed;
    const leave = await admission.enter({ siteId: peer.siteId, lane, sizeBytes, signal });
    try {
      const expected = { sha256, sizeBytes };
      const incoming = await store.receive(peer.siteId, expected, header.offsetBytes);
      if (this.#isClosed) {
        await store.keep(peer.siteId, incoming, this.dependencies.clock.nowMs());
        throw new AifiError('PEER_UNAVAILABLE', 'the stream has ended');
      }
      this.#open = { listed, incoming, leave, isCompressed: header.encoding === 'zstd' };
    } catch (error) {
      leave();
      throw error;
    }
    if (this.#open.incoming.isWhole) this.#finish(this.#open);
  }

  /** Bytes of a chunk, `endsChunk` with its last ones. Resolves when more may come. */
  append(bytes: Uint8Array, endsChunk: boolean): Promise<void> | undefined {
    const object = this.#open;
    if (!object) throw new AifiError('INVALID_ARGUMENT', 'bytes without a header');
    if (object.isCompressed) return this.#appendCompressed(object, bytes, endsChunk);
    const room = object.incoming.append(bytes);
    if (object.incoming.isWhole) this.#finish(object);
    return room;
  }

  /** The gateway has said everything: resolves when all of it is acknowledged. */
  async settled(): Promise<void> {
    if (this.#open) throw new AifiError('INVALID_ARGUMENT', 'an object was not sent to its end');
    await Promise.all(this.#finishing.values());
    if (this.#fault) throw this.#fault;
  }

  /** The stream is over: a beginning is kept when the link broke, not when something was wrong. */
  async close(how: 'keep' | 'discard'): Promise<void> {
    const object = this.#open;
    this.#open = undefined;
    this.#isClosed = true;
    if (object) {
      const { store, clock } = this.dependencies;
      const { siteId } = this.stream.peer;
      try {
        if (how === 'keep') await store.keep(siteId, object.incoming, clock.nowMs());
        else await object.incoming.discard();
      } finally {
        object.leave();
      }
    }
    await Promise.allSettled(this.#finishing.values());
  }

  async #authorise(header: uplink.ObjectHeader): Promise<ListedObject> {
    const { jobId, sha256, sizeBytes, offsetBytes } = header;
    let listed = this.#listed.get(sha256);
    if (listed?.jobId !== jobId) {
      const { siteId } = this.stream.peer;
      const next = await this.dependencies.records.listed(siteId, { jobId, sha256 });
      this.#listed = new Map(next.map((one) => [one.sha256, one]));
      listed = this.#listed.get(sha256);
    }
    if (listed?.sizeBytes !== sizeBytes) {
      throw new AifiError('NOT_FOUND', 'no job of this site lists the object');
    }
    // All of them: the hub died between the last byte and the row.
    if (!Number.isSafeInteger(offsetBytes) || offsetBytes < 0 || offsetBytes > sizeBytes) {
      throw new AifiError('STATE_CONFLICT', 'the offset is not within the object');
    }
    return listed;
  }

  async #room(): Promise<void> {
    while (this.#finishing.size >= FINISHING_MAX || this.#finishingBytes > FINISHING_BYTES_MAX) {
      await Promise.race([...this.#finishing.values(), this.failed]);
    }
    if (this.#fault) throw this.#fault;
  }

  async #appendCompressed(
    object: OpenObject,
    bytes: Uint8Array,
    endsChunk: boolean,
  ): Promise<void> {
    if (this.#chunkBytes + bytes.length > LIMITS.linkChunkBytesMax) {
      throw new AifiError('LIMIT_EXCEEDED', 'a chunk is too large');
    }
    // Copied: a piece would keep the whole network buffer that it came in.
    this.#chunk ??= Buffer.allocUnsafeSlow(LIMITS.linkChunkBytesMax);
    this.#chunk.set(bytes, this.#chunkBytes);
    this.#chunkBytes += bytes.length;
    if (!endsChunk) return;
    const chunk = this.#chunk.subarray(0, this.#chunkBytes);
    this.#chunkBytes = 0;
    const left = object.listed.sizeBytes - object.incoming.sizeBytes;
    const params = { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MAX };
    const maxOutputLength = Math.min(left, INFLATED_BYTES_MAX);
    let raw: Buffer;
    try {
      raw = await inflate(chunk, { params, maxOutputLength });
    } catch (cause) {
      throw new AifiError('INVALID_ARGUMENT', 'a compressed chunk is not what it should be', {
        cause,
      });
    }
    // The stream may have ended meanwhile.
    if (this.#open !== object) return;
    const room = object.incoming.append(raw);
    if (object.incoming.isWhole) this.#finish(object);
    await room;
  }

  #finish(object: OpenObject): void {
    this.#open = undefined;
    this.#finishingBytes += object.listed.sizeBytes;
    const finishing = this.#finishNow(object)
      .catch((error: unknown) => {
        this.#fault ??= AifiError.from(error);
        this.#failed.reject(this.#fault);
      })
      .finally(() => {
        this.#finishing.delete(object);
        this.#finishingBytes -= object.listed.sizeBytes;
        object.leave();
      });
    this.#finishing.set(object, finishing);
  }

  async #finishNow({ listed, incoming }: OpenObject): Promise<void> {
    try {
      await incoming.finish();
    } catch (error) {
      await incoming.discard();
      throw error;
    }
    await this.dependencies.commit.add(this.stream.peer.siteId, incoming);
    const { jobId, sha256, sizeBytes } = listed;
    // A gateway that has gone asks with OpenStudy.
    if (this.stream.signal.aborted) return;
    crashPoint('hub.ingest.before-object-ack');
    await this.stream.acknowledge({ jobId, sha256, sizeBytes });
    crashPoint('hub.ingest.after-object-ack');
  }
}
