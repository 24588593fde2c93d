/**
 * Goal: whatever a PACS does for hours, each of 50 results ends as P6 says: nothing lost, nothing
 * twice, at most 6 attempts on it in any minute. Method: scripts of the fake PACS on a clock that
 * is moved by hand, by a second and later by some; every window of a minute is checked.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AssociationRejected, PeerAborted } from '@aifi/dicom-dimse';
import { AifiError } from '@aifi/shared-kernel';
import { DeliverService } from './deliver-service.js';
import type { Answer, FakePacs } from './fake-pacs.js';
import { instanceOf, TestDeliveries } from './test-deliveries.js';

const ROWS = 50;
const rejected = (result: 1 | 2): AifiError =>
  new AifiError('PEER_UNAVAILABLE', 'rejected', { cause: new AssociationRejected(result, 1, 3) });
const aborted = (): AifiError =>
  new AifiError('PEER_UNAVAILABLE', 'aborted', { cause: new PeerAborted('request', 0, 0) });
/** Each answer in turn. */
const inTurn = (...answers: Answer[]): (() => Answer) => {
  let turn = 0;
  return () => answers[turn++ % answers.length]!;
};

interface Script {
  readonly name: string;
  /** How the PACS is for two hours; then it is well. */
  readonly script: (pacs: FakePacs) => void;
  /** How the jobs are after these two hours, and when they end. */
  readonly meanwhile?: Record<string, number>;
  readonly end: Record<string, number>;
  readonly dead?: string;
}
const DELIVERED = { RESULT_IN_PACS: ROWS };
const WAITING = { REIDENTIFIED: ROWS };
const DEAD = { NOT_ANALYSED_NOTIFIED: ROWS };
const SCRIPTS: readonly Script[] = [
  {
    name: 'is down',
    script: (pacs) => (pacs.isUp = false),
    ...{ meanwhile: WAITING, end: DELIVERED },
  },
  {
    name: 'has no space (A700), though it answers an echo',
    script: (pacs) => (pacs.otherwise = () => 0xa700),
    ...{ meanwhile: WAITING, end: DELIVERED },
  },
  {
    name: 'cannot process (0110)',
    script: (pacs) => (pacs.otherwise = () => 0x0110),
    ...{ meanwhile: WAITING, end: DELIVERED },
  },
  {
    name: 'rejects the association for now',
    script: (pacs) => (pacs.rejection = rejected(2)),
    ...{ meanwhile: WAITING, end: DELIVERED },
  },
  {
    name: 'rejects the association for good',
    script: (pacs) => (pacs.rejection = rejected(1)),
    ...{ meanwhile: WAITING, end: DELIVERED },
  },
  {
    name: 'aborts in the middle of each object',
    script: (pacs) => (pacs.otherwise = () => aborted()),
    ...{ meanwhile: WAITING, end: DELIVERED },
  },
  {
    name: 'takes each object and never answers',
    script: (pacs) => (pacs.otherwise = () => 'silent'),
    end: DELIVERED,
  },
  {
    name: 'takes every third object only, and is full or silent between',
    script: (pacs) => (pacs.otherwise = inTurn(0, 0xa700, 'silent')),
    end: DELIVERED,
  },
  {
    name: 'says that it has each object already, and has not',
    script: (pacs) => (pacs.otherwise = () => 0x0111),
    ...{ end: DEAD, dead: 'RESULT_NOT_LISTED' },
  },
  {
    name: 'says Success and loses each object',
    script: (pacs) => (pacs.otherwise = () => 'lose'),
    ...{ end: DEAD, dead: 'RESULT_LOST' },
  },
  ...[0xa900, 0xc000, 0x0122].map((status) => ({
    name: `refuses each object with ${status.toString(16)}`,
    script: (pacs: FakePacs) => (pacs.otherwise = () => status),
    ...{ end: DEAD, dead: 'PEER_REFUSED' },
  })),
  ...[0xb000, 0xb006, 0xb007].map((status) => ({
    name: `takes each object with the remark ${status.toString(16)}`,
    script: (pacs: FakePacs) => (pacs.otherwise = () => status),
    ...{ meanwhile: DELIVERED, end: DELIVERED },
  })),
];

/** Works until no job waits, three hours at most. */
async function settled(test: TestDeliveries): Promise<void> {
  for (let step = 0; step < 2_160 && test.jobs()['REIDENTIFIED']; step += 1) {
    await test.work(1, 5_000);
  }
}

