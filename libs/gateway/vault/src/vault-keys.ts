/**
 * VaultKeys: the ring and the blind index, and the proof that they are those of this vault.
 * Decides that a vault whose rows need other keys does not open at all: it holds, and writes
 * nothing. A new epoch on the ring is noted as a rotation.
 * Invariant: a check value is an HMAC and never leads back to a key.
 * Source: reliability specification 3 (rotation, lost key: hold, not leak); security 5 (keys).
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Sql } from '@aifi/gateway-database';
import { AifiError } from '@aifi/shared-kernel';
import type { KeyRing } from '@aifi/shared-site-keys';
import { BlindIndex } from './blind-index.js';

export interface VaultKeys {
  readonly ring: KeyRing;
  readonly index: BlindIndex;
}

export function vaultKeysOf(ring: KeyRing): VaultKeys {
  return { ring, index: new BlindIndex(ring) };
}

/** Number of the row that checks the index key: epochs begin at 1. */
const INDEX_ROW = 0;

function checkOf({ ring, index }: VaultKeys, epoch: number): Buffer | undefined {
  if (epoch === INDEX_ROW) return index.derivedKey('check');
  const keys = ring.epoch(epoch);
  return keys && createHmac('sha256', keys.vault).update('aifi vault check').digest();
}

/** CONFIG_INVALID when the ring is not that of this vault; runs in a transaction at open. */
export function checkKeys(
  sql: Sql,
  keys: VaultKeys,
  atMs: number,
  noteRotation: (epoch: number) => void,
): void {
  const known = sql.all<{ epoch: number; key_check: Uint8Array }>(
    'SELECT epoch, key_check FROM vault_epoch ORDER BY epoch',
  );
  for (const { epoch, key_check: stored } of known) {
    const check = checkOf(keys, epoch);
    if (check && !(stored.length === check.length && timingSafeEqual(stored, check))) {
      throw new AifiError(
        'CONFIG_INVALID',
        'the vault is of other site keys: restore its key file',
      );
    }
  }
  if (epochsInUse(sql).some((epoch) => !keys.ring.epoch(epoch))) {
    throw new AifiError('CONFIG_INVALID', 'the key file lacks an epoch that the vault needs');
  }
  const { current } = keys.ring;
  for (const epoch of [INDEX_ROW, current.epoch]) {
    if (known.some((row) => row.epoch === epoch)) continue;
    sql.run('INSERT INTO vault_epoch VALUES (?, ?, ?)', epoch, checkOf(keys, epoch)!, atMs);
  }
  const newest = known.at(-1)?.epoch ?? INDEX_ROW;
  if (newest !== INDEX_ROW && newest < current.epoch) noteRotation(current.epoch);
}

/** Columns that name an epoch, each with an index of its own. */
const EPOCH_COLUMNS = [
  ['linkage', 'epoch'],
  ['linkage', 'key_epoch'],
  ['identity_history', 'key_epoch'],
  ['result_register', 'key_epoch'],
] as const;

/** Epochs without which a row could not be opened, or its pseudonyms not be followed. Ascending. */
export function epochsInUse(sql: Sql): number[] {
  const found = new Set<number>();
  for (const [table, column] of EPOCH_COLUMNS) {
    // One look into the index for each epoch: the register has millions of rows.
    const next = `SELECT MIN(${column}) AS epoch FROM ${table}
                  WHERE data_key IS NOT NULL AND ${column} > ?`;
    for (let last = 0; ;) {
      const epoch = sql.get<{ epoch: number | null }>(next, last)?.epoch ?? undefined;
      if (epoch === undefined) break;
      found.add((last = epoch));
    }
  }
  return [...found].sort((a, b) => a - b);
}
