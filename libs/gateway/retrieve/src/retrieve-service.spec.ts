/**
 * Goal: a retrieval ends when all that the PACS lists is here, and only then as done; every other
 * way it can go ends within its bounds and is told with its reason.
 * Method: a fake PACS that sends by writing rows, the schema in memory, a clock moved by hand.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { GATEWAY_MIGRATIONS, MemoryDatabase, type GatewayDatabase } from '@aifi/gateway-database';
import { AifiError } from '@aifi/shared-kernel';
import { silentLogger, type Logger } from '@aifi/shared-observability';
import { FakeClock } from '@aifi/shared-testing';
import { FakeArchive, type Fetching } from '../test/fake-archive.js';
import { AssociationPermits } from './association-permits.js';
import { Pace } from './pace.js';
import { RetrievalStore, type Retrieval } from './retrieval.store.js';
import { checkAccessionNumber, RetrieveService } from './retrieve-service.js';

const STUDY = '2.25.800';
const HOUR_MS = 3_600_000;
const partOf =
  (count: number, reason?: 'PARTLY' | 'CANNOT_SEND'): Fetching =>
  async (send, asked) => {
    await send(asked.slice(0, count));
    return reason;
  };
const memory = new MemoryDatabase(GATEWAY_MIGRATIONS);

describe('RetrieveService', () => {
  let database: GatewayDatabase;
  let clock: FakeClock;
  let pacs: FakeArchive;
  let store: RetrievalStore;
  let sut: RetrieveService;
  let isUp: boolean;
  let told: string[];
  const signal = new AbortController().signal;

  beforeEach(() => {
    database = memory.start();
    clock = new FakeClock();
    pacs = new FakeArchive(database);
    store = new RetrievalStore(database, 100);
    isUp = true;
    told = [];
    const tell = (words: string, fields?: object): void => {
      told.push(`${words} ${JSON.stringify(fields ?? {})}`);
    };
    const logger: Logger = { ...silentLogger, info: tell, warn: tell, error: tell };
    sut = new RetrieveService({
      ...{ store, archive: pacs, clock, logger, random: () => 0.5 },
      config: { attemptsMax: 3, giveUpHours: 24, instancesMax: 100 },
      ...{ permits: new AssociationPermits(2), isPacsUp: () => isUp },
      pace: new Pace(clock, { perMinute: 600, burst: 100 }),
    });
  });
  afterEach(() => memory.clear());

  const queue = async (more: object = {}): Promise<number> => {
    const request = { studyUid: STUDY, cause: 'by-hand', ...more } as const;
    const [id] = await store.queue([request], clock.nowMs());
    return id!;
  };
  const row = (id: number): Retrieval => store.get(id)!;
  /** Runs what is due at its times until nothing waits any more, at most so often. */
  async function live(times = 20): Promise<void> {
    for (let turn = 0; turn < times && store.countOpen() > 0; turn += 1) {
      await sut.runOnce(signal);
      clock.advance(HOUR_MS);
    }
  }

  it('asks for the whole study at once and is done when all of it is here', async () => {
    pacs.has(STUDY, { '1.1': 3, '1.2': 2 });
    const id = await queue();
    expect(await sut.runOnce(signal)).toBe(1);
    expect(row(id)).toMatchObject({ state: 'DONE', expected: 5, received: 5, attempts: 1 });
    expect(pacs.fetches).toMatchObject([{ studyInstanceUid: STUDY, objectsMax: 105 }]);
    expect(pacs.fetches[0]!.seriesInstanceUid).toBeUndefined();
    expect(pacs.fetches[0]!.sopClassUids).toEqual(['1.2']);
    expect(await sut.runOnce(signal)).toBe(0);
  });

  it('fetches nothing that is here, and only the series that lack something', async () => {
    pacs.has(STUDY, { '1.1': 3, '1.2': 2 });
    await pacs.receive(STUDY, ['1.1.0', '1.1.1', '1.1.2', '1.2.0']);
    const id = await queue();
    await sut.runOnce(signal);
    expect(pacs.fetches).toMatchObject([{ seriesInstanceUid: '1.2', objectsMax: 102 }]);
    expect(row(id).state).toBe('DONE');
    const again = await queue();
    await sut.runOnce(signal);
    expect([row(again).state, row(again).attempts, pacs.fetches.length]).toEqual(['DONE', 0, 1]);
  });

  it('believes counts where the PACS lists no instances', async () => {
    pacs.has(STUDY, { '1.1': 3 }, true);
    pacs.next(partOf(2));
    const id = await queue();
    await sut.runOnce(signal);
    expect(row(id)).toMatchObject({ state: 'QUEUED', reason: 'INCOMPLETE', received: 2 });
    await live();
    expect(row(id)).toMatchObject({ state: 'DONE', received: 3 });
  });

  it('never asks back what we put there ourselves', async () => {
    await pacs.receive(STUDY, ['1.1.0']);
    await database.write((sql) => {
      sql.run(`INSERT INTO study_revision VALUES (1, 1, 1, 'SELECTED')`);
      sql.run(
        `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
           rule_set_sha256, attestations, state, created_ms)
         SELECT 'j', study_id, 1, 'p', '1', 'm', 'routine', 'r', '[]', 'RESULT_IN_PACS', 1
           FROM study`,
      );
      sql.run(
        `INSERT INTO delivery (job_id, issue, output_index, role, sop_class_uid, series_uid,
           sop_instance_uid, path, sha256, state)
         VALUES ('j', 0, 0, 'r', '1', '9.9', '9.9.0', 'p', 's', 'VERIFIED')`,
      );
    });
    pacs.has(STUDY, { '1.1': 2, '9.9': 1 });
    const id = await queue();
    await sut.runOnce(signal);
    expect(pacs.fetches).toMatchObject([{ seriesInstanceUid: '1.1' }]);
    expect(row(id)).toMatchObject({ state: 'DONE', expected: 2 });
  });

  it('is not done because the PACS says so, and has failed after so many fetches', async () => {
    pacs.has(STUDY, { '1.1': 3 });
    pacs.next(partOf(1), partOf(1, 'PARTLY'), partOf(0, 'CANNOT_SEND'));
    const id = await queue();
    await live();
    expect(row(id)).toMatchObject({
      ...{ state: 'FAILED', reason: 'CANNOT_SEND', code: 'PEER_UNAVAILABLE' },
      ...{ attempts: 3, expected: 3, received: 1 },
    });
    expect(pacs.fetches).toHaveLength(3);
    expect(told.at(-1)).toContain('could not be fetched');
    expect(told.join()).not.toContain(STUDY);
  });

  it('waits longer where somebody has to set something up', async () => {
    pacs.has(STUDY, { '1.1': 1 });
    pacs.next(async () => 'UNKNOWN_DESTINATION');
    const id = await queue();
    await sut.runOnce(signal);
    expect(row(id)).toMatchObject({ reason: 'UNKNOWN_DESTINATION', code: 'PEER_REFUSED' });
    expect(row(id).next_attempt_ms - clock.nowMs()).toBe(90_000);
  });

  it('ends at once what stays as it is', async () => {
    pacs.has(STUDY, { '1.1': 101 });
    const large = await queue();
    await sut.runOnce(signal);
    expect(row(large)).toMatchObject({ state: 'FAILED', reason: 'TOO_LARGE', attempts: 0 });
    pacs.has(STUDY, { '1.1': 2 });
    pacs.next(async () => 'OTHER_STUDY');
    const other = await queue();
    await sut.runOnce(signal);
    expect(row(other)).toMatchObject({ state: 'FAILED', reason: 'OTHER_STUDY', attempts: 1 });
  });

  it('waits for a study that is announced, and for no other one', async () => {
    const absent = await queue();
    await sut.runOnce(signal);
    expect(row(absent)).toMatchObject({ state: 'FAILED', reason: 'NOT_IN_PACS' });
    const announced = await queue({ studyUid: '2.25.801', cause: 'order' });
    await sut.runOnce(signal);
    expect(row(announced)).toMatchObject({ state: 'QUEUED', reason: 'NOT_IN_PACS' });
    await live(60);
    expect(row(announced)).toMatchObject({ state: 'FAILED', reason: 'NOT_IN_PACS' });
    expect(row(announced).ended_ms! - row(announced).created_ms).toBeGreaterThanOrEqual(
      24 * HOUR_MS,
    );
  });

  it('takes a series that the PACS does not list for absent, not for whole', async () => {
    pacs.has(STUDY, { '1.1': 1 });
    const id = await queue({ seriesUid: '1.7' });
    await sut.runOnce(signal);
    expect(row(id)).toMatchObject({ state: 'FAILED', reason: 'NOT_IN_PACS' });
  });

  it('leaves a PACS that is silent alone, longer each time, whatever waits', async () => {
    pacs.fault = new AifiError('PEER_UNAVAILABLE', 'away');
    const ids = [await queue(), await queue({ studyUid: '2.25.801' })];
    const asked: number[] = [];
    for (let second = 0; second < 600; second += 1) {
      const before = pacs.lists;
      await sut.runOnce(signal);
      if (pacs.lists > before) asked.push(second);
      clock.advance(1_000);
    }
    const waits = asked.map((at, index) => at - (asked[index - 1] ?? 0)).slice(1);
    expect(asked.length).toBeLessThan(12);
    expect(waits).toEqual([...waits].sort((a, b) => a - b));
    expect(ids.map((id) => [row(id).state, row(id).attempts])).toEqual([
      ['QUEUED', 0],
      ['QUEUED', 0],
    ]);
    pacs.fault = undefined;
    pacs.has(STUDY, { '1.1': 1 });
    pacs.has('2.25.801', { '1.2': 1 });
    await live();
    expect(ids.map((id) => row(id).state)).toEqual(['DONE', 'DONE']);
  });

  it('asks nothing while delivery leaves the PACS alone', async () => {
    pacs.has(STUDY, { '1.1': 1 });
    await queue();
    isUp = false;
    expect([await sut.runOnce(signal), pacs.lists]).toEqual([0, 0]);
    isUp = true;
    expect(await sut.runOnce(signal)).toBe(1);
  });

  it('ends a fetch that is withdrawn, and what has come stays', async () => {
    pacs.has(STUDY, { '1.1': 3 });
    const id = await queue();
    pacs.next(async (send, asked, order) => {
      await send(asked.slice(0, 1));
      expect(await sut.withdraw(id)).toBe(true);
      expect(order.signal.aborted).toBe(true);
      return 'CANCELLED';
    });
    await sut.runOnce(signal);
    expect(row(id)).toMatchObject({ state: 'FAILED', reason: 'WITHDRAWN', attempts: 1 });
    expect(await sut.withdraw(id)).toBe(false);
    expect(store.here(STUDY).get('1.1')!.size).toBe(1);
    expect(await sut.runOnce(signal)).toBe(0);
  });

  it('goes on after a stop as if it had not been begun', async () => {
    pacs.has(STUDY, { '1.1': 3 });
    const id = await queue();
    const stop = new AbortController();
    pacs.next(async (send, asked) => {
      await send(asked.slice(0, 1));
      stop.abort();
      return 'CANCELLED';
    });
    await sut.runOnce(stop.signal);
    expect(row(id)).toMatchObject({ state: 'QUEUED', attempts: 0, received: 1 });
    clock.advance(1_000);
    await sut.runOnce(signal);
    expect(row(id)).toMatchObject({ state: 'DONE', attempts: 1 });
  });

  it('gives what people asked for before what was found', async () => {
    pacs.has('2.25.1', { '1.1': 1 });
    pacs.has('2.25.2', { '1.2': 1 });
    await queue({ studyUid: '2.25.1', cause: 'rule' });
    await queue({ studyUid: '2.25.2', cause: 'by-hand' });
    await sut.runOnce(signal);
    expect(pacs.fetches.map((one) => one.studyInstanceUid)).toEqual(['2.25.2']);
  });

  it('asks for the series of a study at the pace that is allowed', async () => {
    const slow = new RetrieveService({
      ...{ store, archive: pacs, clock, logger: silentLogger, isPacsUp: () => true },
      config: { attemptsMax: 3, giveUpHours: 24, instancesMax: 100 },
      permits: new AssociationPermits(2),
      pace: new Pace(clock, { perMinute: 1, burst: 1 }),
    });
    pacs.has(STUDY, { '1.1': 1, '1.2': 1, '1.3': 1 });
    await pacs.receive(STUDY, ['1.1.0']);
    const id = await queue();
    const run = slow.runOnce(signal);
    const turn = async (): Promise<void> => {
      for (let at = 0; at < 20; at += 1) await new Promise(setImmediate);
    };
    await turn();
    expect(pacs.fetches).toHaveLength(1);
    clock.advance(59_000);
    await turn();
    expect(pacs.fetches).toHaveLength(1);
    clock.advance(1_000);
    await run;
    expect([pacs.fetches.length, row(id).state]).toEqual([2, 'DONE']);
  });
});

