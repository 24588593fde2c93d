/**
 * Goal: the recorder shows exactly what was sent, however it was cut, and a lost byte shows.
 * Method: every framing of the suites over generated objects, read back from the bytes alone.
 */
import { describe, expect, it } from '@jest/globals';
import {
  commandAndDataTogether,
  emptyLastFragment,
  manyPdvsPerPdu,
  oneByteFragments,
  onePdvPerPdu,
  randomCuts,
  seededRandom,
  segments,
  type Framing,
} from './framings.js';
import { asFile, generatedCt } from './generated-objects.js';
import { ownObjectOf } from './dicom-files.js';
import { rawRelease, rawStoreCommand } from './raw-encoding.js';
import { readWire } from './wire-record.js';

const NOTHING = Buffer.alloc(0);
const object = generatedCt('recorded', { rows: 60, columns: 70 });

function sent(framing: Framing, dataset = object.dataset): Buffer {
  const message = { contextId: 5, command: rawStoreCommand(object, 7), dataset };
  return Buffer.concat([...framing(message), rawRelease()]);
}

describe(readWire.name, () => {
  it.each<[string, Framing]>([
    ['one PDV per PDU', onePdvPerPdu(1_000)],
    ['two PDVs per PDU', manyPdvsPerPdu(2, 500)],
    ['fragments of a byte', oneByteFragments],
    ['command and data together', commandAndDataTogether(800)],
    ['an empty last fragment', emptyLastFragment(900)],
    ['random cuts', randomCuts(seededRandom(3))],
  ])('puts a dataset together again from %s', (_, framing) => {
    const { stores } = readWire(Buffer.concat([sent(framing), sent(framing)]), NOTHING);
    expect(stores).toHaveLength(2);
    for (const store of stores) {
      expect(store).toMatchObject({
        sopClassUid: object.sopClassUid,
        sopInstanceUid: object.sopInstanceUid,
        contextId: 5,
        status: undefined,
      });
      expect(store.dataset.equals(object.dataset)).toBe(true);
    }
  });

  it('shows a byte that is lost and one that is changed', () => {
    const framing = manyPdvsPerPdu(2, 500);
    const lost = Buffer.concat([object.dataset.subarray(0, 900), object.dataset.subarray(901)]);
    const changed = Buffer.from(object.dataset);
    changed[900]! ^= 1;
    for (const dataset of [lost, changed]) {
      const [store] = readWire(sent(framing, dataset), NOTHING).stores;
      expect(store?.dataset.equals(object.dataset)).toBe(false);
      expect(store?.dataset.equals(dataset)).toBe(true);
    }
  });

  it('refuses a record that ends inside a PDU', () => {
    const whole = sent(onePdvPerPdu(1_000));
    expect(() => readWire(whole.subarray(0, -1), NOTHING)).toThrow('inside a PDU');
  });
});

describe(segments.name, () => {
  it('hands over every byte once', () => {
    const random = seededRandom(9);
    const parts = [...segments(object.dataset, () => Math.floor(random() * 900))];
    expect(parts.length).toBeGreaterThan(5);
    expect(Buffer.concat(parts).equals(object.dataset)).toBe(true);
  });
});

describe(ownObjectOf.name, () => {
  it('reads back what was written as a file, and nothing from other bytes', () => {
    expect(ownObjectOf(asFile(object))).toEqual(object);
    expect(ownObjectOf(Buffer.from('GET / HTTP/1.1\r\n\r\n'))).toBeUndefined();
  });
});
