/**
 * Key store: how a gateway comes by its key ring, and what may change it.
 * Decides when a key file is made (only where nothing is in use yet: keys that are lost are never
 * replaced by others in silence), upgraded, rotated, wrapped and cleared of old epochs.
 * Invariants: every change is one durable replacement of the file under its lock, an upgrade too,
 * and the first file replaces none: a ring in memory is always the one on disk; an epoch in use and
 * the current one are never dropped; no key in a fault.
 * Source: reliability specification 2 (DURABLE), H12; security specification 5 (keys).
 */
import { randomUUID } from 'node:crypto';
import { copyFile, link, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  AifiError,
  fileFault,
  syncFolder,
  systemClock,
  writeDurableFile,
  type Clock,
} from '@aifi/shared-kernel';
import {
  describeKeyFile,
  isVersionOne,
  keyFileText,
  openKeyFile,
  parseKeyFile,
  readEpochs,
  type KeyEpoch,
  type KeyFileDescription,
} from './key-file.js';
import { keyRingOf, type KeyRing } from './key-ring.js';
import type { KeyWrapper } from './key-wrapper.js';
import { freshKeyMaterial, rotatedKeys, siteKeysOf, type RotationKind } from './site-keys.js';

export interface KeyStoreOptions {
  readonly path: string;
  /** What keeps the master key; left out: the file's mode is its only protection. */
  readonly wrapper?: KeyWrapper;
}
export interface LoadOptions extends KeyStoreOptions {
  /** True only where no database has rows yet: then a missing file is made. */
  readonly mayCreate: boolean;
  readonly clock?: Clock;
}

const PERMISSIONS_OF_OTHERS = 0o077;

/**
 * The key ring of the gateway's own process, which makes the first one and upgrades an old file.
 * CONFIG_INVALID with clear words in any doubt; STATE_CONFLICT while somebody changes an old file.
 */
export async function loadKeyRing(options: LoadOptions): Promise<KeyRing> {
  const { path, wrapper, mayCreate, clock = systemClock } = options;
  let text = await readKeyFile(path);
  if (text === undefined && mayCreate) {
    await create(options, clock.nowMs());
    // Of two that make the first keys at once, both take those that lie there.
    text = await readKeyFile(path);
  }
  if (text === undefined) throw keysMissing();
  const file = parseKeyFile(text);
  if (isVersionOne(file)) return upgrade(options, clock);
  const epochs = await openKeyFile(file, wrapper, clock.nowMs());
  await rm(previousPath(path), { force: true });
  return ringOf(epochs);
}

/**
 * The key ring for who reads only: nothing on disk changes. Of a file of version 1 the keys that it
 * lacks throw CONFIG_INVALID when they are used.
 */
export async function readKeyRing({ path, wrapper }: KeyStoreOptions): Promise<KeyRing> {
  const text = await readKeyFile(path);
  if (text === undefined) throw keysMissing();
  const [first, ...rest] = await readEpochs(parseKeyFile(text), wrapper);
  return keyRingOf(first!, ...rest);
}

const keysMissing = (): AifiError =>
  new AifiError('CONFIG_INVALID', 'the key file is missing: restore it from its own backup');
const previousPath = (path: string): string => `${path}.v1`;

/** What may be shown of the key file. */
export async function describeKeyRing(path: string): Promise<KeyFileDescription> {
  const text = await readKeyFile(path);
  if (text === undefined) throw keysMissing();
  return describeKeyFile(parseKeyFile(text));
}

/** Adds an epoch that new work is done with; the gateway takes it up at its next start. */
export function rotateKeys(
  options: KeyStoreOptions,
  kind: RotationKind,
  atMs: number,
): Promise<KeyRing> {
  return change(options, options.wrapper, (epochs) => {
    const keys = rotatedKeys(epochs.at(-1)!.keys, kind);
    return [...epochs, { epoch: keys.epoch, madeAtMs: atMs, kind, keys }];
  });
}

/**
 * Drops the epochs that nothing needs any more: not in `inUse`, and not of the last two, for a
 * gateway that was not restarted since a rotation still writes with the one before the current.
 */
