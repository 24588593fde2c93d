/**
 * FolderObjectStore: the objects of all sites in one folder, each site under its own prefix.
 * Decides that an object's name is its SHA-256 and nothing else, so that no value from the wire
 * ever becomes a path and equal bytes of one site are kept once.
 * Invariants: an object under its name is whole and durable; its bytes have that digest.
 * Source: reliability specification 2 (DURABLE(file)), C3 (prefix per site), F10.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import {
  AifiError,
  DurableWriter,
  LIMITS,
  sha256 as asSha256,
  type Sha256,
  type SiteId,
} from '@aifi/shared-kernel';

export interface StoredObject {
  readonly sha256: Sha256;
  /** @unit bytes */
  readonly sizeBytes: number;
}

/** Unfinished writes of one site; emptied when a process starts. */
const INCOMING = 'incoming';

export class FolderObjectStore {
  constructor(private readonly root: string) {}

  /** Removes what a dead process left unfinished; call before the first write. */
  async removeUnfinished(): Promise<void> {
    const sites = await readdir(this.root).catch(() => []);
    for (const site of sites)
      await rm(join(this.root, site, INCOMING), { recursive: true, force: true });
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
