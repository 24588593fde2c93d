/**
 * Goal: what cannot wait starts on the series that are whole, once; a complete revision follows.
 * Method: real SQLite, a clock moved by hand; who takes what is told by the test.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { EarlyProducts } from './early-start.js';
import { TestArrivals } from './test-arrivals.js';

/** Stroke takes series '1', chest takes series '2'. */
const products: EarlyProducts = {
  isAny: () => true,
  takenBy: (sql, studyId, revision) => {
    const series = sql.all<{ uid: string }>(
      `SELECT DISTINCT series_uid AS uid FROM revision_instance
        WHERE study_id = ? AND of_revision = ?`,
      ...[studyId, revision],
    );
    const names: Record<string, string> = { '1': 'stroke', '2': 'chest' };
    return series.flatMap(({ uid }) => names[uid] ?? []);
  },
};

describe('an early start', () => {
  let sut: TestArrivals;
  let stage: ReturnType<TestArrivals['stageOf']>;
  beforeEach(() => {
    sut = new TestArrivals();
    stage = sut.stageOf({ quietMs: 30_000, earlyProducts: products });
  });
  afterEach(() => sut.close());
  const revisions = () =>
    sut.all('SELECT revision, kind, products, instances FROM revision_manifest ORDER BY revision');

  it('takes the series that is whole and leaves the one that still comes', async () => {
    await sut.image('1.1', '1');
    await sut.image('1.2', '1');
    await stage.look();
    expect(revisions()).toEqual([]);
    await sut.image('3.1', '3');
    await stage.look();
    expect(revisions()).toEqual([
      { revision: 1, kind: 'early', products: '["stroke"]', instances: 2 },
    ]);
    expect(sut.manifest(1)).toEqual(['1.1', '1.2']);
    expect(sut.rang()).toBe(1);
  });
  it('is followed by a complete revision, also when no image came after it', async () => {
    await sut.image('1.1', '1');
    sut.clock.advance(2_000);
    await stage.look();
    sut.clock.advance(28_000);
    await stage.look();
    expect(revisions()).toMatchObject([
      { revision: 1, kind: 'early' },
      { revision: 2, kind: 'complete', products: null, instances: 1 },
    ]);
    sut.clock.advance(60_000);
    await stage.look();
    expect(revisions()).toHaveLength(2);
  });
  it('is made once for a product, and again for another one', async () => {
    await sut.image('1.1', '1');
    sut.clock.advance(2_000);
    await stage.look();
    await sut.image('1.2', '1');
    sut.clock.advance(2_000);
    await stage.look();
    expect(revisions()).toHaveLength(1);
    await sut.image('2.1', '2');
    sut.clock.advance(2_000);
    await sut.look({ quietMs: 30_000, earlyProducts: products });
    expect(revisions()).toMatchObject([{ products: '["stroke"]' }, { products: '["chest"]' }]);
    expect(sut.manifest(2)).toEqual(['1.1', '1.2', '2.1']);
  });
  it('leaves nothing behind when no product takes what is there', async () => {
    await sut.image('3.1', '3');
    sut.clock.advance(2_000);
    await stage.look();
    await stage.look();
    expect(revisions()).toEqual([]);
    expect(sut.all('SELECT revision FROM instance')).toEqual([{ revision: null }]);
    expect(sut.all('SELECT 1 FROM early_study UNION SELECT 1 FROM journal')).toEqual([]);
    expect(sut.rang()).toBe(0);
  });
  it('goes on after a restart as if nothing had been', async () => {
    await sut.image('1.1', '1');
    sut.clock.advance(2_000);
    await sut.look({ quietMs: 30_000, earlyProducts: products });
    await sut.look({ quietMs: 30_000, earlyProducts: products });
    sut.clock.advance(30_000);
    await sut.look({ quietMs: 30_000, earlyProducts: products });
    await sut.look({ quietMs: 30_000, earlyProducts: products });
    expect(revisions()).toMatchObject([{ kind: 'early' }, { kind: 'complete' }]);
  });
});
