/**
 * Target: PduNormaliser, with valid streams only; the input is the dataset, and the dice.
 * Property: dataset bytes out are dataset bytes in, whatever PDUs, PDVs and chunks they came in.
 * Source: PS3.8 annex E; reliability specification F1.
 */
import { deepStrictEqual, strictEqual } from 'node:assert';
import { chunksOf } from '../chunked.js';
import type { FuzzTarget } from '../fuzz-target.js';
import { hashOf, SeededRandom } from '../seeded-random.js';
import { aCommand, commandBytes } from './command-set.js';
import { converse } from './pdu-normaliser.js';
import { associateRequestPdu, pdu, pdv } from './upper-layer-messages.js';

/** A message in fragments: the last one is marked, some of the others are empty. */
function fragments(value: Uint8Array, isCommand: boolean, random: SeededRandom): Buffer[] {
  const list: Buffer[] = [];
  const largest = random.pick([1, 3, 16, 250, 16_384]);
  const kind = isCommand ? 1 : 0;
  for (let at = 0; at < value.length;) {
    const length = random.chance(0.1) ? 0 : Math.min(value.length - at, random.between(1, largest));
    at += length;
    const isLast = at === value.length && random.chance(0.8);
    list.push(pdv(1, kind | (isLast ? 2 : 0), value.subarray(at - length, at)));
    if (isLast) return list;
  }
  return [...list, pdv(1, kind | 2, new Uint8Array(0))];
}
function stream(dataset: Uint8Array, random: SeededRandom): Buffer {
  const parts: Buffer[] = [];
  for (let message = random.between(1, 3); message > 0; message -= 1) {
    parts.push(
      ...fragments(commandBytes(aCommand(1, true)), true, random),
      ...fragments(dataset, false, random),
    );
  }
  const pdus: Buffer[] = [associateRequestPdu({ contexts: 3 })];
  while (parts.length > 0) pdus.push(pdu(4, ...parts.splice(0, random.between(1, 5))));
  return Buffer.concat([...pdus, pdu(5, Buffer.alloc(4))]);
}

export const pduStreamTarget: FuzzTarget = {
  name: 'pdu-stream',
  covers: ['libs/dicom/dimse/src/pdu-normaliser', 'libs/dicom/dimse/src/message-buffer'],
  maxBytes: 4096,
  tokens: [],
  run(input) {
    const bytes = stream(input, new SeededRandom(hashOf(input)));
    const { events, data, refusal } = converse(chunksOf(bytes));
    strictEqual(refusal, undefined);
    const stores = (events.length - 2) / 2;
    deepStrictEqual(data, Buffer.concat(Array.from({ length: stores }, () => input)));
  },
  *seeds() {
    yield Buffer.from('dataset');
    yield Buffer.alloc(0);
    yield Buffer.alloc(1000, 9);
  },
};