describe('checkAccessionNumber', () => {
  it('takes one number and nothing that asks for more', () => {
    expect(checkAccessionNumber(' A 12-3.4 ')).toBe('A 12-3.4');
    for (const text of ['', '*', 'A?', 'A\\B', 'A\nB', 'x'.repeat(65)]) {
      expect(() => checkAccessionNumber(text)).toThrow();
    }
  });
});

describe('AssociationPermits', () => {
  it('lets no more through than there are, in the order of asking, whatever becomes of them', async () => {
    const permits = new AssociationPermits(2);
    const [begun, gates] = [[] as number[], [] as ((fail: boolean) => void)[]];
    let [open, most] = [0, 0];
    const runs = Array.from({ length: 6 }, (_, at) =>
      permits
        .run(async () => {
          begun.push(at);
          open += 1;
          most = Math.max(most, open);
          const fail = await new Promise<boolean>((resolve) => gates.push(resolve));
          open -= 1;
          if (fail) throw new Error('failed');
        })
        .catch(() => undefined),
    );
    for (let at = 0; at < 6; at += 1) {
      while (gates.length <= at) await new Promise(setImmediate);
      gates[at]!(at % 2 === 0);
      await new Promise(setImmediate);
    }
    await Promise.all(runs);
    expect([begun, most]).toEqual([[0, 1, 2, 3, 4, 5], 2]);
  });
});
