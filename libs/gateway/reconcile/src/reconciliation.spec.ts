/**
 * Goal: what a rule could have selected and did not come is named, and nothing else; a PACS that
 * does not answer is a state. Method: a PACS written by hand, a real database, a clock moved by
 * hand.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { deployedProductSchema } from '@aifi/contracts-manifests';
import { AifiError } from '@aifi/shared-kernel';
import { FakeClock } from '@aifi/shared-testing';
import { createReconciliationStage, Reconciliation } from './reconciliation.js';
import type { PacsSeries, PacsStudy, StudyFinder } from './study-finder.js';
import { TestTables } from './test-tables.js';
import { halvesOf, hoursBetween, momentOf, queryValues, type TimeWindow } from './time-windows.js';

const HOUR_MS = 3_600_000;
const NEVER = new AbortController().signal;
const PRODUCT = deployedProductSchema.parse({
  ...{ product: 'brain', name: 'Brain', version: '1.0.0', modelDigest: 'a'.repeat(64) },
  ...{ label: 'RESEARCH', purpose: 'demonstration', state: 'active', lane: 'routine' },
  intendedUse: {
    series: [
      { id: 'modality', attribute: 'modality', oneOf: ['MR'], onMissing: 'deny' },
      { id: 't1', attribute: 'seriesDescription', matches: '\\bT1', onMissing: 'deny' },
      { id: 'type', attribute: 'imageType', oneOf: ['ORIGINAL'], onMissing: 'deny' },
    ],
    coverageMinMm: 120,
    instancesMin: 2,
  },
});

/** What it has, by hour. */
class WrittenPacs implements StudyFinder {
  readonly held = new Map<string, { study: PacsStudy; series: PacsSeries[] }>();
  fault: AifiError | undefined;
  matchesMax = 100;
  asked: TimeWindow[] = [];
  seriesAsked: string[] = [];

  study(uid: string, atMs: number, ...series: Partial<PacsSeries>[]): void {
    const rows = series.map((one, index) => ({
      ...{ seriesUid: `${uid}.${index}`, modality: 'MR', description: 'T1 3D', instances: 10 },
      ...{ protocol: undefined, bodyPart: undefined },
      ...one,
    }));
    const modalities = [...new Set(rows.flatMap((row) => row.modality ?? []))];
    const counts = rows.map((row) => row.instances);
    const isCounted = !counts.includes(undefined);
    const instances = isCounted ? counts.reduce<number>((sum, n) => sum + n!, 0) : undefined;
    this.held.set(uid, { study: { studyUid: uid, atMs, modalities, instances }, series: rows });
  }
  studies(window: TimeWindow) {
    this.asked.push(window);
    if (this.fault) return Promise.reject(this.fault);
    const found = [...this.held.values()]
      .map(({ study }) => study)
      .filter(({ atMs }) => atMs! >= window.fromMs && atMs! < window.toMs);
    const isWhole = found.length <= this.matchesMax;
    return Promise.resolve({ studies: found.slice(0, this.matchesMax), isWhole });
  }
  series(studyUid: string) {
    this.seriesAsked.push(studyUid);
    return Promise.resolve(this.held.get(studyUid)!.series);
  }
}