describe(`${DeliverService.name} with a PACS that`, () => {
  let test: TestDeliveries;
  let pacs: FakePacs;
  beforeEach(async () => {
    test = new TestDeliveries();
    pacs = test.pacs;
    await test.queueMany(ROWS);
  });
  afterEach(() => test.close());

  it.each(SCRIPTS)('$name', async ({ script, meanwhile, end, dead }) => {
    const { otherwise } = pacs;
    script(pacs);
    // Two hours.
    await test.work(600, 1_000);
    await test.work(940, 7_000);
    if (meanwhile) expect(test.jobs()).toEqual(meanwhile);
    Object.assign(pacs, { otherwise, isUp: true, rejection: undefined });
    await settled(test);
    expect(test.jobs()).toEqual(end);
    expect(pacs.attemptsPerMinuteMax()).toBeLessThanOrEqual(6);
    // Nothing lost, nothing twice: what is delivered was taken once, the rest is a dead letter.
    const taken = pacs.stored.map(({ sopInstanceUid }) => sopInstanceUid).sort();
    const all = Array.from({ length: ROWS }, (_, n) => instanceOf(n, 0)).sort();
    expect(taken).toEqual(dead ? [] : all);
    expect([...pacs.listed.keys()].sort()).toEqual(taken);
    if (!dead) return;
    expect(test.rows().map((row) => row['dead_code'])).toEqual(all.map(() => dead));
  });

  it('makes no storm when all of that happens at once', async () => {
    let seed = 42;
    // A short linear congruence: the same hours in each run.
    const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
    const answers: Answer[] = [0, 0xa700, 'aborted', 'silent', 'lose', 0x0110, 0xb000];
    pacs.otherwise = () => answers[Math.floor(random() * answers.length)]!;
    for (let minute = 0; minute < 240; minute += 1) {
      pacs.isUp = random() > 0.3;
      pacs.rejection = random() < 0.1 ? rejected(2) : undefined;
      await test.work(20, 3_000);
    }
    Object.assign(pacs, { otherwise: () => 0, isUp: true, rejection: undefined });
    await settled(test);
    expect(pacs.attemptsPerMinuteMax()).toBeLessThanOrEqual(6);
    const { RESULT_IN_PACS: delivered = 0, NOT_ANALYSED_NOTIFIED: dead = 0 } = test.jobs();
    expect(delivered + dead).toBe(ROWS);
    expect(pacs.listed.size).toBe(delivered);
    expect(pacs.stored).toHaveLength(pacs.listed.size);
  });
});

describe(`${DeliverService.name} with a PACS that loses an object`, () => {
  let test: TestDeliveries;
  beforeEach(async () => {
    test = new TestDeliveries();
    await test.queue(0);
  });
  afterEach(() => test.close());

  it.each([0, 0.5, 0.999])(
    'finds out within 15 minutes and sends the same bytes again (jitter %d)',
    async (jitter) => {
      test.random = () => jitter;
      test.sut = test.makeSut();
      test.pacs.answers = ['lose', 0];
      const startMs = test.clock.nowMs();
      while (test.pacs.stored.length === 0) await test.work(1, 1_000);
      expect(test.clock.nowMs() - startMs).toBeLessThanOrEqual(15 * 60_000);
      expect(test.events()).toContain('lost');
      await test.work(10);
      expect(test.job()).toMatchObject({ state: 'RESULT_IN_PACS' });
      expect(test.pacs.stored).toHaveLength(1);
    },
  );

  it('gives a slow index time before it counts an object as lost', async () => {
    test.pacs.isIndexing = false;
    await test.work(180, 1_000);
    test.pacs.isIndexing = true;
    await test.work(300, 1_000);
    expect(test.job()).toMatchObject({ state: 'RESULT_IN_PACS' });
    expect(test.events()).not.toContain('lost');
    expect(test.pacs.stored).toHaveLength(1);
  });

  it('does not send it again when it was indexed after all', async () => {
    test.pacs.isIndexing = false;
    while (!test.events().includes('lost')) await test.work(1);
    test.pacs.isIndexing = true;
    await test.work(5);
    expect(test.job()).toMatchObject({ state: 'RESULT_IN_PACS' });
    expect(test.pacs.stored).toHaveLength(1);
  });

  it('sends it three times at most, over restarts, then it is a dead letter', async () => {
    let sent = 0;
    test.pacs.otherwise = () => {
      sent += 1;
      return 'lose';
    };
    for (let minute = 0; minute < 60; minute += 1) {
      await test.work(1, 60_000);
      test.restart();
    }
    expect(sent).toBe(3);
    expect(test.rows()).toMatchObject([{ state: 'DEAD', dead_code: 'RESULT_LOST' }]);
    expect(test.job()).toEqual({ state: 'NOT_ANALYSED_NOTIFIED', code: 'PACS_REFUSED' });
  });
});
