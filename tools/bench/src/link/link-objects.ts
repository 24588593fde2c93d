/**
 * Files to send in the link bench.
 * Decides that each sending has bytes of its own, of which no receiver has seen the digest before.
 */
import { createHash, randomBytes } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LinkObject } from './link-messages.js';

export class LinkFiles {
  readonly #bytes: Buffer;

  constructor(
    private readonly folder: string,
    readonly count: number,
    readonly sizeBytes: number,
  ) {
    mkdirSync(folder, { recursive: true });
    this.#bytes = randomBytes(sizeBytes);
  }

  /** Writes all of them anew, and leaves nothing for the disk to do. */
  renew(): readonly LinkObject[] {
    const objects = Array.from({ length: this.count }, (_, index) => {
      randomBytes(16).copy(this.#bytes);
      const path = join(this.folder, String(index));
      writeFileSync(path, this.#bytes);
      const sha256 = createHash('sha256').update(this.#bytes).digest('hex');
      return { path, sha256, sizeBytes: this.sizeBytes };
    });
    execFileSync('sync');
    return objects;
  }
}
