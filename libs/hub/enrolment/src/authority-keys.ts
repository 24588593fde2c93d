/**
 * Private keys of the hub's authorities, as files.
 * Decides where a key lies and who may read it. Invariants: mode 600 in a folder of mode 700; the
 * file is durable before its authority is recorded; a key never leaves this folder.
 * Source: reliability specification H12 (keys outside the database).
 */
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  AifiError,
  crashPoint,
  nodeFileSystem,
  syncFolder,
  writeDurableFile,
  type FileSystem,
} from '@aifi/shared-kernel';

export class AuthorityKeys {
  constructor(
    private readonly folder: string,
    private readonly files: FileSystem = nodeFileSystem,
  ) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  async write(id: string, key: string): Promise<void> {
    crashPoint('hub.enrolment.before-authority-key');
    // The entry of the folder itself: this life or one before it made it, and synced nothing.
    await syncFolder(dirname(this.folder), this.files);
    await writeDurableFile(this.#pathOf(id), Buffer.from(key), this.files);
    crashPoint('hub.enrolment.after-authority-key');
  }

  /** PEM; CONFIG_INVALID when it is not there or others may read it. */
  read(id: string): string {
    const path = this.#pathOf(id);
    try {
      if ((statSync(path).mode & 0o077) !== 0) {
        throw new AifiError('CONFIG_INVALID', 'others may read the key of the authority');
      }
      return readFileSync(path, 'utf8');
    } catch (error) {
      if (error instanceof AifiError) throw error;
      throw new AifiError('CONFIG_INVALID', 'the key of the authority does not read', {
        cause: error,
      });
    }
  }

  /** For an authority that signs no more. */
  async remove(id: string): Promise<void> {
    await rm(this.#pathOf(id), { force: true });
    await syncFolder(this.folder, this.files);
  }

  #pathOf(id: string): string {
    return join(this.folder, `${id}.key.pem`);
  }
}
