/**
 * Goal: what is ordered does not depend on the order in which messages come, or how often.
 * Method: a real database; statements of one order, and of patients who are merged, in every order.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { GATEWAY_MIGRATIONS, MemoryDatabase, type GatewayDatabase } from '@aifi/gateway-database';
import {
  expireOrders,
  orderOf,
  recordMove,
  recordOrder,
  stampOf,
  studiesOfVisit,
  type OrderStatement,
  type PatientMove,
} from './index.js';

const at = (saidMs: number, rank = 0, sequence = 0) =>
  stampOf({ saidMs, sequence, rank, messageKey: 'm' });
const order = (more: Partial<OrderStatement> = {}): OrderStatement => ({
  ...{ orderKey: 'o1', stamp: at(1_000), accessionKey: 'a1', codes: ['L:CTHERS'] },
  ...{ priority: 'routine', state: 'OPEN', patientKey: 'p1' },
  ...more,
});

describe('orders', () => {
  const memory = new MemoryDatabase(GATEWAY_MIGRATIONS);
  let database: GatewayDatabase;
  beforeEach(() => void (database = memory.start()));
  afterEach(() => memory.clear());

  const record = (...statements: OrderStatement[]): Promise<void> =>
    database.write((sql) => statements.forEach((each) => recordOrder(sql, each, 5_000)));
  const move = (each: PatientMove): Promise<void> =>
    database.write((sql) => recordMove(sql, each, 5_000));
  const find = (by: Parameters<typeof orderOf>[1] = { accessionKey: 'a1' }) =>
    database.read((sql) => orderOf(sql, by));

  it('are found by accession number and by study, else not at all', async () => {
    await record(order({ studyUid: '1.2.3' }));
    const found = { codes: ['L:CTHERS'], priority: 'routine', patientKey: 'p1' };
    expect(find()).toEqual(found);
    expect(find({ studyUid: '1.2.3' })).toEqual(found);
    expect(find({ accessionKey: 'a1', studyUid: '1.2.4' })).toBeUndefined();
    expect(find({ accessionKey: 'a2' })).toBeUndefined();
    expect(find({})).toBeUndefined();
  });

  it('take every procedure of an accession number, and the most urgent priority', async () => {
    await record(order(), order({ orderKey: 'o2', codes: ['L:CTTHOR'], priority: 'acute' }));
    expect(find()).toMatchObject({ codes: ['L:CTHERS', 'L:CTTHOR'], priority: 'acute' });
    await record({ orderKey: 'o2', stamp: at(2_000, 3), state: 'CANCELLED' });
    expect(find()).toMatchObject({ codes: ['L:CTHERS'], priority: 'routine' });
  });

  it('end the same for every order of arrival and every repetition', async () => {
    const feed: (() => Promise<void>)[] = [
      () => record(order()),
      () => record({ orderKey: 'o1', stamp: at(2_000, 1), codes: ['L:CTTHOR'] }),
      () => record({ orderKey: 'o1', stamp: at(2_000, 1, 1), priority: 'acute' }),
      () => record({ orderKey: 'o1', stamp: at(3_000, 1), accessionKey: 'a2' }),
      () => move({ fromKey: 'p1', intoKey: 'p2', kind: 'MERGE', stamp: at(1_500) }),
      () => move({ fromKey: 'p2', intoKey: 'p3', kind: 'MOVE', stamp: at(2_500) }),
    ];
    const orders = fc.shuffledSubarray([...Array(12).keys()], { minLength: 12 });
    for (const arrival of fc.sample(orders, { numRuns: 50, seed: 7 })) {
      for (const index of arrival) await feed[index % 6]!();
      expect(find()).toBeUndefined();
      const end = { codes: ['L:CTTHOR'], priority: 'acute', patientKey: 'p3' };
      expect(find({ accessionKey: 'a2' })).toEqual(end);
      memory.clear();
    }
  });

  it('are cancelled by a cancellation of the same second, whichever came first', async () => {
    const cancelled = order({ stamp: at(1_000, 3), state: 'CANCELLED', codes: undefined });
    await record(cancelled, order());
    expect(find()).toBeUndefined();
    memory.clear();
    await record(order(), cancelled);
    expect(find()).toBeUndefined();
    await record(order({ stamp: at(9_000) }));
    expect(find()).toBeDefined();
  });

  it('go back by an unmerge to who a merge took them from, and to nobody else', async () => {
    await record(order(), order({ orderKey: 'o2', accessionKey: 'a2', patientKey: 'p2' }));
    await move({ fromKey: 'p1', intoKey: 'p2', kind: 'MERGE', stamp: at(2_000) });
    expect(find()?.patientKey).toBe('p2');
    await move({ fromKey: 'p2', intoKey: 'p1', kind: 'UNMERGE', stamp: at(3_000) });
    expect(find()?.patientKey).toBe('p1');
    expect(find({ accessionKey: 'a2' })?.patientKey).toBe('p2');
  });

  it('go with their visit only', async () => {
    await record(order({ visitKey: 'v1' }));
    await record(order({ orderKey: 'o2', accessionKey: 'a2', visitKey: 'v2', studyUid: '1.2' }));
    const moved = { fromKey: 'p1', intoKey: 'p2', kind: 'MOVE', stamp: at(2_000) } as const;
    await move({ ...moved, visitKey: 'v2' });
    expect(find()?.patientKey).toBe('p1');
    expect(find({ accessionKey: 'a2' })?.patientKey).toBe('p2');
    const ofVisit = database.read((sql) => studiesOfVisit(sql, 'v2'));
    expect(ofVisit).toEqual([{ studyUid: '1.2', accessionKey: 'a2' }]);
  });

  it('follow a circle of merges to its end, and no further', async () => {
    await record(order());
    for (let n = 0; n < 5; n += 1) {
      const [fromKey, intoKey] = n % 2 === 0 ? ['p1', 'p2'] : ['p2', 'p1'];
      await move({ fromKey: fromKey!, intoKey: intoKey!, kind: 'MERGE', stamp: at(2_000 + n) });
    }
    await move({ fromKey: 'p2', intoKey: 'p2', kind: 'MERGE', stamp: at(9_000) });
    expect(find()?.patientKey).toBe('p2');
  });

  it('are removed by age', async () => {
    await record(order());
    expect(await database.write((sql) => expireOrders(sql, 5_000))).toBe(0);
    expect(await database.write((sql) => expireOrders(sql, 5_001))).toBe(1);
    expect(find()).toBeUndefined();
  });

  it('refuse what is no moment, and more codes than a procedure has', async () => {
    expect(() => at(-1)).toThrow('out of range');
    expect(() => at(1e16)).toThrow('out of range');
    const many = order({ codes: Array.from({ length: 21 }, (_, n) => `L:${n}`) });
    await expect(record(many)).rejects.toThrow('too many codes');
  });
});
