/**
 * Goal: a gateway that dies as it holds a result because of a stop, or takes it up again, sends
 * nothing while the gate is shut, and each result once when it is open.
 * Method: a life works on the rows that a life before it left, in a real SQLite file, until it dies
 * by kill -9 at a named point. Its PACS keeps what it takes in a file, with how the gate was then.
 * The stop comes when the PACS has the first of the two objects of the first job.
 */
import { existsSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { KillState } from '@aifi/contracts-manifests';
import { killedAt, KILLS_EACH, livedOn } from '@aifi/shared-testing';
import { MATCH } from './fake-pacs.js';
import { instanceOf, jobIdOf, TestDeliveries } from './test-deliveries.js';

const LIFE = `
const { appendFileSync, existsSync, readFileSync } = await import('node:fs');
const { createHash } = await import('node:crypto');
const { chunksOf } = await import('@aifi/dicom-dimse');
const { GATEWAY_MIGRATIONS, GatewayDatabase } = await import('@aifi/gateway-database');
const { DeliverService } = await import('@aifi/gateway-deliver');
const { systemClock } = await import('@aifi/shared-kernel');
const { silentLogger } = await import('@aifi/shared-observability');
const { databaseFile, takenFile, match, stop, state } = JSON.parse(process.argv[1]);
const taken = () => existsSync(takenFile)
  ? readFileSync(takenFile, 'utf8').trim().split('\\n').map((line) => JSON.parse(line)) : [];
const isShut = () => stop && taken().length > 0;
const pacs = {
  echo: async () => undefined,
  findStudy: async (studyInstanceUid) => [{ ...match, studyInstanceUid }],
  findInstance: async (study, series, instance) => taken().some((one) => one.instance === instance),
  store: async ({ sopInstanceUid: instance, dataset }) => {
    const gate = isShut() ? 'shut' : 'open';
    const hash = createHash('sha256');
    for await (const chunk of chunksOf(dataset)) hash.update(chunk);
    appendFileSync(takenFile, JSON.stringify({ instance, gate }) + '\\n');
    return 0;
  },
};
const database = GatewayDatabase.open(databaseFile, GATEWAY_MIGRATIONS);
const sut = new DeliverService({
  database, pacs, clock: systemClock, logger: silentLogger, onDone: () => undefined,
  settings: { associationsMax: 2, rate: { perSecond: 100, burst: 100 } },
  knowKill: () => ({ ageMs: 0, contactMs: systemClock.nowMs(),
    state: { ...state, stopped: isShut() ? [stop] : [] } }),
});
const resumed = await sut.resumeUngated();
while ((await sut.runOnce()) > 0);
database.close();
process.stdout.write(String(resumed));`;

const STOP: KillState['stopped'][number] = {
  ...{ product: 'p', version: '*', code: 'SUSPENDED', sinceMs: 1 },
};
const STATE: Omit<KillState, 'stopped'> = {
  ...{ schema: 'aifi.kill-state.v1', sequence: 1, issuedAtMs: 0, validForMs: 900_000 },
  killRelevant: [],
};
/** Jobs of the stopped product; the last job is of another one. */
const STOPPED = [0, 1, 2];
const OTHER = 3;
/** In the order in which they are due. */
const INSTANCES = [[0, 0] as const, [0, 1] as const, [1, 0] as const, [2, 0] as const].map(
  ([job, index]) => instanceOf(job, index),
);
const FIRST = INSTANCES[0]!;
const HITS = Array.from({ length: KILLS_EACH }, (_, hit) => ({ hit, passage: 1 + (hit % 3) }));

interface Taken {
  readonly instance: string;
  readonly gate: 'open' | 'shut';
}

describe('a gateway that is killed at a gate', () => {
  let test: TestDeliveries;
  let takenFile: string;
  beforeEach(async () => {
    test = new TestDeliveries();
    takenFile = `${test.databaseFile}.pacs`;
    await test.queue(0, 2);
    for (const job of [1, 2, OTHER]) await test.queue(job);
    await test.database.write((sql) =>
      sql.run("UPDATE job SET product = 'q' WHERE job_id = ?", jobIdOf(OTHER)),
    );
  });
  afterEach(() => test.close());

  const argsOf = (gate: 'shut' | 'open'): string[] => [
    JSON.stringify({
      ...{ databaseFile: test.databaseFile, takenFile, match: MATCH, state: STATE },
      stop: gate === 'shut' ? STOP : undefined,
    }),
  ];
  const killed = async (point: string, gate: 'shut' | 'open'): Promise<void> => {
    test.database.close();
    await killedAt(`gateway.kill-hold.${point}`, LIFE, argsOf(gate));
    test.restart();
  };
  /** How many jobs it has taken up. */
  const lived = async (gate: 'shut' | 'open'): Promise<number> => {
    test.database.close();
    const resumed = Number(await livedOn(LIFE, argsOf(gate)));
    test.restart();
    return resumed;
  };
  const taken = (): Taken[] =>
    existsSync(takenFile)
      ? readFileSync(takenFile, 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as Taken)
      : [];
  /** Of the stopped product, in the PACS. */
  const delivered = (): string[] =>
    taken().flatMap(({ instance }) => (instance === instanceOf(OTHER, 0) ? [] : [instance]));
  /** How often the journal has the event, job by job. */
  const told = (event: string): number[] =>
    STOPPED.map((job) =>
      test.database.read(
        (sql) =>
          sql.all('SELECT 1 FROM journal WHERE job_id = ? AND event = ?', jobIdOf(job), event)
            .length,
      ),
    );
  const left = (): unknown =>
    ['job', 'delivery', 'journal'].map((table) =>
      test.database.read((sql) => sql.all(`SELECT * FROM ${table} ORDER BY rowid`)),
    );

  function expectHeld(): void {
    for (const job of STOPPED) expect(test.job(job)).toEqual({ state: 'HELD', code: 'SUSPENDED' });
    expect(test.job(OTHER)).toEqual({ state: 'RESULT_IN_PACS', code: null });
    expect(delivered()).toEqual([FIRST]);
  }
  /** Each result once, none at a shut gate; once more, at whatever gate, changes nothing. */
  async function expectDelivered(): Promise<void> {
    expect(test.jobs()).toEqual({ RESULT_IN_PACS: 4 });
    expect(delivered().sort()).toEqual([...INSTANCES].sort());
    const shut = taken().filter(({ gate }) => gate === 'shut');
    expect(shut.every(({ instance }) => instance === instanceOf(OTHER, 0))).toBe(true);
    expect(taken()).toHaveLength(INSTANCES.length + 1);
    expect(told('delivered')).toEqual([1, 1, 1]);
    expect(told('resumed')).toEqual(told('held'));
    const before = [left(), taken()];
    for (const gate of ['shut', 'open'] as const) expect(await lived(gate)).toBe(0);
    expect([left(), taken()]).toEqual(before);
  }

  const holds = ['before-hold', 'after-hold'].flatMap((point) =>
    HITS.map((hit) => ({ point, ...hit })),
  );
  it.each(holds)(
    'holds each result once, sends it once: $point#$passage (hit $hit)',
    async ({ point, passage }) => {
      await killed(`${point}#${passage}`, 'shut');
      expect(delivered()).toEqual([FIRST]);
      const held = point === 'after-hold' ? passage : passage - 1;
      expect(told('held')).toEqual(STOPPED.map((job) => (job < held ? 1 : 0)));
      expect(await lived('shut')).toBe(0);
      expectHeld();
      expect(await lived('shut')).toBe(0);
      expectHeld();
      expect(told('held')).toEqual([1, 1, 1]);
      expect(await lived('open')).toBe(3);
      expect(told('resumed')).toEqual([1, 1, 1]);
      await expectDelivered();
    },
    120_000,
  );

  it.each(holds)(
    'sends what it had not held yet, if the stop is over: $point#$passage (hit $hit)',
    async ({ point, passage }) => {
      await killed(`${point}#${passage}`, 'shut');
      expect(delivered()).toEqual([FIRST]);
      const held = point === 'after-hold' ? passage : passage - 1;
      expect(await lived('open')).toBe(held);
      await expectDelivered();
    },
    120_000,
  );

  const resumptions = ['before-resume', 'after-resume'].flatMap((point) =>
    HITS.map((hit) => ({ point, ...hit })),
  );
  it.each(resumptions)(
    'takes each result up once, sends it once: $point#$passage (hit $hit)',
    async ({ point, passage }) => {
      await lived('shut');
      await killed(`${point}#${passage}`, 'open');
      expect(delivered()).toEqual([FIRST]);
      const resumed = point === 'after-resume' ? passage : passage - 1;
      expect(told('resumed')).toEqual(STOPPED.map((job) => (job < resumed ? 1 : 0)));
      expect(await lived('open')).toBe(3 - resumed);
      expect(told('resumed')).toEqual([1, 1, 1]);
      await expectDelivered();
    },
    120_000,
  );

  it.each(resumptions)(
    'holds again what it had taken up, at the next stop: $point#$passage (hit $hit)',
    async ({ point, passage }) => {
      await lived('shut');
      await killed(`${point}#${passage}`, 'open');
      const resumed = point === 'after-resume' ? passage : passage - 1;
      expect(await lived('shut')).toBe(0);
      expectHeld();
      expect(told('held')).toEqual(STOPPED.map((job) => (job < resumed ? 2 : 1)));
      expect(await lived('open')).toBe(3);
      await expectDelivered();
    },
    120_000,
  );
});