export function retireEpochs(options: KeyStoreOptions, inUse: readonly number[]): Promise<KeyRing> {
  return change(options, options.wrapper, (epochs) => {
    const kept = epochs.filter(({ epoch }, at) => at >= epochs.length - 2 || inUse.includes(epoch));
    if (inUse.some((epoch) => !kept.some((each) => each.epoch === epoch))) {
      throw new AifiError('STATE_CONFLICT', 'an epoch in use is not on the ring');
    }
    return kept;
  });
}

/** Puts the keys under another key store, or under none; reads every form of the file. */
export function rewrapKeys(
  options: KeyStoreOptions & { readonly to: KeyWrapper | undefined; readonly clock?: Clock },
): Promise<KeyRing> {
  return change(options, options.to, (epochs) => epochs, options.clock);
}

/** One change of the file under its lock: read, change, replace durably. */
async function change(
  { path, wrapper }: KeyStoreOptions,
  to: KeyWrapper | undefined,
  next: (epochs: KeyEpoch[]) => KeyEpoch[],
  clock: Clock = systemClock,
): Promise<KeyRing> {
  const unlock = await lock(path);
  try {
    const text = await readKeyFile(path);
    if (text === undefined) throw keysMissing();
    const epochs = next(await openKeyFile(parseKeyFile(text), wrapper, clock.nowMs()));
    await writeKeyFile(path, await keyFileText(epochs, to));
    return ringOf(epochs);
  } finally {
    await unlock();
  }
}

/** A file that is there by then stays: a link never replaces. */
async function create({ path, wrapper }: LoadOptions, atMs: number): Promise<void> {
  const keys = siteKeysOf(1, freshKeyMaterial());
  const epochs: KeyEpoch[] = [{ epoch: 1, madeAtMs: atMs, kind: 'first', keys }];
  const draft = `${path}.${randomUUID()}.new`;
  await writeKeyFile(draft, await keyFileText(epochs, wrapper));
  try {
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw fileFault(error);
  } finally {
    await rm(draft, { force: true });
  }
  await syncFolder(dirname(path));
}

/** The file of version 1 stays beside until the new one is durable. Read again under the lock. */
async function upgrade({ path, wrapper }: LoadOptions, clock: Clock): Promise<KeyRing> {
  const unlock = await lock(path);
  try {
    const file = parseKeyFile((await readKeyFile(path)) ?? '');
    const epochs = await openKeyFile(file, wrapper, clock.nowMs());
    if (isVersionOne(file)) {
      await copyFile(path, previousPath(path));
      await syncFile(previousPath(path));
      await writeKeyFile(path, await keyFileText(epochs, undefined));
      await rm(previousPath(path), { force: true });
    }
    return ringOf(epochs);
  } catch (error) {
    throw fileFault(error);
  } finally {
    await unlock();
  }
}

async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
  await syncFolder(dirname(path));
}

async function writeKeyFile(path: string, text: string): Promise<void> {
  await writeDurableFile(path, Buffer.from(text));
}

/** The file's text; undefined when it is not there. */
async function readKeyFile(path: string): Promise<string | undefined> {
  try {
    const { mode } = await stat(path);
    if ((mode & PERMISSIONS_OF_OTHERS) === 0) return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new AifiError('CONFIG_INVALID', 'the key file cannot be read', { cause: error });
  }
  throw new AifiError('CONFIG_INVALID', 'the key file may be read by others: chmod 600');
}

/** Two changes at once would lose one, and with it the keys of what was sealed in between. */
async function lock(path: string): Promise<() => Promise<void>> {
  const lockPath = `${path}.lock`;
  try {
    await (await open(lockPath, 'wx', 0o600)).close();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw keysMissing();
    if (code !== 'EEXIST') throw fileFault(error);
    const words = 'the key file is being changed; if nobody does, remove its .lock file';
    throw new AifiError('STATE_CONFLICT', words);
  }
  return () => rm(lockPath, { force: true });
}

function ringOf(epochs: readonly KeyEpoch[]): KeyRing {
  const [first, ...rest] = epochs.map(({ keys }) => keys);
  return keyRingOf(first!, ...rest);
}
