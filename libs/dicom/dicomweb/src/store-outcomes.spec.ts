/**
 * Goal: the answer to a store says of each instance what became of it, in pieces.
 * Method: the outcomes of a request, and our own reading of the answer.
 */
import { describe, expect, it } from '@jest/globals';
import { StoreOutcomes } from './store-outcomes.js';
import { readStoreAnswer } from './store-reading.js';

const CT = '1.2.840.10008.5.1.4.1.1.2';
const name = (n: number): { sopClassUid: string; sopInstanceUid: string } => ({
  ...{ sopClassUid: CT, sopInstanceUid: `2.25.${n}` },
});
function outcomes(...statuses: readonly (number | readonly [number])[]): StoreOutcomes {
  const sut = new StoreOutcomes();
  for (const [i, status] of statuses.entries()) {
    if (typeof status === 'number') sut.add(status, name(i));
    else sut.add(status[0]);
  }
  return sut;
}
const textOf = (sut: StoreOutcomes): string => [...sut.json()].join('');

describe(StoreOutcomes.name, () => {
  it.each([
    ['all stored', [0, 0], 200],
    ['stored with a warning', [0xb000], 200],
    ['some', [0, 0xc000], 202],
    ['some, others without a name', [0, [0xc000] as const], 202],
    ['none', [0xa900, 0x0122], 409],
    ['none that could be read', [[0xc000] as const], 409],
    ['none, for want of room', [0xa700, 0xc000], 503],
  ])('%s', (_name, statuses, expected) => {
    expect(outcomes(...statuses).httpStatus).toBe(expected);
  });

  it('names each instance once, with the reason of its failure', () => {
    const sut = outcomes(0, 0xa900, [0xc000], [0xc000], 0x0110);
    expect(JSON.parse(textOf(sut))).toMatchObject({
      '00081190': { vr: 'UR' },
      '00081199': { vr: 'SQ', Value: [{ '00081150': { Value: [CT] } }] },
    });
    expect(readStoreAnswer(Buffer.from(textOf(sut)))).toEqual({
      stored: 1,
      failed: [
        { sopInstanceUid: '2.25.1', status: 0xa900 },
        { sopInstanceUid: '2.25.4', status: 0x0110 },
        { sopInstanceUid: '', status: 0xc000 },
        { sopInstanceUid: '', status: 0xc000 },
      ],
    });
    expect(textOf(outcomes(0))).not.toContain('00081198');
  });

  it('is made in small pieces, however many instances there are', () => {
    const sut = outcomes(...Array.from({ length: 20_000 }, (_, i) => (i % 2 === 0 ? 0 : 0xc000)));
    const pieces = [...sut.json()];
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(64 * 1024);
    expect(readStoreAnswer(Buffer.from(pieces.join('')))).toMatchObject({ stored: 10_000 });
    expect(sut.named).toBe(20_000);
  });

  it.each(['', 'null', '[]', '<xml/>'])('reads nothing out of %j', (text) => {
    expect(readStoreAnswer(Buffer.from(text))).toBeUndefined();
  });
});
