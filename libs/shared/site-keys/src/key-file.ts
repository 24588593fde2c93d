/**
 * Key file: the form of a key ring on disk.
 * Decides version 2 (all epochs, when and how each was made; keys as text, or sealed under a master
 * key that a wrapper keeps) and reads version 1 (one epoch, without `vault` and `index`).
 * Invariants: a file is whole or refused; epochs rise; one index key for all of them; a fault names
 * no value of the file.
 * Source: security specification 5 (keys); pseudonymisation specification 1.3.
 */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { AifiError, canonicalJson } from '@aifi/shared-kernel';
import { openBytes, sealBytes, type KeyWrapper } from './key-wrapper.js';
import {
  freshKeyMaterial,
  KEY_NAMES,
  siteKeysOf,
  type KeyMaterial,
  type RotationKind,
  type SiteKeys,
} from './site-keys.js';

export interface EpochRecord {
  readonly epoch: number;
  readonly madeAtMs: number;
  readonly kind: 'first' | RotationKind;
}
export interface KeyEpoch extends EpochRecord {
  readonly keys: SiteKeys;
}

const keySchema = z.string().regex(/^[0-9a-f]{64}$/);
const base64Schema = z.base64().min(1);
const keysSchema = z.strictObject(
  Object.fromEntries(KEY_NAMES.map((name) => [name, keySchema])) as Record<
    (typeof KEY_NAMES)[number],
    typeof keySchema
  >,
);
const recordShape = {
  epoch: z.int().positive(),
  madeAtMs: z.int().nonnegative(),
  kind: z.enum(['first', 'sealing', 'pseudonyms']),
};
const plainSchema = z.strictObject({
  version: z.literal(2),
  epochs: z.array(z.strictObject({ ...recordShape, keys: keysSchema })).min(1),
});
const wrappedSchema = z.strictObject({
  version: z.literal(2),
  wrapper: z.string().min(1).max(200),
  master: base64Schema,
  epochs: z.array(z.strictObject({ ...recordShape, sealed: base64Schema })).min(1),
});
const versionOneSchema = z.strictObject({
  epoch: z.int().positive(),
  ...keysSchema.shape,
  vault: keySchema.optional(),
  index: keySchema.optional(),
});
const fileSchema = z.union([plainSchema, wrappedSchema, versionOneSchema]);
export type KeyFile = z.infer<typeof fileSchema>;
type VersionOneFile = z.infer<typeof versionOneSchema>;
type WrappedFile = z.infer<typeof wrappedSchema>;

const MASTER_BYTES = 32;

/** CONFIG_INVALID when the text is no key file. */
export function parseKeyFile(text: string): KeyFile {
  const parsed = fileSchema.safeParse(parsedJson(text));
  if (!parsed.success) throw new AifiError('CONFIG_INVALID', 'the key file is damaged');
  return parsed.data;
}

export function isVersionOne(file: KeyFile): file is VersionOneFile {
  return !('version' in file);
}

/** What may be shown of a key file: no key, wrapped or not. */
export interface KeyFileDescription {
  readonly version: 1 | 2;
  /** Null: keys stand in the file as they are. */
  readonly wrapper: string | null;
  readonly epochs: readonly EpochRecord[];
}
export function describeKeyFile(file: KeyFile): KeyFileDescription {
  if (!('version' in file)) {
    const only: EpochRecord = { epoch: file.epoch, madeAtMs: 0, kind: 'first' };
    return { version: 1, wrapper: null, epochs: [only] };
  }
  const epochs = file.epochs.map(({ epoch, madeAtMs, kind }) => ({ epoch, madeAtMs, kind }));
  return { version: 2, wrapper: 'wrapper' in file ? file.wrapper : null, epochs };
}

/** The epochs of a file, ascending. CONFIG_INVALID when file and wrapper are not of each other. */
export async function openKeyFile(
  file: KeyFile,
  wrapper: KeyWrapper | undefined,
  atMs: number,
): Promise<KeyEpoch[]> {
  if ('wrapper' in file) return whole(await unsealed(file, wrapper));
  if (wrapper) {
    throw new AifiError('CONFIG_INVALID', 'the key file is not wrapped by the key store yet');
  }
  return whole('version' in file ? file.epochs.map(plainEpoch) : [upgraded(file, atMs)]);
}

function plainEpoch({ keys, ...record }: z.infer<typeof plainSchema>['epochs'][number]): KeyEpoch {
  return { ...record, keys: siteKeysOf(record.epoch, materialOf(keys)) };
}

