/**
 * FolderObjectStore: the objects of all sites in one folder, each site under its own prefix.
 * Decides that an object's name is its SHA-256 and nothing else, so that no value from the wire
 * ever becomes a path and equal bytes of one site are kept once.
 * Invariants: an object under its name is whole and durable; its bytes have that digest.
 * Source: reliability specification 2 (DURABLE(file)), C3 (prefix per site), F10.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import {
  AifiError,
  crashPoint,
  DurableWriter,
  fileFault,
  LIMITS,
  sha256 as asSha256,
  syncFolder,
  type Sha256,
  type SiteId,
  syncFault,
} from '@aifi/shared-kernel';
import { Beginnings, incomingName } from './beginnings.js';
import { IncomingObject } from './incoming-object.js';

export interface StoredObject {
  readonly sha256: Sha256;
  /** @unit bytes */
  readonly sizeBytes: number;
}

/** Unfinished writes of one site; emptied when a process starts. */
const INCOMING = 'incoming';
/** Of objects whose connection broke. */
const BEGINNINGS = 'beginnings';

/** Objects of one site that are whole and synced under another name. */
export interface FinishedObject {
  readonly siteId: SiteId;
  readonly object: IncomingObject;
}

export class FolderObjectStore {
  /** Folders whose entry in the one above is durable. */
  readonly #folders = new Map<string, Promise<void>>();

  constructor(private readonly root: string) {}

  /**
   * Removes what a dead process left unfinished, but for beginnings of objects that are worth
   * keeping; call before the first write.
   */
  async removeUnfinished(nowMs = Number.NEGATIVE_INFINITY): Promise<void> {
    const sites = await readdir(this.root).catch(() => []);
    for (const site of sites) {
      const incoming = join(this.root, site, INCOMING);
      await new Beginnings(join(this.root, site, BEGINNINGS)).adopt(incoming, nowMs);
      await rm(incoming, { recursive: true, force: true });
    }
  }

  /** How much is held of those of the objects that are held in part. */
  async offsets(siteId: SiteId, digests: readonly Sha256[]): Promise<ReadonlyMap<Sha256, number>> {
    const held = await this.#beginnings(siteId).of(digests);
    return new Map(held.map(({ sha256, offsetBytes }) => [sha256, offsetBytes]));
  }

  /** Removes beginnings that nobody came back for, of every site. */
  async removeStaleBeginnings(nowMs: number): Promise<void> {
    for (const site of await readdir(this.root).catch(() => [])) {
      await new Beginnings(join(this.root, site, BEGINNINGS)).removeStale(nowMs);
    }
  }

  /**
   * An object of this site whose bytes come after the first `offsetBytes`; STATE_CONFLICT when not
   * just those are held. From 0 it begins anew, whatever is held. End it with `place`, or `keep`.
   */
  async receive(
    siteId: SiteId,
    expected: StoredObject,
    offsetBytes: number,
  ): Promise<IncomingObject> {
    const folder = join(this.root, siteId, INCOMING);
    await this.#makeFolder(folder);
    const path = join(folder, incomingName(expected.sha256));
    const beginnings = this.#beginnings(siteId);
    if (offsetBytes === 0) await beginnings.drop(expected.sha256);
    else if (!(await beginnings.take(expected.sha256, offsetBytes, path))) {
      throw new AifiError('STATE_CONFLICT', 'another beginning of the object is held');
    }
    return IncomingObject.open(path, expected, offsetBytes);
  }

  /**
   * Gives finished objects their names, durably: one sync of a folder for all that go there. When
   * it rejects nothing is under way any more; discard them all, which leaves what has its name.
   */
  async place(finished: readonly FinishedObject[]): Promise<void> {
    const folders = new Set<string>();
    try {
      const moveOne = async ({ siteId, object }: FinishedObject): Promise<void> => {
        const path = this.path(siteId, object.expected.sha256);
        await this.#makeFolder(dirname(path));
        await rename(object.path, path);
        folders.add(dirname(path));
      };
      crashPoint('hub.objects.before-rename');
      await allSettled(finished.map(moveOne));
      crashPoint('hub.objects.after-rename');
      await allSettled([...folders].map((folder) => syncFolder(folder)));
    } catch (error) {
      throw syncFault(error);
    }
  }

