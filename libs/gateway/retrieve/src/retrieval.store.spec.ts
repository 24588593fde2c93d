/**
 * Goal: whoever asks for a study that is asked for already gets that retrieval; lists are bounded;
 * nothing of what is kept is about a patient.
 * Method: the schema in memory.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  GATEWAY_MIGRATIONS,
  MemoryDatabase,
  requestedProducts,
  type GatewayDatabase,
} from '@aifi/gateway-database';
import { RetrievalStore } from './retrieval.store.js';

const memory = new MemoryDatabase(GATEWAY_MIGRATIONS);
const DAY_MS = 86_400_000;

describe('RetrievalStore', () => {
  let database: GatewayDatabase;
  let sut: RetrievalStore;
  beforeEach(() => {
    database = memory.start();
    sut = new RetrievalStore(database, 3);
  });
  afterEach(() => memory.clear());

  const hand = (studyUid: string) => ({ studyUid, cause: 'by-hand' }) as const;

  it('keeps one open retrieval of a study, which is then due at once', async () => {
    const [first] = await sut.queue([hand('1')], 1_000);
    await sut.postpone(first!, 'SILENT', { atMs: 90_000 });
    const [again] = await sut.queue([{ studyUid: '1', cause: 'rule', product: 'p' }], 2_000);
    expect(again).toBe(first);
    expect(sut.get(first!)).toMatchObject({ cause: 'by-hand', product: 'p' });
    expect(sut.nextDue(2_000)?.retrieval_id).toBe(first);
    await sut.end(first!, undefined, { atMs: 3_000 });
    const [later] = await sut.queue([hand('1')], 4_000);
    expect(later).not.toBe(first);
  });

  it('widens a series to the study when somebody wants more of it', async () => {
    const [id] = await sut.queue([{ ...hand('1'), seriesUid: '1.1' }], 1);
    await sut.queue([{ ...hand('1'), seriesUid: '1.1' }], 2);
    expect(sut.get(id!)?.series_uid).toBe('1.1');
    await sut.queue([{ ...hand('1'), seriesUid: '1.2' }], 3);
    expect(sut.get(id!)?.series_uid).toBeNull();
  });

  it('has the product on record before the first image comes', async () => {
    await sut.queue([{ ...hand('1'), product: 'tissue', source: 'command-line' }], 5);
    expect(database.read((sql) => requestedProducts(sql, '1'))).toEqual([
      { product: 'tissue', lane: null },
    ]);
    expect(database.read((sql) => sql.get('SELECT source FROM product_request'))).toEqual({
      source: 'command-line',
    });
  });

  it('takes no more than may wait, and then nothing of what was asked together', async () => {
    await sut.queue([hand('1'), hand('2')], 1);
    await expect(sut.queue([hand('3'), hand('4')], 1)).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
    });
    expect(sut.countOpen()).toBe(2);
    // One that waits already needs no room.
    await sut.queue([hand('3')], 1);
    await sut.queue([hand('1')], 1);
    expect(sut.counts()).toEqual({ QUEUED: 3, DONE: 0, FAILED: 0 });
  });

  it('lists the newest first, page by page and by state', async () => {
    await sut.queue([hand('1'), hand('2'), hand('3')], 1);
    await sut.end(2, 'NOT_IN_PACS', { atMs: 2 });
    const uids = (page: Parameters<RetrievalStore['list']>[0]): string[] =>
      sut.list(page).map((row) => row.study_uid);
    expect(uids({ limit: 2 })).toEqual(['3', '2']);
    expect(uids({ limit: 2, before: 2 })).toEqual(['1']);
    expect(uids({ limit: 9, state: 'FAILED' })).toEqual(['2']);
  });

  it('forgets what ended long ago', async () => {
    await sut.queue([hand('1'), hand('2')], 1);
    await sut.end(1, undefined, { atMs: 1 });
    await sut.end(2, undefined, { atMs: 100 * DAY_MS });
    expect(sut.list({ limit: 9 }).map((row) => row.study_uid)).toEqual(['2']);
  });

  it('finds missed studies once, and again only when they are missed anew', async () => {
    const missed = (uid: string, state: string, foundMs: number): Promise<unknown> =>
      database.write((sql) =>
        sql.run(
          `INSERT OR REPLACE INTO missed_study (study_uid, kind, state, series, modalities,
             products, study_ms, found_ms) VALUES (?, 'MISSED', ?, '{}', '[]', '[]', 1, ?)`,
          ...[uid, state, foundMs],
        ),
      );
    await missed('1', 'OPEN', 10);
    await missed('2', 'DISMISSED', 10);
    expect(sut.missed()).toEqual(['1']);
    await sut.queue([{ studyUid: '1', cause: 'missed' }], 20);
    expect(sut.missed()).toEqual([]);
    await sut.end(1, 'INCOMPLETE', { atMs: 30 });
    expect(sut.missed()).toEqual([]);
    await missed('1', 'OPEN', 40);
    expect(sut.missed()).toEqual(['1']);
  });
});
