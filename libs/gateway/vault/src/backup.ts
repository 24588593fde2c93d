/**
 * Backup and restore of the vault.
 * Decides what a backup is (one consistent snapshot, encrypted under a key of its own that the key
 * ring or a key store wraps) and when it may take the vault's place: believed to its last byte, of
 * this site, opened with its ring, with every later erasure applied again.
 * Invariants: never over a vault that is there; the key ring is not in it; a snapshot in the clear
 * lies in a private folder only while it is made.
 * Source: reliability specification 3 (restore drill), 8.9; GDPR Article 17, 32(1)(c).
 */
import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { access, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { backup as copyDatabase, DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { AifiError, canonicalJson, syncFolder, type DurableFile } from '@aifi/shared-kernel';
import type { KeyRing, KeyWrapper, SiteKeys } from '@aifi/shared-site-keys';
import { BackupReader, writeBackup } from './backup-stream.js';
import { BlindIndex } from './blind-index.js';
import { packEvents, unpackEvents } from './backup-events.js';
import { ErasureList, erasureListPath as erasureListPathOf } from './erasure-list.js';
import type { Erased } from './erasure.js';
import { openSeal, seal } from './row-seal.js';
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

const headerSchema = z.strictObject({
  madeAtMs: z.int().nonnegative(),
  /** HMAC under the site's index key: a backup of another site is refused before anything else. */
  site: z.string().regex(/^[0-9a-f]{64}$/),
  /** `ring:<epoch>`, or the id of a key store. */
  wrapper: z.string().min(1).max(200),
  key: z.base64().min(1),
});

const KEY_BYTES = 32;
/** All pages in one step: a step later would begin again after each write of the gateway. */
const ALL_PAGES = 0x7fff_ffff;

/** Makes a backup of a vault that may be in use; durable on return. */
export async function backupVault(options: BackupOptions): Promise<DurableFile> {
  const { path, ring, folder, atMs, wrapper = ringWrapper(ring, ring.current.epoch) } = options;
  const { actor } = options;
  await exists(path);
  const vault = Vault.open(path, ring);
  try {
    await vault.recordAct({ act: 'exported', ...(actor && { actor }) }, atMs);
  } finally {
    vault.close();
  }
  const key = randomBytes(KEY_BYTES);
  const wrapped = (await wrapper.wrap(key)).toString('base64');
  const header = { madeAtMs: atMs, site: siteMark(ring), wrapper: wrapper.id, key: wrapped };
  const name = `vault-${new Date(atMs).toISOString().replace(/[-:]|\.\d+/g, '')}.backup`;
  const privateFolder = await mkdtemp(join(dirname(path), '.snapshot-'));
  try {
    const snapshot = join(privateFolder, 'vault.db');
    await snapshotTo(path, snapshot);
    if (options.eventsPath !== undefined) packEvents(options.eventsPath, snapshot);
    const terms = { header: Buffer.from(canonicalJson(header)), key };
    return await writeBackup(snapshot, join(folder, name), terms);
  } finally {
    await rm(privateFolder, { recursive: true, force: true });
  }
}

async function snapshotTo(path: string, snapshot: string): Promise<void> {
  const source = new DatabaseSync(path, { readOnly: true });
  try {
    await copyDatabase(source, snapshot, { rate: ALL_PAGES });
  } finally {
    source.close();
  }
}

/**
 * Puts a backup in the place of a vault that is gone; says what was erased again. UNTRUSTED when
 * the backup is damaged or of another site, STATE_CONFLICT when a vault is there.
 */
export async function restoreVault(options: RestoreOptions): Promise<Erased> {
  const { backup, path, eventsPath, ring, atMs, actor } = options;
  for (const place of [path, `${path}-wal`, `${path}-shm`]) await absent(place);
  const arriving = `${path}.restoring`;
  await decrypt(backup, arriving, options);
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

async function decrypt(backup: string, to: string, options: RestoreOptions): Promise<void> {
  const { ring } = options;
  const reader = await BackupReader.open(backup);
  try {
    const header = headerSchema.safeParse(parsedJson(reader.header));
    if (!header.success) throw new AifiError('UNTRUSTED', 'not a backup of a vault');
    const { site, wrapper: id, key } = header.data;
    if (site !== siteMark(ring)) throw new AifiError('UNTRUSTED', 'a backup of another site');
    const wrapper = wrapperOf(id, options);
    await reader.restoreTo(to, await wrapper.unwrap(Buffer.from(key, 'base64')));
  } finally {
    await reader.close();
  }
}

function wrapperOf(id: string, { ring, wrapper }: RestoreOptions): KeyWrapper {
  const [, epoch] = /^ring:(\d{1,9})$/.exec(id) ?? [];
  if (epoch !== undefined) return ringWrapper(ring, Number(epoch));
  if (wrapper?.id === id) return wrapper;
  throw new AifiError('CONFIG_INVALID', 'the backup needs the key store that wrapped its key');
}

/** The ring as a key store: a key derived from the epoch's `vault` key, for backups only. */
function ringWrapper(ring: KeyRing, epoch: number): KeyWrapper {
  const id = `ring:${epoch}`;
  const keyOf = ({ vault }: SiteKeys): Buffer =>
    Buffer.from(hkdfSync('sha256', vault, '', 'aifi vault backup', KEY_BYTES));
  const keys = ring.epoch(epoch);
  if (!keys) throw new AifiError('CONFIG_INVALID', 'the key file lacks the epoch of the backup');
  const associated = Buffer.from(id);
  return {
    id,
    wrap: async (bytes) => seal(keyOf(keys), associated, bytes),
    unwrap: async (wrapped) => openSeal(keyOf(keys), associated, wrapped),
  };
}

function siteMark(ring: KeyRing): string {
  const key = new BlindIndex(ring).derivedKey('check');
  return createHmac('sha256', key).update('aifi vault backup').digest('hex');
}

/** UNTRUSTED when SQLite finds the database damaged. */
function checkWhole(path: string): void {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const [row] = database.prepare('PRAGMA integrity_check').all();
    if (row?.['integrity_check'] === 'ok') return;
  } catch (error) {
    throw new AifiError('UNTRUSTED', 'the backup holds no database', { cause: error });
  } finally {
    database.close();
  }
  throw new AifiError('UNTRUSTED', 'the database of the backup is damaged');
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

function parsedJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
