/**
 * Goal: a gateway that is killed around a rejection note, an early start or a closing goes on with
 * nothing half and nothing twice.
 * Method: assemble in processes of its own over one real database, killed at each named point; then
 * the next life, which leaves what an undisturbed one leaves.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { KILLS_EACH, killedAt, livedOn } from '@aifi/shared-testing';
import { TestArrivals } from './test-arrivals.js';

const DRILL_MS = 120_000;
/** Looks once; the first image is two seconds old, so its series is whole and its study is not. */
const LIFE = `
import { createAssembleStage } from '@aifi/gateway-assemble';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { Wake } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { FakeClock } from '@aifi/shared-testing';
const [path, atMs] = process.argv.slice(1);
const database = GatewayDatabase.open(path, GATEWAY_MIGRATIONS);
const stage = createAssembleStage({
  database, clock: new FakeClock(Number(atMs)), logger: silentLogger, wake: new Wake(),
  quietMs: 30_000, onDone: () => undefined,
  earlyProducts: { isAny: () => true, takenBy: () => ['stroke'] },
});
const abort = new AbortController();
const running = stage.run(abort.signal);
for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
abort.abort();
await running;
database.close();`;

const POINTS = ['note', 'early', 'close'].flatMap((what) =>
  ['before', 'after'].map((side) => `gateway.assemble.${side}-${what}`),
);

describe('a gateway that is killed while it assembles', () => {
  let arrivals: TestArrivals;
  beforeEach(() => void (arrivals = new TestArrivals()));
  afterEach(() => arrivals.close());

  const tables = (): unknown => ({
    revisions: arrivals.all('SELECT * FROM revision_manifest ORDER BY revision'),
    notes: arrivals.all('SELECT * FROM rejection_note'),
    rejected: arrivals.all('SELECT sop_instance_uid, title FROM rejected_instance'),
    images: arrivals.all('SELECT sop_instance_uid, revision, rejected_revision FROM instance'),
    early: arrivals.all('SELECT * FROM early_study'),
    journal: arrivals.all('SELECT stage, event, detail FROM journal ORDER BY sequence'),
  });
  const EXPECTED = {
    revisions: [
      { revision: 1, kind: 'early', products: '["stroke"]' },
      { revision: 2, kind: 'complete', products: null, instances: 2 },
    ],
    notes: [{ title: '113001', instances: 1 }],
    rejected: [{ sop_instance_uid: '1.2', title: '113001' }],
    images: [
      { sop_instance_uid: '1.1', rejected_revision: null },
      { sop_instance_uid: '1.2', rejected_revision: 1 },
      { sop_instance_uid: '9.1', rejected_revision: null },
    ],
    early: [],
    journal: [{ event: 'rejection-noted' }, { event: 'started-early' }, { event: 'closed' }],
  };

  it.each(POINTS.flatMap((point) => Array.from({ length: KILLS_EACH }, () => point)))(
    'goes on from %s',
    async (point) => {
      await arrivals.image('1.1');
      await arrivals.image('1.2');
      await arrivals.note('9.1', ['1.2']);
      const startMs = arrivals.clock.nowMs();
      const path = arrivals.databaseFile;
      const times = [startMs + 2_000, startMs + 30_000].map(String);
      const killedIn = point.endsWith('close') ? 1 : 0;
      for (const [life, atMs] of times.entries()) {
        if (life === killedIn) await killedAt(point, LIFE, [path, atMs]);
        await livedOn(LIFE, [path, atMs]);
      }
      expect(tables()).toMatchObject(EXPECTED);
    },
    DRILL_MS,
  );
});