  /** Keeps what has come of an object for a later `receive`, when it is worth it. */
  async keep(siteId: SiteId, object: IncomingObject, nowMs: number): Promise<void> {
    try {
      await object.pause();
      await this.#beginnings(siteId).keep(object.expected.sha256, object.path, nowMs);
    } catch {
      // A beginning is a convenience: without it the object is sent again.
      await object.discard();
    }
  }

  #beginnings(siteId: SiteId): Beginnings {
    return new Beginnings(join(this.root, siteId, BEGINNINGS));
  }

  /** Makes a folder with those above it, and their entries durable. */
  #makeFolder(folder: string): Promise<void> {
    const known = this.#folders.get(folder);
    if (known) return known;
    const made = this.#makeDurably(folder);
    this.#folders.set(folder, made);
    made.catch(() => this.#folders.delete(folder));
    return made;
  }
  async #makeDurably(folder: string): Promise<void> {
    try {
      if (folder !== this.root) await this.#makeFolder(dirname(folder));
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await syncFolder(dirname(folder));
    } catch (error) {
      throw fileFault(error);
    }
  }

  /** A new object of this site: append its bytes, then commit or discard. */
  async put(siteId: SiteId): Promise<ObjectWriter> {
    const folder = join(this.root, siteId, INCOMING);
    const writer = await DurableWriter.open(folder);
    return new ObjectWriter(writer, (sha256) => this.path(siteId, sha256));
  }

  async has(siteId: SiteId, { sha256, sizeBytes }: StoredObject): Promise<boolean> {
    const found = await stat(this.path(siteId, sha256)).catch(() => undefined);
    return found?.size === sizeBytes;
  }

  /** The bytes as a stream; it fails with ENOENT when there is no such object. */
  read(siteId: SiteId, sha256: Sha256): Readable {
    return createReadStream(this.path(siteId, sha256), { highWaterMark: LIMITS.linkChunkBytesMax });
  }

  /** Where the object lies, for readers that need to seek. */
  path(siteId: SiteId, sha256: Sha256): string {
    const name = asSha256(sha256);
    return join(this.root, siteId, name.slice(0, 2), name);
  }

  async delete(siteId: SiteId, sha256: Sha256): Promise<void> {
    await rm(this.path(siteId, sha256), { force: true });
  }
}

/** As Promise.all, which does not wait for the others when one has failed. */
async function allSettled(work: readonly Promise<void>[]): Promise<void> {
  const ends = await Promise.allSettled(work);
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

export class ObjectWriter {
  readonly #hash = createHash('sha256');

  constructor(
    private readonly writer: DurableWriter,
    private readonly pathOf: (sha256: Sha256) => string,
  ) {}

  /** Bytes appended so far. @unit bytes */
  get sizeBytes(): number {
    return this.writer.sizeBytes;
  }

  async append(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    await this.writer.append(bytes);
  }

  /** Durable under its digest on return; DIGEST_MISMATCH when it is not the expected object. */
  async commit(expected?: StoredObject): Promise<StoredObject> {
    const sha256 = this.#hash.digest('hex') as Sha256;
    const { sizeBytes } = this.writer;
    if (expected && (expected.sha256 !== sha256 || expected.sizeBytes !== sizeBytes)) {
      throw new AifiError('DIGEST_MISMATCH', 'the bytes are not those that were declared');
    }
    await this.writer.commit(this.pathOf(sha256));
    return { sha256, sizeBytes };
  }

  async discard(): Promise<void> {
    await this.writer.discard();
  }
}

/** Stores one buffer. */
export async function putBytes(
  store: FolderObjectStore,
  siteId: SiteId,
  bytes: Uint8Array,
): Promise<StoredObject> {
  const writer = await store.put(siteId);
  try {
    await writer.append(bytes);
    return await writer.commit();
  } catch (error) {
    await writer.discard();
    throw error;
  }
}
