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

  it('finds nothing in a history as it should be', async () => {
    const { violations, ...counts } = await sut().check();
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
    expect((await sut().check()).violations[rule]).toBe(1);
    expect(tables.errors).toContainEqual([
      'an invariant is broken',
      expect.objectContaining({ status: rule, count: 1 }),
    ]);
  });

  it('keeps what it found of the history, and counts it once', async () => {
    const invariants = sut();
    await tables.move('open', 'SPOOLED');
    await tables.move('again', 'NOT_ANALYSED_NOTIFIED');
    const { violations } = await invariants.check();
    // An end after an end is no step forward either.
    expect(violations).toMatchObject({ 'state-went-back': 2, 'end-told-twice': 1 });
    // Moves of the same jobs show the old ones again.
    await tables.move('open', 'HELD');
    await tables.move('again', 'REIDENTIFIED', { event: 'reopened' });
    expect((await invariants.check()).violations).toEqual(violations);
  });

  it('takes an outcome that was lost, and a selection by newer rules, for a way back', async () => {
    await tables.job('rewound', 'UPLOADED');
    for (const state of ['SPOOLED', 'UPLOADED', 'RETURNED']) await tables.move('rewound', state);
    await tables.move('rewound', 'UPLOADED', { event: 'rewound' });
    await tables.job('anew', 'SELECTED');
    await tables.move('anew', 'SPOOLED');
    await tables.move('anew', 'SELECTED', { event: 'selected-again' });
    expect((await sut().check()).violations['state-went-back']).toBe(0);
  });

  describe('with the rows of years', () => {
    const STATES = ['SELECTED', 'SPOOLED', 'UPLOADED', 'RETURNED', 'REIDENTIFIED'];
    beforeEach(() =>
      tables.database.write((sql) => {
        for (let n = 0; n < 4_500; n += 1) {
          sql.run(
            `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest,
               lane, series_uid, rule_set_sha256, attestations, state, created_ms, terminal_ms)
             VALUES (?1, 1, 1, ?1, '1', 'x', 'routine', '1', 'x', '[]', 'RESULT_IN_PACS', 1, 2)`,
            `j${n}`,
          );
          for (const state of [...STATES, 'RESULT_IN_PACS']) {
            sql.run(
              `INSERT INTO journal (study_id, job_id, stage, event, at_ms, detail)
               VALUES (1, ?, 'select', ?, 1, ?)`,
              ...[`j${n}`, state === 'RESULT_IN_PACS' ? 'delivered' : 'moved'],
              JSON.stringify({ state }),
            );
          }
        }
      }),
    );

    it('lets others have their turn between slices, and counts each job once', async () => {
      await tables.move('j0', 'SPOOLED');
      await tables.run(`UPDATE job SET terminal_ms = NULL WHERE job_id IN ('j1', 'j4499')`);
      let turns = 0;
      let isOver = false;
      const count = (): void => {
        turns += 1;
        if (!isOver) setImmediate(count);
      };
      setImmediate(count);
      const state = await sut().check();
      isOver = true;
      // 27,000 moves by the thousand, 4,500 jobs by the two thousand.
      expect(turns).toBeGreaterThanOrEqual(28);
      expect(state).toMatchObject({ accepted: 4_503, terminal: 4_502, open: 1 });
      expect(state.violations).toMatchObject({
        ...{ 'state-went-back': 1, 'job-neither-open-nor-ended': 2, 'end-told-twice': 0 },
      });
    });

    it('goes on in the history where it was stopped, and says nothing before its end', async () => {
      await tables.move('j0', 'SPOOLED');
      const invariants = sut();
      const stopped = await invariants.check(AbortSignal.abort());
      expect(stopped).toMatchObject({ atMs: null, accepted: 0 });
      expect((await invariants.check()).violations['state-went-back']).toBe(1);
    });
  });
});
