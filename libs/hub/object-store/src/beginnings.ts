/**
 * Beginnings: what the hub holds of objects whose connection broke.
 * Decides what is worth keeping (a megabyte), for how long and how much of it for each site, and
 * that a beginning belongs to whoever has taken it away, by a rename that only one can win.
 * Invariants: a beginning is never served as an object; removing touches beginnings of that site
 * only; a file is named by the digest that was declared and is believed at its end, not before.
 * Source: reliability specification P2 (resume offset); hazard H14.
 */
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { crashPoint, sha256 as asSha256, syncFolder, type Sha256 } from '@aifi/shared-kernel';

/** Less is sent again sooner than it is looked up. @unit bytes */
export const BEGINNING_BYTES_MIN = 1024 * 1024;
/** As long as a study may wait for its hub, about. @unit ms */
const AGE_MS_MAX = 24 * 3_600_000;
/** Of one site: 16 gateways with four streams each. */
const COUNT_MAX = 64;
/** Of one site: two objects of the largest size. @unit bytes */
const BYTES_MAX = 8 * 1024 ** 3;

export interface Beginning {
  readonly sha256: Sha256;
  /** @unit bytes */
  readonly offsetBytes: number;
}
interface Kept extends Beginning {
  readonly path: string;
  readonly modifiedMs: number;
}

/** `<digest>.<anything>.part` is the file of an object on its way. */
const ON_ITS_WAY = /^([0-9a-f]{64})\.[0-9a-f-]{36}\.part$/;

export function incomingName(sha256: Sha256): string {
  return `${asSha256(sha256)}.${randomUUID()}.part`;
}

/** The beginnings of one site, in a folder of its own. */
export class Beginnings {
  constructor(private readonly folder: string) {}

  /** How much is held of those of the objects that are held in part. */
  async of(digests: readonly Sha256[]): Promise<readonly Beginning[]> {
    const names = new Set(await readdir(this.folder).catch(() => []));
    const held = digests.filter((digest) => names.has(digest));
    const found = await Promise.all(held.map((digest) => this.#look(digest)));
    return found.flatMap((one) =>
      one ? [{ sha256: one.sha256, offsetBytes: one.offsetBytes }] : [],
    );
  }

  /** Moves the beginning to `path`, when there is one of just that length. */
  async take(sha256: Sha256, offsetBytes: number, path: string): Promise<boolean> {
    const held = await this.#look(sha256);
    if (held?.offsetBytes !== offsetBytes) return false;
    return rename(held.path, path).then(
      () => true,
      () => false,
    );
  }

  /** Forgets the beginning: the object comes anew. */
  async drop(sha256: Sha256): Promise<void> {
    await rm(join(this.folder, asSha256(sha256)), { force: true });
  }

  /** Keeps a synced file that is long enough and longer than what is held; removes it otherwise. */
  async keep(sha256: Sha256, path: string, nowMs: number): Promise<void> {
    const { size } = await stat(path);
    const held = await this.#look(sha256);
    if (size < BEGINNING_BYTES_MIN || size <= (held?.offsetBytes ?? 0)) {
      return rm(path, { force: true });
    }
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    crashPoint('hub.objects.before-keep');
    await rename(path, join(this.folder, asSha256(sha256)));
    await syncFolder(this.folder);
    crashPoint('hub.objects.after-keep');
    await this.removeStale(nowMs);
  }

  /** What a dead process had in hand becomes beginnings, each file under its own digest. */
  async adopt(incomingFolder: string, nowMs: number): Promise<void> {
    for (const name of await readdir(incomingFolder).catch(() => [])) {
      const digest = ON_ITS_WAY.exec(name)?.[1];
      const path = join(incomingFolder, name);
      if (digest === undefined) await rm(path, { recursive: true, force: true });
      else await this.keep(asSha256(digest), path, nowMs);
    }
    await this.removeStale(nowMs);
  }

  /** The oldest go first, until number, bytes and age are within their limits. */
  async removeStale(nowMs: number): Promise<void> {
    const names = await readdir(this.folder).catch(() => []);
    const all = (await Promise.all(names.map((name) => this.#look(name)))).filter((one) => !!one);
    let [count, bytes] = [all.length, all.reduce((sum, one) => sum + one.offsetBytes, 0)];
    for (const one of all.sort((a, b) => a.modifiedMs - b.modifiedMs)) {
      const isStale = nowMs - one.modifiedMs > AGE_MS_MAX;
      if (!isStale && count <= COUNT_MAX && bytes <= BYTES_MAX) return;
      await rm(one.path, { force: true });
      count -= 1;
      bytes -= one.offsetBytes;
    }
  }

  async #look(name: string): Promise<Kept | undefined> {
    const path = join(this.folder, basename(name));
    const found = await stat(path).catch(() => undefined);
    if (!found) return undefined;
    return {
      ...{ path, sha256: asSha256(name), offsetBytes: found.size },
      modifiedMs: found.mtimeMs,
    };
  }
}
