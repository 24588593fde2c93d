/**
 * Goal: a sealed row opens where it was made, with its epoch's keys, and nowhere else.
 * Method: random content, every byte changed once, rows swapped between places and epochs.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { keyRingOf } from '@aifi/shared-site-keys';
import { fakeSiteKeys } from '@aifi/shared-testing';
import { RowKey, type RowPlace } from './row-seal.js';

const keys = fakeSiteKeys('site-a', 1);
const ring = keyRingOf(keys, fakeSiteKeys('site-a', 2));
const here: RowPlace = { table: 'linkage', rowId: 'job-1' };
const untrusted = expect.objectContaining({ code: 'UNTRUSTED' });

describe(RowKey.name, () => {
  it('opens what it sealed, whatever it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (content) => {
        const made = RowKey.make(keys, here);
        const sealed = made.seal('a', content);
        expect(RowKey.open(ring, here, made.wrapped).open('a', sealed)).toEqual(
          Buffer.from(content),
        );
      }),
    );
  });
  it('never opens after a change of any byte, or cut short', () => {
    const made = RowKey.make(keys, here);
    const sealed = made.seal('a', Buffer.from('content'));
    const { dataKey } = made.wrapped;
    const bytes: readonly [Uint8Array, (changed: Uint8Array) => unknown][] = [
      [sealed, (changed) => made.open('a', changed)],
      [dataKey, (changed) => RowKey.open(ring, here, { keyEpoch: 1, dataKey: changed })],
    ];
    for (const [good, open] of bytes) {
      for (let at = 0; at < good.length; at++) {
        const changed = Buffer.from(good);
        changed[at]! ^= 1 + (at % 255);
        expect(() => open(changed)).toThrow(untrusted);
        expect(() => open(good.subarray(0, at))).toThrow(untrusted);
      }
    }
  });
  it.each<[string, RowPlace, number]>([
    ['another job', { table: 'linkage', rowId: 'job-2' }, 1],
    ['another table', { table: 'result_register', rowId: 'job-1' }, 1],
    ['another epoch of the ring', here, 2],
    ['an epoch that is not on the ring', here, 3],
  ])('never opens in %s', (_, place, keyEpoch) => {
    const { dataKey } = RowKey.make(keys, here).wrapped;
    expect(() => RowKey.open(ring, place, { keyEpoch, dataKey })).toThrow(untrusted);
  });
  it('never opens one part as another, or under the key of another row', () => {
    const [one, other] = [RowKey.make(keys, here), RowKey.make(keys, here)];
    const sealed = one.seal('uids-1', Buffer.from('content'));
    expect(() => one.open('uids-2', sealed)).toThrow(untrusted);
    expect(() => other.open('uids-1', sealed)).toThrow(untrusted);
  });
  it('never repeats a nonce or a key', () => {
    const made = Array.from({ length: 500 }, () => RowKey.make(keys, here));
    const sealed = made.map((each) => each.seal('a', Buffer.alloc(0)).toString('hex'));
    const wrapped = made.map(({ wrapped: { dataKey } }) => Buffer.from(dataKey).toString('hex'));
    expect(new Set([...sealed, ...wrapped].map((hex) => hex.slice(0, 24))).size).toBe(1_000);
  });
});
