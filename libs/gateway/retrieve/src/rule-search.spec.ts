/**
 * Goal: a rule fetches what it names and never came, and neither an archive nor anything twice.
 * Method: a fake PACS, the schema in memory, a clock moved by hand in a zone of its own.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { GATEWAY_MIGRATIONS, MemoryDatabase, type GatewayDatabase } from '@aifi/gateway-database';
import { AifiError } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { FakeClock } from '@aifi/shared-testing';
import { FakeArchive } from '../test/fake-archive.js';
import { AssociationPermits } from './association-permits.js';
import { Pace } from './pace.js';
import { RetrievalStore } from './retrieval.store.js';
import { RetrieveService } from './retrieve-service.js';
import { retrieveConfigSchema, type RetrieveRule } from './retrieve.config.js';
import { matches, RuleSearch } from './rule-search.js';

const NOON_MS = Date.UTC(2026, 10, 22, 12);
const memory = new MemoryDatabase(GATEWAY_MIGRATIONS);
const ruleOf = (more: object = {}): RetrieveRule =>
  retrieveConfigSchema.parse({ rules: [{ name: 'r', modality: 'CT', ...more }] }).rules[0]!;
const studyOf = (studyInstanceUid: string, time: string, more: object = {}) => ({
  ...{ studyInstanceUid, date: '20261122', time, description: 'CT THORAX', modalities: ['CT'] },
  ...more,
});

describe('RuleSearch', () => {
  let database: GatewayDatabase;
  let clock: FakeClock;
  let pacs: FakeArchive;
  let store: RetrievalStore;
  const signal = new AbortController().signal;
  beforeEach(() => {
    database = memory.start();
    clock = new FakeClock(NOON_MS);
    pacs = new FakeArchive(database);
    store = new RetrievalStore(database, 1_000);
  });
  afterEach(() => memory.clear());

  function sutOf(rule: RetrieveRule): RuleSearch {
    const pace = new Pace(clock, { perMinute: 600, burst: 100 });
    const service = new RetrieveService({
      ...{ store, archive: pacs, clock, logger: silentLogger, pace, isPacsUp: () => true },
      config: { attemptsMax: 3, giveUpHours: 24, instancesMax: 100 },
      permits: new AssociationPermits(2),
    });
    return new RuleSearch({
      ...{ rules: [rule], archive: pacs, service, store, pace, clock, logger: silentLogger },
      // An hour before UTC, as in Amsterdam in winter.
      ...{ zone: () => 60, onQueued: () => undefined, random: () => 0 },
    });
  }
  const queued = (): string[] =>
    store
      .list({ limit: 200 })
      .map((row) => row.study_uid)
      .sort();

  it('asks day by day of the look-back, for the modality of the rule', async () => {
    await sutOf(ruleOf({ lookBackHours: 24 })).run(ruleOf({ lookBackHours: 24 }), signal);
    expect(pacs.searches).toEqual([
      { date: '20261121', modality: 'CT' },
      { date: '20261122', modality: 'CT' },
    ]);
  });

  it('takes what is in its time, of its modality and description, and never came', async () => {
    await pacs.receive('5', ['1.1.0']);
    await store.queue([{ studyUid: '6', cause: 'by-hand' }], 1);
    await store.end(1, 'NOT_IN_PACS', { atMs: 2 });
    pacs.found = [
      studyOf('1', '110000'),
      studyOf('2', '125500', { description: 'too young' }),
      studyOf('3', '003000', { description: 'too old for twelve hours' }),
      studyOf('4', '110000', { modalities: ['MR'] }),
      studyOf('5', '110000'),
      studyOf('6', '110000'),
      studyOf('7', '110000', { description: 'CT ABDOMEN' }),
      studyOf('8', '110000', { date: '' }),
      studyOf('9', '110000', { modalities: [] }),
    ];
    const rule = ruleOf({ description: 'ct*thorax', settleMinutes: 30, product: 'lung' });
    expect(await sutOf(rule).run(rule, signal)).toBe(1);
    expect(store.list({ limit: 1 })[0]).toMatchObject({
      ...{ study_uid: '1', cause: 'rule', product: 'lung' },
    });
    const request = database.read((sql) => sql.get('SELECT * FROM product_request'));
    expect(request).toMatchObject({ study_uid: '1', product: 'lung', source: 'rule' });
    expect(await sutOf(rule).run(rule, signal)).toBe(0);
  });

  it('takes a station only where the PACS names it', async () => {
    pacs.found = [studyOf('1', '110000')];
    const rule = ruleOf({ station: 'CT-SEH*' });
    expect(await sutOf(rule).run(rule, signal)).toBe(0);
    pacs.stations = ['CT-SEH-2'];
    expect(await sutOf(rule).run(rule, signal)).toBe(1);
  });

  it('queues no more at once than a bound, and the rest the next time', async () => {
    pacs.found = Array.from({ length: 150 }, (_, at) => studyOf(`2.25.${at}`, '110000'));
    const rule = ruleOf();
    const sut = sutOf(rule);
    expect(await sut.run(rule, signal)).toBe(100);
    expect(await sut.run(rule, signal)).toBe(50);
    expect(queued()).toHaveLength(150);
  });

  it('runs at its times, and a PACS that is away costs one question', async () => {
    const sut = sutOf(ruleOf({ everyMinutes: 30 }));
    pacs.fault = new AifiError('PEER_UNAVAILABLE', 'away');
    await sut.runOnce(signal);
    await sut.runOnce(signal);
    expect(pacs.searches).toHaveLength(1);
    pacs.fault = undefined;
    pacs.found = [studyOf('1', '110000')];
    clock.advance(30 * 60_000);
    expect(await sut.runOnce(signal)).toBe(1);
    expect(queued()).toEqual(['1']);
  });

  it('looks back no further than studies are taken by default', () => {
    expect(() => ruleOf({ lookBackHours: 25 })).toThrow();
  });
});

describe('matches', () => {
  it.each([
    ['CT*', 'ct thorax', true],
    ['*thorax', 'CT Thorax', true],
    ['ct ?horax', 'CT thorax', true],
    ['ct', 'ct thorax', false],
    ['*a*b*c', 'xaxbxc', true],
    ['*a*b*c', 'xaxcxb', false],
    ['*', '', true],
    ['?', '', false],
    ['[a-z]*', 'ct', false],
  ])('%s on %s: %s', (pattern, text, is) => expect(matches(pattern, text)).toBe(is));

  it('ends soon whatever the text', () => {
    expect(matches(`${'*a'.repeat(31)}b`, 'a'.repeat(100_000))).toBe(false);
  });
});
