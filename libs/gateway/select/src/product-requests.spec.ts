/**
 * Goal: "run this AI on this study" is answered once, lifts the age of the study and nothing else,
 * and takes a job up again only where it was declined for that.
 * Method: studies as rows in a real SQLite file; requests as an AE title and a page make them.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ONE_PUSH_MS, requestProduct, type ProductRequest } from '@aifi/gateway-database';
import { aProduct, OLD_MS, rulesOf, STUDY_UID, StudyTables } from './test-studies.js';

let tables: StudyTables;
beforeEach(() => {
  tables = new StudyTables();
});
afterEach(() => tables.close());

const ask = (product: string, change: Partial<ProductRequest> = {}): Promise<boolean> =>
  tables.database.write((sql) =>
    requestProduct(sql, {
      ...{ studyUid: STUDY_UID, product, source: 'page', atMs: tables.clock.nowMs(), ...change },
    }),
  );
const answers = () =>
  tables.all('SELECT product, answer, taken_ms FROM product_request ORDER BY request_id');
const old = async (): Promise<void> => {
  await tables.receive({ acquiredAtMs: tables.clock.nowMs() + OLD_MS });
  await tables.assemble();
};
const rules = rulesOf(aProduct(), aProduct({ product: 'q' }));

describe('a product that is asked for by name', () => {
  it('runs on a study that is too old for the others, when it was asked for before', async () => {
    await old();
    await ask('q');
    await tables.select(rules);
    expect(tables.jobs()).toMatchObject([
      { product: 'p', state: 'NOT_ELIGIBLE_LOGGED', code: 'STUDY_TOO_OLD' },
      { product: 'q', state: 'SELECTED', code: null },
    ]);
    expect(answers()).toMatchObject([{ product: 'q', answer: 'SELECTED' }]);
  });

  it('is taken up when it was declined for its age, and told anew; a second time nothing', async () => {
    await old();
    await tables.select(rules);
    await tables.write('UPDATE job SET told_issue = -1');
    tables.clock.advance(1_000);
    await ask('q');
    await tables.select(rules);
    const job = `SELECT state, code, detail, series_uid, terminal_ms, told_issue, reopened_ms
      FROM job WHERE product = 'q'`;
    expect(tables.all(job)).toEqual([
      {
        ...{ state: 'SELECTED', code: null, detail: null, series_uid: '1.2.3' },
        ...{ terminal_ms: null, told_issue: null, reopened_ms: tables.clock.nowMs() },
      },
    ]);
    expect(tables.jobs()[0]).toMatchObject({ product: 'p', code: 'STUDY_TOO_OLD' });
    await ask('q');
    await tables.select(rules);
    expect(answers().map((row) => (row as { answer: string }).answer)).toEqual([
      'SELECTED',
      'SELECTED',
    ]);
    expect(tables.all(`SELECT 1 FROM journal WHERE event = 'reopened'`)).toHaveLength(1);
    expect(tables.all(`SELECT cause, verdict FROM routing_decision WHERE product = 'q'`)).toEqual([
      { cause: 'revision', verdict: 'deny' },
      { cause: 'request', verdict: 'allow' },
    ]);
  });

  it('is told why when the request lifts nothing: intended use stays what it is', async () => {
    const ct = aProduct({
      product: 'ct',
      intendedUse: {
        series: [{ id: 'modality', attribute: 'modality', oneOf: ['CT'], onMissing: 'deny' }],
        instancesMin: 1,
      },
    });
    await old();
    await tables.select(rulesOf(ct));
    await ask('ct');
    await ask('unknown');
    await tables.select(rulesOf(ct));
    expect(answers()).toMatchObject([
      { product: 'ct', answer: 'OUT_OF_INTENDED_USE' },
      { product: 'unknown', answer: 'NOT_DEPLOYED' },
    ]);
    expect(tables.jobs()).toMatchObject([{ product: 'ct', state: 'NOT_ELIGIBLE_LOGGED' }]);
  });

  it('runs nowhere else when it is for requests only', async () => {
    const manual = rulesOf(aProduct(), aProduct({ product: 'q', manualOnly: true }));
    await tables.receive();
    await tables.assemble();
    await tables.select(manual);
    expect(tables.jobs()).toMatchObject([
      { product: 'p', state: 'SELECTED' },
      { product: 'q', state: 'NOT_ELIGIBLE_LOGGED', code: 'NO_PRODUCT' },
    ]);
    await ask('q');
    await tables.select(manual);
    expect(tables.jobs()[1]).toMatchObject({ product: 'q', state: 'SELECTED', code: null });
  });

  it('never runs against an objection', async () => {
    await old();
    await tables.select(rules);
    await ask('q');
    const word = {
      ...{ orderOf: () => undefined, mappedProcedureOf: () => undefined },
      objectionsOf: () => ['ai-in-own-care'] as const,
    };
    await tables.receive({ patientKey: 'k', acquiredAtMs: tables.clock.nowMs() + OLD_MS });
    await tables.assemble();
    await tables.select(rules, { word });
    expect(tables.jobs().filter(({ revision }) => revision === 2)).toMatchObject([
      { product: 'p', code: 'OBJECTION' },
      { product: 'q', code: 'OBJECTION' },
    ]);
    expect(answers()).toMatchObject([{ product: 'q', answer: 'OBJECTION' }]);
  });

  it('gets its job when it was deployed after the study had been selected', async () => {
    await old();
    await tables.select(rulesOf(aProduct()));
    await ask('q');
    await tables.select(rules);
    expect(tables.jobs()).toMatchObject([
      { product: 'p', state: 'NOT_ELIGIBLE_LOGGED' },
      { product: 'q', state: 'SELECTED' },
    ]);
  });

  it('is told the state of a job that was selected once, which is left alone', async () => {
    await tables.receive();
    await tables.assemble();
    await tables.select(rules);
    await tables.write(`UPDATE job SET state = 'NOT_ANALYSED_NOTIFIED', code = 'MODEL_FAILED'
      WHERE product = 'q'`);
    await ask('p');
    await ask('q');
    await tables.select(rules);
    expect(answers()).toMatchObject([{ answer: 'SELECTED' }, { answer: 'MODEL_FAILED' }]);
    expect(tables.jobs()[1]).toMatchObject({ state: 'NOT_ANALYSED_NOTIFIED' });
  });

  it('waits for images that are on their way, and counts for every later revision', async () => {
    await old();
    await tables.select(rules);
    await tables.receive({ acquiredAtMs: tables.clock.nowMs() + OLD_MS });
    await ask('q');
    await tables.select(rules);
    expect(answers()).toMatchObject([{ taken_ms: null }]);
    await tables.assemble();
    await tables.select(rules);
    await old();
    await tables.select(rules);
    expect(tables.jobs().filter(({ product }) => product === 'q')).toMatchObject([
      { revision: 1, code: 'STUDY_TOO_OLD' },
      { revision: 2, state: 'SELECTED' },
      { revision: 3, state: 'SELECTED' },
    ]);
  });

  it('waits until a push has brought back what retention had removed', async () => {
    await old();
    await tables.select(rules);
    await tables.write('UPDATE instance SET removed_ms = 1');
    await ask('q', { source: 'ae-title' });
    await tables.select(rules);
    expect(answers()).toMatchObject([{ taken_ms: null }]);
    await tables.write('UPDATE instance SET removed_ms = NULL');
    await tables.select(rules);
    expect(answers()).toMatchObject([{ answer: 'SELECTED' }]);
  });

  it('is told that the images are gone when they do not come', async () => {
    await old();
    await tables.select(rules);
    await tables.write('UPDATE instance SET removed_ms = 1');
    await ask('p');
    await ask('q', { source: 'ae-title' });
    tables.clock.advance(ONE_PUSH_MS);
    await tables.select(rules);
    expect(answers()).toMatchObject([
      { product: 'p', answer: 'INPUT_INCOMPLETE' },
      { product: 'q', answer: 'INPUT_INCOMPLETE' },
    ]);
    expect(tables.jobs()).toMatchObject([{ code: 'STUDY_TOO_OLD' }, { code: 'STUDY_TOO_OLD' }]);
  });

  it('is one request per push of a PACS, and a new one after a pause', async () => {
    const title = { source: 'ae-title' } as const;
    await expect(ask('q', title)).resolves.toBe(true);
    await expect(ask('q', { ...title, lane: 'acute' })).resolves.toBe(false);
    await tables.write('UPDATE product_request SET taken_ms = 1');
    tables.clock.advance(ONE_PUSH_MS - 1);
    await expect(ask('q', title)).resolves.toBe(false);
    tables.clock.advance(ONE_PUSH_MS);
    await expect(ask('q', title)).resolves.toBe(true);
    await expect(ask('q')).resolves.toBe(true);
    await expect(ask('q')).resolves.toBe(false);
    expect(tables.all('SELECT lane FROM product_request')).toEqual([
      { lane: 'acute' },
      { lane: null },
      { lane: null },
    ]);
  });
});
