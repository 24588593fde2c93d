/**
 * Goal: each invariant is silent over a history as it should be and speaks when it is broken.
 * Method: a real database, histories written by hand and one break planted at a time.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '@aifi/shared-testing';
import { GatewayInvariants, type GatewayRule } from './invariant-check.js';
import { TestTables } from './test-tables.js';

describe(GatewayInvariants.name, () => {
  let tables: TestTables;
  let unaudited: number;
  beforeEach(async () => {
    tables = new TestTables();
    unaudited = 0;
    await tables.study(1);
    // One that came through, one on its way, one that a person took up again and that ended twice.
    await tables.job('done', 'RESULT_IN_PACS');
    for (const state of ['SPOOLED', 'UPLOADED', 'RETURNED', 'REIDENTIFIED']) {
      await tables.move('done', state);
    }
    await tables.move('done', 'RESULT_IN_PACS', { event: 'delivered' });
    await tables.job('open', 'HELD');
    await tables.move('open', 'REIDENTIFIED');
    await tables.move('open', 'HELD');
    await tables.move('open', 'REIDENTIFIED', { event: 'resumed' });
    await tables.move('open', 'HELD');
    await tables.job('again', 'NOT_ANALYSED_NOTIFIED');
    await tables.move('again', 'NOT_ANALYSED_NOTIFIED');
    await tables.move('again', 'REIDENTIFIED', { event: 'reopened' });
    await tables.move('again', 'NOT_ANALYSED_NOTIFIED');
    await tables.run(`UPDATE job SET terminal_ms = 2 WHERE job_id <> 'open'`);
  });
  afterEach(() => tables.close());
  const sut = () =>
    new GatewayInvariants({
      ...{ database: tables.database, logger: tables.logger, clock: new FakeClock() },
      unaudited: () => unaudited,
    });

  it('finds nothing in a history as it should be', () => {
    const { violations, ...counts } = sut().check();
    expect(counts).toMatchObject({ accepted: 3, open: 1, terminal: 2 });
    expect(new Set(Object.values(violations))).toEqual(new Set([0]));
    expect(tables.errors).toEqual([]);
  });

  const breaks: readonly [GatewayRule, () => Promise<unknown>][] = [
    [
      'job-neither-open-nor-ended',
      () => tables.run(`UPDATE job SET terminal_ms = 9 WHERE job_id = 'open'`),
    ],
    ['job-without-beginning', () => tables.run(`DELETE FROM journal WHERE job_id = 'open'`)],
    ['state-went-back', () => tables.move('open', 'SPOOLED')],
    ['end-told-twice', () => tables.move('again', 'NOT_ANALYSED_NOTIFIED')],
    [
      'end-never-told',
      () => tables.run(`DELETE FROM journal WHERE job_id = 'again' AND detail LIKE '%NOT_%'`),
    ],
    [
      'result-in-pacs-without-record',
      () => tables.run(`UPDATE journal SET event = 'moved' WHERE event = 'delivered'`),
    ],
    ['store-without-audit-record', () => Promise.resolve((unaudited = 1))],
  ];
  it.each(breaks)('tells of %s', async (rule, plant) => {
    await plant();
    expect(sut().check().violations[rule]).toBe(1);
    expect(tables.errors).toContainEqual([
      'an invariant is broken',
      expect.objectContaining({ status: rule, count: 1 }),
    ]);
  });

  it('keeps what it found of the history, and counts it once', async () => {
    const invariants = sut();
    await tables.move('open', 'SPOOLED');
    invariants.check();
    expect(invariants.check().violations['state-went-back']).toBe(1);
  });
});
