/**
 * Goal: what the rows of a revision say reaches the rules with one voice, and every decision is on
 * record with it. Method: images as rows in a real SQLite file, the hospital's word by hand.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { StudyFacts } from '@aifi/policy-routing-rules';
import type { HospitalWord } from './index.js';
import { readStudy } from './study-facts.js';
import { DECISIONS_KEPT_MS, FACTS_KEPT_MS } from './decision.store.js';
import { aProduct, OLD_MS, rulesOf, STUDY_UID, StudyTables } from './test-studies.js';

let tables: StudyTables;
beforeEach(() => {
  tables = new StudyTables();
});
afterEach(() => tables.close());

const SILENT: HospitalWord = {
  ...{ orderOf: () => undefined, mappedProcedureOf: () => undefined },
  objectionsOf: () => [],
};
const known = (years: number) => ({ kind: 'known', years, from: 'birth-date' }) as const;
async function read(word: Partial<HospitalWord> = {}) {
  await tables.assemble();
  const key = { studyId: 1, revision: 1 };
  return tables.database.read((sql) => readStudy(sql, key, { ...SILENT, ...word }, 5));
}

describe(readStudy.name, () => {
  it('gives every attribute, each series for itself, the thickest slice', async () => {
    const attributes = {
      ...{ modality: 'CT', seriesDescription: 'd', protocolName: 'n', bodyPartExamined: 'CHEST' },
      ...{ manufacturer: 'Maker', manufacturerModelName: 'M', convolutionKernel: ['B30', '2'] },
      ...{ contrastBolusAgent: 'agent', patientPosition: 'HFS', imageType: ['ORIGINAL'] },
    };
    await tables.receive({ ...attributes, viewPosition: 'PA', sliceThicknessMm: 1 });
    await tables.receive({ modality: 'CT', viewPosition: 'LL', sliceThicknessMm: 3 });
    await tables.receive({ laterality: 'L' }, '1.2.4');
    const { facts } = await read();
    expect(facts.series).toMatchObject([
      {
        ...{ seriesUid: '1.2.3', instanceCount: 2, sliceThicknessMm: 3 },
        attributes: {
          ...{ modality: ['CT'], seriesDescription: ['d'], protocolName: ['n'] },
          ...{ bodyPartExamined: ['CHEST'], manufacturer: ['Maker'], imageType: ['ORIGINAL'] },
          ...{ manufacturerModelName: ['M'], convolutionKernel: ['B30', '2'] },
          ...{ contrastBolusAgent: ['agent'], patientPosition: ['HFS'] },
          ...{ viewPosition: ['PA', 'LL'], laterality: [] },
        },
      },
      { seriesUid: '1.2.4', sliceThicknessMm: undefined, attributes: { laterality: ['L'] } },
    ]);
  });

  it.each<[string, StudyFacts['age'][], StudyFacts['age']]>([
    ['one age', [known(34), { kind: 'missing' }, known(34)], known(34)],
    ['no age', [{ kind: 'missing' }], { kind: 'missing' }],
    ['two ages', [known(34), known(35)], { kind: 'contradiction' }],
    ['a placeholder', [{ kind: 'placeholder' }, { kind: 'missing' }], { kind: 'placeholder' }],
  ])('knows %s', async (_, ages, age) => {
    for (const each of ages) await tables.receive({ age: each });
    expect((await read()).facts.age).toEqual(age);
  });

  it('has no sex of images that name two, and the first moment of any', async () => {
    await tables.receive({ sex: 'F', acquiredAtMs: 200 });
    await tables.receive({ sex: 'M', acquiredAtMs: 100 });
    tables.clock.advance(60_000);
    await tables.receive({});
    const { facts } = await read();
    expect(facts.sex).toBeUndefined();
    expect(facts).toMatchObject({ acquiredAtMs: 100 });
    expect(facts.receivedAtMs).toBe(tables.clock.nowMs() - 60_000);
  });

  it('has the objections of every patient that images or order name', async () => {
    await tables.receive({ patientKey: 'a', accessionKey: 'n' });
    await tables.receive({ patientKey: 'b' });
    const asked: string[] = [];
    await read({
      orderOf: () => ({ codes: [], priority: undefined, patientKey: 'c' }),
      objectionsOf: (_, { patientKey, atMs }) => {
        asked.push(`${patientKey} ${atMs}`);
        return [];
      },
    });
    expect(asked).toEqual(['a 5', 'b 5', 'c 5']);
  });

  it('takes the codes of the order before those of the images', async () => {
    await tables.receive({ procedureCodes: ['99L:DONE'], accessionKey: 'n' });
    const mapped = { bodyPart: 'CHEST', products: ['p'] };
    const word: Partial<HospitalWord> = {
      orderOf: (_, { accessionKey, studyUid }) =>
        accessionKey === 'n' && studyUid === STUDY_UID
          ? { codes: ['99L:WANTED'], priority: 'acute' }
          : undefined,
      mappedProcedureOf: (_, codes) => (codes[0] === '99L:WANTED' ? mapped : undefined),
    };
    const study = await read(word);
    expect(study.priority).toBe('acute');
    expect(study.facts.procedure).toEqual({ codes: ['99L:WANTED'], from: 'order', mapped });
    const key = { studyId: 1, revision: 1 };
    const unordered = tables.database.read((sql) => readStudy(sql, key, SILENT, 5));
    expect(unordered.facts.procedure).toEqual({ codes: ['99L:DONE'], from: 'images' });
  });
});

describe('a decision', () => {
  const lanes = () => tables.all('SELECT product, lane FROM job ORDER BY product');
  const two = rulesOf(aProduct(), aProduct({ product: 'q' }));

  it.each([
    ['an acute order', {}, () => ({ codes: [], priority: 'acute' }) as const],
    ['an acute sender', { acuteSenders: new Set(['CT1']) }, () => undefined],
  ])('goes ahead for %s', async (_, site, orderOf) => {
    await tables.receive();
    await tables.assemble();
    await tables.select(two, { ...site, word: { ...SILENT, orderOf } });
    expect(lanes()).toEqual([
      { product: 'p', lane: 'acute' },
      { product: 'q', lane: 'acute' },
    ]);
  });

  it('goes ahead for the one product that was asked for as acute', async () => {
    await tables.receive();
    await tables.assemble();
    await tables.write(`INSERT INTO product_request (study_uid, product, source, lane, requested_ms)
      VALUES ('${STUDY_UID}', 'q', 'ae-title', 'acute', 1)`);
    await tables.select(two);
    expect(lanes()).toEqual([
      { product: 'p', lane: 'routine' },
      { product: 'q', lane: 'acute' },
    ]);
  });

  it('is on record for every product, with its reasons in words and the facts', async () => {
    await tables.receive({ acquiredAtMs: tables.clock.nowMs() + OLD_MS });
    await tables.assemble();
    const young = aProduct({
      product: 'young',
      maxStudyAgeHours: 100,
      intendedUse: {
        ...aProduct().intendedUse,
        patient: { age: { maxYears: 19, onMissing: 'deny' } },
      },
    });
    await tables.select(
      rulesOf(aProduct(), young, aProduct({ product: 'q', maxStudyAgeHours: 99 })),
    );
    const rows = tables.all<Record<string, string>>(
      `SELECT product, verdict, codes, reasons, facts, rule_set_sha256 = (SELECT rule_set_sha256
         FROM job LIMIT 1) AS same FROM routing_decision
        JOIN routing_facts ON sha256 = facts_sha256 ORDER BY product`,
    );
    expect(
      rows.map(({ product, verdict, codes, same }) => [product, verdict, codes, same]),
    ).toEqual([
      ['p', 'deny', '["STUDY_TOO_OLD"]', 1],
      ['q', 'allow', '[]', 1],
      ['young', 'deny', '["TAG_MISSING"]', 1],
    ]);
    expect(JSON.parse(rows[0]!['reasons']!)).toMatchObject([
      { code: 'STUDY_TOO_OLD', words: { en: expect.stringMatching(/26 h .*24 h/) } },
    ]);
    expect(JSON.parse(rows[1]!['facts']!)).toMatchObject({ age: { kind: 'missing' } });
    expect(tables.all('SELECT 1 FROM routing_facts')).toHaveLength(1);
    expect(tables.all(`SELECT detail FROM job WHERE product = 'p'`)).toMatchObject([
      { detail: expect.stringMatching(/^STUDY_TOO_OLD: study 26 h old on arrival > 24 h$/) },
    ]);
  });

  it('goes after its time, its facts before it', async () => {
    await tables.receive();
    await tables.assemble();
    await tables.write(`INSERT INTO product_request (study_uid, product, source, requested_ms)
      VALUES ('${STUDY_UID}', 'q', 'page', 1)`);
    await tables.select(two);
    const counts = () => [
      tables.all('SELECT 1 FROM product_request').length,
      tables.all('SELECT 1 FROM routing_facts').length,
      tables.all('SELECT 1 FROM routing_decision').length,
    ];
    tables.clock.advance(FACTS_KEPT_MS);
    await tables.select(two);
    expect(counts()).toEqual([1, 1, 2]);
    tables.clock.advance(1);
    await tables.select(two);
    expect(counts()).toEqual([1, 0, 2]);
    tables.clock.advance(DECISIONS_KEPT_MS - FACTS_KEPT_MS);
    await tables.select(two);
    expect(counts()).toEqual([0, 0, 0]);
  });

  it('of an early revision is made for its products only, with what may be said of the rest', async () => {
    const q = aProduct({
      product: 'q',
      intendedUse: { ...aProduct().intendedUse, negativeRequires: { imagesMin: 3 } },
    });
    await tables.receive({ imagesInAcquisition: 3 });
    await tables.receive({ imagesInAcquisition: 3 });
    await tables.assemble(['q']);
    await tables.select(rulesOf(aProduct(), q));
    expect(tables.all('SELECT product, early FROM job')).toEqual([
      { product: 'q', early: '{"instances":2,"expected":3,"negativeAllowed":false}' },
    ]);
    await tables.receive({ imagesInAcquisition: 3 });
    await tables.assemble();
    await tables.select(rulesOf(aProduct(), q));
    expect(tables.all('SELECT product, revision, early FROM job WHERE revision = 2')).toEqual([
      { product: 'p', revision: 2, early: null },
      { product: 'q', revision: 2, early: null },
    ]);
  });

  it('does not count images that were rejected', async () => {
    await tables.receive();
    await tables.receive();
    await tables.assemble();
    await tables.write(`UPDATE instance SET rejected_revision = 2 WHERE instance_id = 1`);
    await tables.assemble();
    const count = (revision: number) =>
      tables.database.read((sql) => readStudy(sql, { studyId: 1, revision }, SILENT, 5)).facts
        .series[0]!.instanceCount;
    expect([count(1), count(2)]).toEqual([2, 1]);
  });
});
