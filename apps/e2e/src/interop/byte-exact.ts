/**
 * The byte-exact comparison: datasets on the wire against datasets on disk.
 * Decides that both are the same set for every SOP Instance: each dataset that was answered 0000
 * lies on disk and nothing else does, so that a lost byte cannot hide behind an earlier copy.
 * Source: reliability specification F1, P0; T-PDV.
 */
import { createHash } from 'node:crypto';
import type { ByteTap } from '../byte-tap.js';
import type { Receiver } from './receiver.js';
import { readWire, type AssociationOnWire, type StoreOnWire } from './wire-record.js';

const SUCCESS = 0;

export interface Comparison {
  /** Datasets that were answered 0000. */
  readonly stores: readonly StoreOnWire[];
  /** Statuses of those that were not. */
  readonly refused: readonly number[];
  /** SOP Instance UIDs whose datasets differ between wire and disk; in order. */
  readonly different: readonly string[];
}

/** The recorded associations, once the proxy has seen their ends. */
export function wireOf(tap: ByteTap): AssociationOnWire[] {
  return tap.connections.map(({ chunks }) => {
    const side = (fromClient: boolean): Buffer =>
      Buffer.concat(
        chunks.filter((chunk) => chunk.fromClient === fromClient).map(({ bytes }) => bytes),
      );
    return readWire(side(true), side(false));
  });
}

export function compare(tap: ByteTap, receiver: Receiver): Comparison {
  const onWire = new Map<string, Set<string>>();
  const stores: StoreOnWire[] = [];
  const refused: number[] = [];
  for (const { stores: sent, syntaxes } of wireOf(tap)) {
    for (const store of sent) {
      if (store.status !== SUCCESS) {
        refused.push(store.status ?? -1);
        continue;
      }
      stores.push(store);
      const identity = identityOf({
        ...store,
        transferSyntaxUid: syntaxes.get(store.contextId) ?? '',
      });
      const known = onWire.get(store.sopInstanceUid) ?? new Set();
      onWire.set(store.sopInstanceUid, known.add(identity));
    }
  }
  const onDisk = new Map<string, Set<string>>();
  for (const row of receiver.rows()) {
    const known = onDisk.get(row.sopInstanceUid) ?? new Set();
    const identity = row.isAsRecorded ? identityOf(row) : 'not the file on record';
    onDisk.set(row.sopInstanceUid, known.add(identity));
  }
  const uids = [...new Set([...onWire.keys(), ...onDisk.keys()])].sort();
  const isSame = (uid: string): boolean => {
    const [wire, disk] = [onWire.get(uid) ?? new Set(), onDisk.get(uid) ?? new Set()];
    return wire.size === disk.size && [...wire].every((identity) => disk.has(identity));
  };
  return { stores, refused, different: uids.filter((uid) => !isSame(uid)) };
}

function identityOf(object: {
  readonly sopClassUid: string;
  readonly transferSyntaxUid: string;
  readonly dataset: Buffer;
}): string {
  const digest = createHash('sha256').update(object.dataset).digest('hex');
  return [object.sopClassUid, object.transferSyntaxUid, object.dataset.length, digest].join(' ');
}
