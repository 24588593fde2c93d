/**
 * Backup and restore of the vault.
 * Decides what a backup is (one consistent snapshot, encrypted) and when it may take the vault's
 * place: believed to its last byte, of this site, opened with its ring, with every later erasure
 * applied again. Invariants: never over a vault that is there; the key ring is not in it.
 * Source: reliability specification 3 (restore drill), 8.9; GDPR Article 17, 32(1)(c).
 */
import { access, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AifiError, syncFolder, type DurableFile } from '@aifi/shared-kernel';
import type { KeyRing, KeyWrapper } from '@aifi/shared-site-keys';
import { BlindIndex } from './blind-index.js';
import { packEvents, unpackEvents } from './backup-events.js';
import { ErasureList, erasureListPath as erasureListPathOf } from './erasure-list.js';
import type { Erased } from './erasure.js';
import { checkWhole, openSnapshot, sealSnapshot } from './snapshot.js';
import { Vault, type ExpiryOptions, type VaultOptions } from './vault.js';

export interface BackupOptions {
  /** Of the vault's database; its gateway may run. */
  readonly path: string;
  /** Of the identity events beside it: they go into the same file. */
  readonly eventsPath?: string;
  readonly ring: KeyRing;
  /** Where backups lie: another disk. */
  readonly folder: string;
  readonly atMs: number;
  /** A key store for the backup's key; left out: a key of the ring wraps it. */
  readonly wrapper?: KeyWrapper;
  /** Account of the person who did it. */
  readonly actor?: string;
}
export interface RestoreOptions extends ExpiryOptions {
  readonly backup: string;
  /** Where the vault's database is to lie; nothing may be there. */
  readonly path: string;
  /** Where the identity events lie; those of the backup come to what is there. */
  readonly eventsPath?: string;
  readonly ring: KeyRing;
  readonly atMs: number;
  readonly wrapper?: KeyWrapper;
  readonly actor?: string;
  /** Erasure lists that were kept elsewhere; the one beside `path` counts anyway. */
  readonly erasureLists?: readonly string[];
  readonly vault?: VaultOptions;
}

/** Makes a backup of a vault that may be in use; durable on return. */
export async function backupVault(options: BackupOptions): Promise<DurableFile> {
  const { path, eventsPath, ring, atMs, actor } = options;
  await exists(path);
  const vault = Vault.open(path, ring);
  try {
    await vault.recordAct({ act: 'exported', ...(actor && { actor }) }, atMs);
  } finally {
    vault.close();
  }
  const pack = (copy: string): void => {
    if (eventsPath !== undefined) packEvents(eventsPath, copy);
  };
  return sealSnapshot({ ...options, kind: 'vault', pack });
}

/**
 * Puts a backup in the place of a vault that is gone; says what was erased again. UNTRUSTED when
 * the backup is damaged or of another site, STATE_CONFLICT when a vault is there.
 */
export async function restoreVault(options: RestoreOptions): Promise<Erased> {
  const { backup, path, eventsPath, ring, atMs, actor } = options;
  for (const place of [path, `${path}-wal`, `${path}-shm`]) await absent(place);
  const arriving = `${path}.restoring`;
  await openSnapshot({ ...options, kind: 'vault', backup, to: arriving });
  try {
    checkWhole(arriving);
    const list = new ErasureList(erasureListPathOf(path), new BlindIndex(ring));
    for (const other of options.erasureLists ?? []) {
      list.merge(new ErasureList(other, new BlindIndex(ring)));
    }
    // Erasures of the list count for what comes back here, too.
    const erasureListPath = erasureListPathOf(path);
    unpackEvents(
      arriving,
      eventsPath === undefined ? undefined : { path: eventsPath, ring, erasureListPath },
    );
    // Opened under its other name first: a vault of other keys never gets the final one.
    Vault.open(arriving, ring, options.vault).close();
    await rename(arriving, path);
    await syncFolder(dirname(path));
  } catch (error) {
    for (const rest of ['', '-wal', '-shm']) await rm(`${arriving}${rest}`, { force: true });
    throw error;
  }
  const vault = Vault.open(path, ring, options.vault);
  try {
    await vault.recordAct({ act: 'restored', ...(actor && { actor }) }, atMs);
    return await vault.expire(atMs, options);
  } finally {
    vault.close();
  }
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
async function exists(path: string): Promise<void> {
  if (!(await isThere(path))) throw new AifiError('NOT_FOUND', 'there is no vault');
}
async function absent(path: string): Promise<void> {
  if (!(await isThere(path))) return;
  throw new AifiError('STATE_CONFLICT', 'a vault is there: move all its files away first');
}
