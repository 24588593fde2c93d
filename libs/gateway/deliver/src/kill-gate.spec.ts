/**
 * Goal: what a gateway does with a result when products are stopped or the hub is silent.
 * Method: the pure gate, case by case and over every combination; then the service over real rows
 * with the fake PACS, through a stop, a silence and their ends.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { KillState } from '@aifi/contracts-manifests';
import { decideDelivery, type GatedResult, type KillKnowledge } from './kill-gate.js';
import { jobIdOf, TestDeliveries } from './test-deliveries.js';

const STATE: KillState = {
  schema: 'aifi.kill-state.v1',
  ...{ sequence: 1, issuedAtMs: 0, validForMs: 900_000, stopped: [], killRelevant: ['risky'] },
};
const result = (change: Partial<GatedResult> = {}): GatedResult => ({
  ...{ product: 'p', version: '1.0.0', completedAtMs: 1_000 },
  ...change,
});
const knowing = (change: Partial<KillKnowledge> = {}, state: Partial<KillState> = {}) => ({
  ...{ ageMs: 0, contactMs: 5_000, state: { ...STATE, ...state } },
  ...change,
});
const OLD = { ageMs: 900_001 };
const stopped = (version: string) => ({
  stopped: [{ product: 'p', version, code: 'SUSPENDED' as const, sinceMs: 1 }],
});

describe(decideDelivery.name, () => {
  const cases: readonly [string, string, GatedResult, ReturnType<typeof knowing>][] = [
    ['with a fresh state', 'deliver', result(), knowing({ ageMs: 900_000 })],
    ['stopped in every version', 'stop', result(), knowing({}, stopped('*'))],
    ['stopped in this version', 'stop', result(), knowing({}, stopped('1.0.0'))],
    ['stopped in another version', 'deliver', result(), knowing({}, stopped('2.0.0'))],
    ['stopped, the hub silent since', 'stop', result(), knowing(OLD, stopped('*'))],
    ['complete before the silence', 'deliver', result(), knowing(OLD)],
    ['complete after the last contact', 'hold', result({ completedAtMs: 5_001 }), knowing(OLD)],
    ['kill-relevant, silence', 'hold', result({ product: 'risky' }), knowing(OLD)],
    ['kill-relevant, fresh', 'deliver', result({ product: 'risky' }), knowing()],
  ];
  it.each(cases)('%s: %s', (_, kind, gated, knowledge) => {
    expect(decideDelivery(gated, knowledge).kind).toBe(kind);
  });
  it('holds before the hub has told anything, and delivers for a hub without kill switches', () => {
    expect(decideDelivery(result(), undefined).kind).toBe('hold');
    expect(decideDelivery(result(), 'none')).toEqual({ kind: 'deliver' });
  });
  it('never delivers what is stopped, nor what is kill-relevant in silence', () => {
    const gated = fc.record({
      product: fc.constantFrom('p', 'risky'),
      version: fc.constantFrom('1.0.0', '2.0.0'),
      completedAtMs: fc.integer({ min: 0, max: 10_000 }),
    });
    const stops = fc.constantFrom({}, stopped('*'), stopped('1.0.0'));
    fc.assert(
      fc.property(gated, stops, fc.boolean(), (one, state, isOld) => {
        const knowledge = knowing(isOld ? OLD : {}, state);
        const { kind } = decideDelivery(one, knowledge);
        const isStopped = knowledge.state.stopped.some(
          ({ product, version }) =>
            product === one.product && (version === '*' || version === one.version),
        );
        expect(kind === 'stop').toBe(isStopped);
        if (isOld && one.product === 'risky') expect(kind).not.toBe('deliver');
        if (!isOld && !isStopped) expect(kind).toBe('deliver');
      }),
    );
  });
});

describe('a delivery', () => {
  let test: TestDeliveries;
  let known: KillKnowledge | 'none' | undefined;
  beforeEach(() => {
    test = new TestDeliveries();
    known = knowing();
    test.knowKill = () => known;
    test.sut = test.makeSut();
  });
  afterEach(() => test.close());

  it('of a stopped product is held with its code, and goes when it resumes', async () => {
    await test.queue(0);
    known = knowing({}, stopped('*'));
    await test.work(3);
    expect(test.pacs.stored.length).toBe(0);
    expect(test.job()).toEqual({ state: 'HELD', code: 'SUSPENDED' });
    expect(await test.sut.resumeUngated()).toBe(0);
    known = knowing();
    expect(await test.sut.resumeUngated()).toBe(1);
    await test.work(3);
    expect(test.job()).toEqual({ state: 'RESULT_IN_PACS', code: null });
    expect(test.events()).toEqual(['held', 'resumed', 'delivered']);
    expect(test.pacs.stored.length).toBe(1);
  });
  it('that came after the last contact waits for the hub, the one before it does not', async () => {
    await test.queue(0);
    await test.queue(1);
    await received(0, 5_000);
    await received(1, 5_001);
    known = knowing(OLD);
    await test.work(3);
    expect([test.job(0), test.job(1)]).toEqual([
      { state: 'RESULT_IN_PACS', code: null },
      { state: 'HELD', code: 'SUSPENDED' },
    ]);
    test.restart();
    known = knowing({ ageMs: 0 });
    expect(await test.sut.resumeUngated()).toBe(1);
    await test.work(3);
    expect(test.jobs()).toEqual({ RESULT_IN_PACS: 2 });
  });
  it('goes behind hundreds that stay held, of whatever product', async () => {
    known = knowing({}, { stopped: [{ ...stopped('*').stopped[0]!, product: 'halted' }] });
    await heldJobs(450, 'SUSPENDED', (n) => (n % 225 === 224 ? 'p' : 'halted'));
    expect(await test.sut.resumeUngated()).toBe(2);
    expect(test.jobs()).toEqual({ HELD: 448, REIDENTIFIED: 2 });
  });
  it('of a patient who is explained goes behind hundreds who are not', async () => {
    await heldJobs(450, 'IDENTITY_UNEXPLAINED', () => 'p');
    const explained = new Set(['1.2.1', '1.2.224', '1.2.449']);
    test.explainer = {
      explain: async () => undefined,
      identityVersion: (studyUid) => (explained.has(studyUid) ? 1 : 0),
    };
    test.sut = test.makeSut();
    expect(await test.sut.resumeExplained()).toBe(3);
    expect(test.jobs()).toEqual({ HELD: 447, REIDENTIFIED: 3 });
  });
  it('of a job that its deadline has ended stays ended', async () => {
    await test.queue(0);
    known = undefined;
    await test.work(1);
    await test.database.write((sql) =>
      sql.run("UPDATE job SET state = 'NOT_ANALYSED_NOTIFIED', terminal_ms = 1"),
    );
    known = knowing();
    expect(await test.sut.resumeUngated()).toBe(0);
    expect(test.pacs.stored.length).toBe(0);
  });

  async function heldJobs(
    count: number,
    code: string,
    productOf: (n: number) => string,
  ): Promise<void> {
    await test.database.write((sql) => {
      for (let n = 0; n < count; n += 1) {
        const id = n + 1;
        sql.run('INSERT INTO study VALUES (?, ?, 1, 1)', id, `1.2.${n}`);
        sql.run(`INSERT INTO study_revision VALUES (?, 1, 1, 'SELECTED')`, id);
        sql.run(
          `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest,
             lane, rule_set_sha256, attestations, state, code, created_ms)
           VALUES (?, ?, 1, ?, '1.0.0', 'x', ?, 'x', '[]', 'HELD', ?, 1)`,
          ...[jobIdOf(n), id, productOf(n), n % 2 === 0 ? 'acute' : 'routine', code],
        );
        sql.run(
          `INSERT INTO journal (study_id, job_id, stage, event, at_ms, detail)
           VALUES (?, ?, 'deliver', 'held', 1, '{"identityVersion":0}')`,
          ...[id, jobIdOf(n)],
        );
      }
    });
  }
  async function received(n: number, atMs: number): Promise<void> {
    await test.database.write((sql) =>
      sql.run(
        "INSERT INTO inbound VALUES (?, 1, 0, ?, x'00', x'00', 'DONE', ?)",
        jobIdOf(n),
        n,
        atMs,
      ),
    );
  }
});
