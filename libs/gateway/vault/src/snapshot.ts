/**
 * Snapshots: one database of the gateway, consistent and encrypted, and the way back.
 * Decides under which key a snapshot lies (one of its own, wrapped by the key ring or by a key
 * store) and when it is believed: to its last byte, of this site, of the kind that was asked for.
 * Invariants: the key ring is in none; in the clear a snapshot lies in a private folder, and only
 * while it is made. Source: reliability specification 8.9; security specification 8 (backups).
 */
import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { backup as copyDatabase, DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { AifiError, canonicalJson, type DurableFile } from '@aifi/shared-kernel';
import type { KeyRing, KeyWrapper, SiteKeys } from '@aifi/shared-site-keys';
import { BackupReader, writeBackup } from './backup-stream.js';
import { BlindIndex } from './blind-index.js';
import { openSeal, seal } from './row-seal.js';

const SNAPSHOT_KINDS = ['vault', 'gateway', 'access'] as const;
/** Which database it is of. */
export type SnapshotKind = (typeof SNAPSHOT_KINDS)[number];

export interface SnapshotOptions {
  readonly kind: SnapshotKind;
  /** The database; it may be in use. */
  readonly path: string;
  /** Where snapshots lie: another disk. */
  readonly folder: string;
  readonly ring: KeyRing;
  readonly atMs: number;
  /** A key store for the snapshot's key; left out: a key of the ring wraps it. */
  readonly wrapper?: KeyWrapper;
  /** Puts more into the copy before it is encrypted. */
  readonly pack?: (copy: string) => void;
}
export interface SnapshotOpening {
  readonly kind: SnapshotKind;
  readonly backup: string;
  /** Where the database comes to lie, in the clear; whole or not there. */
  readonly to: string;
  readonly ring: KeyRing;
  readonly wrapper?: KeyWrapper;
}

const headerSchema = z.strictObject({
  madeAtMs: z.int().nonnegative(),
  /** HMAC under the site's index key: a backup of another site is refused before anything else. */
  site: z.string().regex(/^[0-9a-f]{64}$/),
  /** `ring:<epoch>`, or the id of a key store. */
  wrapper: z.string().min(1).max(200),
  key: z.base64().min(1),
  kind: z.enum(SNAPSHOT_KINDS).default('vault'),
});

const KEY_BYTES = 32;
/** All pages in one step: a step later would begin again after each write of the gateway. */
const ALL_PAGES = 0x7fff_ffff;

/** Makes a snapshot; durable on return, as `<kind>-<time>.backup`. */
export async function sealSnapshot(options: SnapshotOptions): Promise<DurableFile> {
  const { kind, path, ring, folder, atMs, pack } = options;
  const { wrapper = ringWrapper(ring, ring.current.epoch) } = options;
  const key = randomBytes(KEY_BYTES);
  const wrapped = (await wrapper.wrap(key)).toString('base64');
  const header = { madeAtMs: atMs, site: siteMark(ring), wrapper: wrapper.id, key: wrapped, kind };
  const name = `${kind}-${new Date(atMs).toISOString().replace(/[-:]|\.\d+/g, '')}.backup`;
  const privateFolder = await mkdtemp(join(dirname(path), '.snapshot-'));
  try {
    const copy = join(privateFolder, 'copy.db');
    await snapshotTo(path, copy);
    pack?.(copy);
    const terms = { header: Buffer.from(canonicalJson(header)), key };
    return await writeBackup(copy, join(folder, name), terms);
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
 * Decrypts a snapshot to `to` and says when it was made. UNTRUSTED when it is damaged, of another
 * site or of another kind; then nothing lies at `to`.
 */
export async function openSnapshot(opening: SnapshotOpening): Promise<number> {
  const { kind, backup, to, ring } = opening;
  const reader = await BackupReader.open(backup);
  try {
    const header = headerSchema.safeParse(parsedJson(reader.header));
    if (!header.success) throw new AifiError('UNTRUSTED', 'not a backup of a gateway');
    const { site, wrapper: id, key, madeAtMs } = header.data;
    if (site !== siteMark(ring)) throw new AifiError('UNTRUSTED', 'a backup of another site');
    if (header.data.kind !== kind) throw new AifiError('UNTRUSTED', 'a backup of another kind');
    const wrapper = wrapperOf(id, opening);
    await reader.restoreTo(to, await wrapper.unwrap(Buffer.from(key, 'base64')));
    return madeAtMs;
  } finally {
    await reader.close();
  }
}

function wrapperOf(id: string, { ring, wrapper }: SnapshotOpening): KeyWrapper {
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
export function checkWhole(path: string): void {
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

function parsedJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