describe(Reconciliation.name, () => {
  let tables: TestTables;
  let clock: FakeClock;
  let pacs: WrittenPacs;
  let sut: Reconciliation;
  beforeEach(async () => {
    tables = new TestTables();
    clock = new FakeClock();
    pacs = new WrittenPacs();
    sut = new Reconciliation(dependencies());
    // Since then the gateway is there; it has missed nothing before.
    await sut.runOnce(NEVER);
    clock.advance(30 * HOUR_MS);
  });
  afterEach(() => tables.close());
  const dependencies = (products = [PRODUCT]) => ({
    ...{ database: tables.database, finder: pacs, clock, logger: tables.logger },
    config: { isOn: true, settleMinutes: 60, matchesMax: 100, seriesQueriesMax: 20 },
    ...{ purpose: 'demonstration' as const, products: () => products, random: () => 0.5 },
  });
  const hoursAgo = (hours: number) => clock.nowMs() - hours * HOUR_MS;
  const run = () => sut.runOnce(NEVER);
  const listed = () => sut.store.list({ limit: 100 });

  it('names a study that never came, with counts and products', async () => {
    pacs.study('1.1', hoursAgo(3), {}, { description: 'T2' }, { modality: 'SR', instances: 1 });
    expect(await run()).toMatchObject({ state: 'DONE', studies: 1 });
    expect(listed()).toMatchObject([
      {
        ...{ studyUid: '1.1', kind: 'MISSED', products: ['brain'], modalities: ['MR', 'SR'] },
        ...{ expected: 10, received: 0, studyMs: hoursAgo(3) },
      },
    ]);
    expect(tables.errors).toEqual([['studies of the PACS did not come', { count: 1 }]]);
    await run();
    expect(tables.errors).toHaveLength(1);
  });

  it('names one that came in part, and closes it when the rest has come', async () => {
    await tables.study(7, '1.1');
    for (const number of [1, 2, 3]) await tables.image(7, '1.1.0', number);
    pacs.study('1.1', hoursAgo(3), { instances: 4 });
    await run();
    expect(listed()).toMatchObject([{ kind: 'PARTLY', expected: 4, received: 3 }]);
    await tables.image(7, '1.1.0', 4);
    await run();
    expect(listed()).toEqual([]);
  });

  it.each([
    ['is of another modality', { modality: 'CT' }],
    ['is described as something else', { description: 'T2 FLAIR' }],
    ['has too few images', { instances: 1 }],
  ])('does not name one that %s', async (_, series) => {
    pacs.study('1.1', hoursAgo(3), series);
    expect(await run()).toMatchObject({ state: 'DONE', studies: 1 });
    expect(listed()).toEqual([]);
  });
  it('does not ask for the series of a modality that no rule takes', async () => {
    pacs.study('1.1', hoursAgo(3), { modality: 'US' });
    await run();
    expect(pacs.seriesAsked).toEqual([]);
  });
  it('names one of which the PACS does not say what it is', async () => {
    pacs.study('1.1', hoursAgo(3), { description: undefined, instances: undefined });
    await run();
    expect(listed()).toMatchObject([{ expected: 1 }]);
  });
  it('does not expect our own results back', async () => {
    await tables.study(7, '1.1');
    await tables.image(7, '1.1.0', 1);
    await tables.job('job-1', 'RESULT_IN_PACS', { studyId: 7 });
    await tables.run(
      `INSERT INTO delivery (job_id, issue, output_index, role, sop_class_uid, series_uid,
         sop_instance_uid, path, sha256, state)
       VALUES ('job-1', 0, 0, 'r', '1', '1.1.1', '3', 'p', 's', 'VERIFIED')`,
    );
    pacs.study('1.1', hoursAgo(3), { instances: 1, description: 'T2' }, { instances: 2 });
    await run();
    expect(listed()).toEqual([]);
  });
  it('does not look further back than a day, nor at what may still be on its way', async () => {
    pacs.study('1.1', hoursAgo(25.1), {});
    pacs.study('1.2', hoursAgo(0.5), {});
    await run();
    expect(listed()).toEqual([]);
    clock.advance(HOUR_MS);
    await run();
    expect(listed()).toMatchObject([{ studyUid: '1.2' }]);
  });
  it('does not name what was there before the gateway', async () => {
    const fresh = new TestTables();
    const first = new Reconciliation({ ...dependencies(), database: fresh.database });
    pacs.study('1.1', hoursAgo(3), {});
    await first.runOnce(NEVER);
    expect(first.store.count()).toBe(0);
    fresh.close();
  });

  it('keeps a dismissed one dismissed', async () => {
    pacs.study('1.1', hoursAgo(3), {});
    await run();
    const [study] = listed();
    expect(await sut.store.dismiss(study!.id, clock.nowMs())).toBe(true);
    expect(await sut.store.dismiss(study!.id, clock.nowMs())).toBe(false);
    await run();
    expect(listed()).toEqual([]);
  });

  it.each([
    ['PEER_UNAVAILABLE', 'PACS_SILENT'],
    ['DEADLINE_EXCEEDED', 'PACS_SILENT'],
    ['PEER_REFUSED', 'PACS_REFUSED'],
    ['INTERNAL', 'FAILED'],
  ] as const)('says that a PACS with %s was not asked, and keeps the list', async (code, state) => {
    pacs.study('1.1', hoursAgo(3), {});
    const { doneMs } = await run();
    pacs.fault = new AifiError(code, 'down');
    clock.advance(HOUR_MS);
    expect(await run()).toMatchObject({ state, doneMs });
    expect(new Reconciliation(dependencies()).lastRun()).toMatchObject({ state, doneMs });
    expect(listed()).toHaveLength(1);
  });
  it('knows nothing without rules, and asks nothing', async () => {
    pacs.asked = [];
    const without = new Reconciliation({ ...dependencies(), products: () => undefined });
    expect(await without.runOnce(NEVER)).toMatchObject({ state: 'NO_RULES' });
    expect(pacs.asked).toEqual([]);
  });
  it('halves an hour that holds too much, and says when a minute does', async () => {
    pacs.matchesMax = 2;
    for (let i = 0; i < 5; i += 1) pacs.study(`1.${i}`, hoursAgo(3) + i * 600_000, {});
    expect(await run()).toMatchObject({ state: 'DONE', studies: 5 });
    for (let i = 5; i < 10; i += 1) pacs.study(`1.${i}`, hoursAgo(3) + 60, {});
    expect(await run()).toMatchObject({ state: 'NOT_WHOLE' });
  });
  it('asks for the series of a bounded number of studies', async () => {
    for (let i = 0; i < 30; i += 1) pacs.study(`1.${i}`, hoursAgo(3) + i, {});
    expect(await run()).toMatchObject({ state: 'NOT_WHOLE', studies: 30 });
    expect(pacs.seriesAsked).toHaveLength(20);
  });
});

