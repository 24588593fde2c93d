/**
 * Site keys: the secrets of one hospital from which all pseudonyms, seals and result UIDs derive.
 * Decides what each key is for, and which of them are fresh in a new epoch.
 * Invariants: one key is never used for two purposes; made from the system's random source only;
 * keys that are printed, or written as JSON, show their epoch and nothing else.
 * Source: pseudonymisation specification 1.3; security specification 5 (keys); reliability C4, H12.
 */
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';

/** What each key is for; one key is never used for two purposes. */
export const KEY_NAMES = [
  ...(['uid', 'pid', 'date', 'seal', 'identity', 'result'] as const),
  ...(['vault', 'index'] as const),
] as const;
export type KeyName = (typeof KEY_NAMES)[number];
export type KeyMaterial = Readonly<Record<KeyName, Buffer>>;

/**
 * 256-bit keys: UIDs, patient pseudonyms, dates, envelope seal, identity HMACs, result UIDs; row
 * keys of the vault, and its blind index.
 */
export type SiteKeys = KeyMaterial & {
  /** Rises when keys are replaced; every linkage row and envelope names its epoch. */
  readonly epoch: number;
};

/**
 * How an epoch came to be. `sealing`: what protects is fresh, pseudonyms stay. `pseudonyms`: all is
 * fresh, so studies before and after are of strangers to whoever sees pseudonyms only.
 */
export type RotationKind = 'sealing' | 'pseudonyms';

/** Keys that the next epoch takes over. The index must find rows of every epoch, so it stays. */
const TAKEN_OVER: Readonly<Record<RotationKind, readonly KeyName[]>> = {
  sealing: ['uid', 'pid', 'date', 'result', 'index'],
  pseudonyms: ['index'],
};

const KEY_BYTES = 32;

export function freshKeyMaterial(): KeyMaterial {
  const fresh = KEY_NAMES.map((name) => [name, randomBytes(KEY_BYTES)]);
  return Object.fromEntries(fresh) as KeyMaterial;
}

/** The keys of the epoch after `keys`. */
export function rotatedKeys(keys: SiteKeys, kind: RotationKind): SiteKeys {
  const taken = TAKEN_OVER[kind].map((name) => [name, keys[name]]);
  const material = {
    ...freshKeyMaterial(),
    ...(Object.fromEntries(taken) as Partial<KeyMaterial>),
  };
  return siteKeysOf(keys.epoch + 1, material);
}

/** Keys of an epoch, safe to print. */
export function siteKeysOf(epoch: number, material: KeyMaterial): SiteKeys {
  const keys = { epoch, ...material };
  const shown = `SiteKeys(epoch ${epoch})`;
  Object.defineProperty(keys, inspect.custom, { value: () => shown });
  Object.defineProperty(keys, 'toJSON', { value: () => ({ epoch }) });
  Object.defineProperty(keys, 'toString', { value: () => shown });
  return keys;
}