/** Keys of version 1 as they are; what came later is made now. */
function upgraded(file: VersionOneFile, atMs: number): KeyEpoch {
  const material = { ...freshKeyMaterial(), ...givenKeys(file) };
  const { epoch } = file;
  return { epoch, madeAtMs: atMs, kind: 'first', keys: siteKeysOf(epoch, material) };
}

function givenKeys(file: VersionOneFile): Partial<KeyMaterial> {
  const given = KEY_NAMES.filter((name) => file[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, Buffer.from(file[name]!, 'hex')]));
}

/**
 * The epochs of a file for who only reads it. A key that version 1 lacks throws CONFIG_INVALID
 * where it is used: made up here, it would be another one than the gateway makes.
 */
export async function readEpochs(
  file: KeyFile,
  wrapper: KeyWrapper | undefined,
): Promise<readonly SiteKeys[]> {
  if (!isVersionOne(file) || wrapper) {
    return (await openKeyFile(file, wrapper, 0)).map(({ keys }) => keys);
  }
  const { epoch } = file;
  const given = givenKeys(file);
  const keys = siteKeysOf(epoch, given as KeyMaterial);
  for (const name of KEY_NAMES) {
    if (given[name]) continue;
    Object.defineProperty(keys, name, {
      enumerable: true,
      get: () => {
        const words = 'the key file is of version 1: the gateway upgrades it when it starts';
        throw new AifiError('CONFIG_INVALID', words);
      },
    });
  }
  return [keys];
}

async function unsealed(file: WrappedFile, wrapper: KeyWrapper | undefined): Promise<KeyEpoch[]> {
  if (!wrapper) throw new AifiError('CONFIG_INVALID', 'the key file needs its key store');
  if (wrapper.id !== file.wrapper) {
    throw new AifiError('CONFIG_INVALID', 'the key file is wrapped by another key store');
  }
  const master = await wrapper.unwrap(Buffer.from(file.master, 'base64'));
  if (master.length !== MASTER_BYTES) {
    throw new AifiError('UNTRUSTED', 'the key store gave something else than the master key');
  }
  return file.epochs.map(({ sealed, ...record }) => {
    const text = openBytes(master, Buffer.from(sealed, 'base64'), canonicalJson(record));
    const keys = keysSchema.safeParse(parsedJson(text.toString('utf8')));
    if (!keys.success) throw new AifiError('CONFIG_INVALID', 'the key file is damaged');
    return { ...record, keys: siteKeysOf(record.epoch, materialOf(keys.data)) };
  });
}

function whole(epochs: KeyEpoch[]): KeyEpoch[] {
  const rises = epochs.every(({ epoch }, i) => i === 0 || epoch > epochs[i - 1]!.epoch);
  const oneIndex = epochs.every(({ keys }) => keys.index.equals(epochs[0]!.keys.index));
  if (rises && oneIndex) return epochs;
  throw new AifiError('CONFIG_INVALID', 'the key file contradicts itself');
}

/** The text of a file with these epochs; a wrapped one gets a new master key each time. */
export async function keyFileText(
  epochs: readonly KeyEpoch[],
  wrapper: KeyWrapper | undefined,
): Promise<string> {
  if (!wrapper) {
    const plain = epochs.map(({ keys, ...record }) => ({ ...record, keys: hexOf(keys) }));
    return JSON.stringify({ version: 2, epochs: plain });
  }
  const master = randomBytes(MASTER_BYTES);
  const sealed = epochs.map(({ keys, ...record }) => {
    const plain = Buffer.from(canonicalJson(hexOf(keys)));
    return {
      ...record,
      sealed: sealBytes(master, plain, canonicalJson(record)).toString('base64'),
    };
  });
  const wrapped = (await wrapper.wrap(master)).toString('base64');
  return JSON.stringify({ version: 2, wrapper: wrapper.id, master: wrapped, epochs: sealed });
}

function hexOf(keys: SiteKeys): Record<string, string> {
  return Object.fromEntries(KEY_NAMES.map((name) => [name, keys[name].toString('hex')]));
}

function materialOf(keys: Readonly<Record<(typeof KEY_NAMES)[number], string>>): KeyMaterial {
  const entries = KEY_NAMES.map((name) => [name, Buffer.from(keys[name], 'hex')]);
  return Object.fromEntries(entries) as KeyMaterial;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