describe(createReconciliationStage.name, () => {
  it('asks ten minutes after its start at the soonest, and then about each hour', async () => {
    const clock = new FakeClock();
    const startMs = clock.nowMs();
    const stopping = new AbortController();
    const runsAt: number[] = [];
    const runOnce = () => {
      runsAt.push((clock.nowMs() - startMs) / 60_000);
      return Promise.reject(new Error('not looked at'));
    };
    clock.sleep = () => {
      clock.advance(60_000);
      if (clock.nowMs() - startMs > 5 * HOUR_MS) stopping.abort();
      return Promise.resolve();
    };
    const tables = new TestTables();
    const { database, logger } = tables;
    const config = { isOn: true, settleMinutes: 60, matchesMax: 100, seriesQueriesMax: 20 };
    const dependencies = { database, logger, clock, config, finder: new WrittenPacs() };
    await createReconciliationStage(
      { runOnce },
      { ...dependencies, purpose: 'clinical', products: () => [], random: () => 0 },
    ).run(stopping.signal);
    tables.close();
    expect(runsAt).toEqual([10, 65, 120, 175, 230, 285]);
  });
});

describe('time windows', () => {
  const DAY = Date.UTC(2026, 5, 1);
  it('cover the time without a gap, within hours', () => {
    const windows = hoursBetween(DAY + 90 * 60_000 + 1, DAY + 5 * HOUR_MS + 1);
    expect(windows[0]!.fromMs).toBe(DAY + 90 * 60_000);
    expect(windows.at(-1)!.toMs).toBe(DAY + 5 * HOUR_MS + 60_000);
    windows.slice(1).forEach(({ fromMs }, at) => expect(fromMs).toBe(windows[at]!.toMs));
    expect(hoursBetween(DAY + 1_000, DAY)).toEqual([]);
    expect(halvesOf({ fromMs: DAY, toMs: DAY + 60_000 })).toBeUndefined();
  });
  it('ask in the time of the hospital, and in two questions over midnight', () => {
    const window = { fromMs: DAY + 22 * HOUR_MS, toMs: DAY + 23 * HOUR_MS };
    expect(queryValues(window, () => 120)).toEqual([
      { date: '20260602', time: '000000-005959.999999' },
    ]);
    expect(queryValues(window, () => 90)).toEqual([
      { date: '20260601', time: '233000-235959.999999' },
      { date: '20260602', time: '000000-002959.999999' },
    ]);
    expect(momentOf('20260602', '001500.5', () => 120)).toBe(window.fromMs + 15 * 60_000);
    expect(momentOf('', '', () => 120)).toBeUndefined();
  });
});
