/**
 * Goal: what people, the list of missed studies and rules ask for is fetched by one worker; an
 * accession number is asked of the PACS and kept nowhere.
 * Method: a fake PACS, the schema in memory, a clock moved by hand.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { GATEWAY_MIGRATIONS, MemoryDatabase, type GatewayDatabase } from '@aifi/gateway-database';
import { silentLogger } from '@aifi/shared-observability';
import { FakeClock } from '@aifi/shared-testing';
import { FakeArchive } from '../test/fake-archive.js';
import { AssociationPermits } from './association-permits.js';
import { retrieveConfigSchema } from './retrieve.config.js';
import { createRetrieving, type Retrieving } from './retrieve-stage.js';

const memory = new MemoryDatabase(GATEWAY_MIGRATIONS);

describe(createRetrieving.name, () => {
  let database: GatewayDatabase;
  let clock: FakeClock;
  let pacs: FakeArchive;
  let ends: number;
  let stop: AbortController;
  let running: Promise<void>;
  beforeEach(() => {
    database = memory.start();
    clock = new FakeClock(Date.UTC(2026, 10, 22, 12));
    pacs = new FakeArchive(database);
    ends = 0;
  });
  afterEach(async () => {
    stop.abort();
    clock.advance(0);
    await running;
    memory.clear();
  });

  function start(settings: object): Retrieving {
    const sut = createRetrieving({
      ...{ database, archive: pacs, clock, logger: silentLogger, zone: () => 0, random: () => 0 },
      ...{ config: retrieveConfigSchema.parse(settings), permits: new AssociationPermits(2) },
      ...{ isPacsUp: () => true, onEnd: () => void (ends += 1) },
    });
    stop = new AbortController();
    running = sut.stage.run(stop.signal);
    return sut;
  }
  /** Lets what is due happen. */
  async function live(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
      clock.advance(1_000);
    }
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
  }
  const miss = (studyUid: string): Promise<unknown> =>
    database.write((sql) =>
      sql.run(
        `INSERT INTO missed_study (study_uid, kind, state, series, modalities, products, study_ms,
           found_ms) VALUES (?, 'MISSED', 'OPEN', '{}', '[]', '[]', 1, ?)`,
        ...[studyUid, clock.nowMs()],
      ),
    );
  const states = (sut: Retrieving): unknown[] =>
    sut.store.list({ limit: 9 }).map((row) => [row.study_uid, row.cause, row.state]);

  it('fetches what is queued at once, without waiting for the next look', async () => {
    pacs.has('1', { '1.1': 2 });
    const sut = start({});
    await live(1);
    await sut.queue([{ studyUid: '1', cause: 'by-hand' }]);
    await live(0);
    expect([states(sut), ends]).toEqual([[['1', 'by-hand', 'DONE']], 1]);
  });

  it('fetches what was missed where the configuration says so, and else nothing', async () => {
    pacs.has('1', { '1.1': 1 });
    await miss('1');
    const byHand = start({});
    await live(70);
    expect(states(byHand)).toEqual([]);
    stop.abort();
    clock.advance(0);
    await running;
    const automatic = start({ missedStudies: 'automatic' });
    await live(70);
    expect(states(automatic)).toEqual([['1', 'missed', 'DONE']]);
  });

  it('fetches what a rule finds', async () => {
    pacs.has('1', { '1.1': 1 });
    const study = { date: '20261122', time: '110000', description: '', modalities: ['CT'] };
    pacs.found = [{ studyInstanceUid: '1', ...study }];
    const sut = start({ rules: [{ name: 'r', modality: 'CT' }] });
    await live(5);
    expect(states(sut)).toEqual([['1', 'rule', 'DONE']]);
  });

  it('knows the studies of an accession number, and forgets the number', async () => {
    const study = { date: '', time: '', description: '', modalities: [] };
    pacs.found = ['1', '2', '1'].map((studyInstanceUid) => ({ studyInstanceUid, ...study }));
    const sut = start({});
    expect(await sut.studiesOf(' ACC-1 ')).toEqual(['1', '2']);
    expect(pacs.searches).toEqual([{ accessionNumber: 'ACC-1' }]);
    await expect(sut.studiesOf('*')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(states(sut)).toEqual([]);
  });
});
