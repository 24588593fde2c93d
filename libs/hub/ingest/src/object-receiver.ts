/**
 * Objects of one PutObjects stream: header, chunks, acknowledgement, one after the other.
 * Decides which bytes are taken: only objects that a job of the calling site lists, never more than
 * declared, acknowledged after file and row are durable.
 * Invariants: at most one object of a stream is open; a cut stream leaves no file.
 * Source: reliability specification P2, F7 (4 upload streams of a gateway).
 */
import {
  AifiError,
  crashPoint,
  LIMITS,
  type Clock,
  type JobId,
  type Sha256,
  type SiteId,
} from '@aifi/shared-kernel';
import type { uplink } from '@aifi/contracts-proto';
import type { HubDatabase } from '@aifi/hub-database';
import type { FolderObjectStore, ObjectWriter, StoredObject } from '@aifi/hub-object-store';
import type { SiteStream } from '@aifi/hub-identity';

export interface ReceiverDependencies {
  readonly database: HubDatabase;
  readonly store: FolderObjectStore;
  readonly clock: Clock;
}
export type PutStream = SiteStream<uplink.PutObjectsRequest, uplink.PutObjectsResponse>;

/** Upload streams of one site at a time (F7: each may hold 32 MiB). */
const STREAMS_PER_SITE_MAX = 4;

interface OpenObject extends StoredObject {
  readonly jobId: JobId;
  readonly writer: ObjectWriter;
}

/** Serves one stream to its end. `openStreams` counts the streams of each site. */
export async function receiveObjects(
  dependencies: ReceiverDependencies,
  openStreams: Map<SiteId, number>,
  stream: PutStream,
): Promise<void> {
  const { siteId } = stream.peer;
  const open = openStreams.get(siteId) ?? 0;
  if (open >= STREAMS_PER_SITE_MAX) {
    throw new AifiError('LIMIT_EXCEEDED', 'too many upload streams of this site');
  }
  openStreams.set(siteId, open + 1);
  const receiver = new ObjectReceiver(dependencies, stream);
  try {
    for await (const { part } of stream.requests) {
      if (part?.$case === 'header') await receiver.begin(part.value);
      else if (part?.$case === 'chunk') await receiver.append(part.value);
      else throw new AifiError('INVALID_ARGUMENT', 'neither header nor chunk');
    }
    receiver.assertIdle();
  } finally {
    await receiver.discard();
    const left = (openStreams.get(siteId) ?? 1) - 1;
    if (left === 0) openStreams.delete(siteId);
    else openStreams.set(siteId, left);
  }
}

class ObjectReceiver {
  #object: OpenObject | undefined;

  constructor(
    private readonly dependencies: ReceiverDependencies,
    private readonly stream: PutStream,
  ) {}

  assertIdle(): void {
    if (this.#object) throw new AifiError('INVALID_ARGUMENT', 'an object was not sent to its end');
  }

  async begin({ jobId, sha256, sizeBytes }: uplink.ObjectHeader): Promise<void> {
    this.assertIdle();
    const { siteId } = this.stream.peer;
    const listed = await this.dependencies.database.withSite(siteId, (sql) =>
      sql.row<{ job_id: JobId; sha256: Sha256 }>(
        `SELECT job_id, sha256 FROM job_object
         WHERE job_id = $1 AND sha256 = $2 AND size_bytes = $3 LIMIT 1`,
        jobId,
        sha256,
        sizeBytes,
      ),
    );
    if (!listed) throw new AifiError('NOT_FOUND', 'no job of this site lists the object');
    const writer = await this.dependencies.store.put(siteId);
    this.#object = { jobId: listed.job_id, sha256: listed.sha256, sizeBytes, writer };
  }

  async append(chunk: Uint8Array): Promise<void> {
    const object = this.#object;
    if (!object) throw new AifiError('INVALID_ARGUMENT', 'a chunk without a header');
    if (chunk.length > LIMITS.linkChunkBytesMax) {
      throw new AifiError('LIMIT_EXCEEDED', 'a chunk is too large');
    }
    if (object.writer.sizeBytes + chunk.length > object.sizeBytes) {
      throw new AifiError('INVALID_ARGUMENT', 'the object is longer than declared');
    }
    await object.writer.append(chunk);
    if (object.writer.sizeBytes === object.sizeBytes) await this.#finish(object);
  }

  async #finish({ jobId, sha256, sizeBytes, writer }: OpenObject): Promise<void> {
    const { siteId } = this.stream.peer;
    await writer.commit({ sha256, sizeBytes });
    this.#object = undefined;
    crashPoint('hub.ingest.object-durable');
    await this.dependencies.database.withSite(siteId, (sql) =>
      sql.run(
        `INSERT INTO study_object (site_id, sha256, size_bytes, stored_at)
         VALUES ($1, $2, $3, $4) ON CONFLICT (site_id, sha256) DO NOTHING`,
        siteId,
        sha256,
        sizeBytes,
        new Date(this.dependencies.clock.nowMs()),
      ),
    );
    crashPoint('hub.ingest.object-committed');
    await this.stream.write({ part: { $case: 'ack', value: { jobId, sha256, sizeBytes } } });
  }

  /** Removes the file of an object that did not come to its end. */
  async discard(): Promise<void> {
    await this.#object?.writer.discard();
    this.#object = undefined;
  }
}
