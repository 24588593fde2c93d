/**
 * Goal: one run at a time, each outcome on record in its place; the other direction is read from
 * the rows of the listener; a report of a test object goes no further.
 * Method: the runner over a real database with a PACS on a closed port, and planted rows.
 */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { SetupCheck } from '@aifi/contracts-rest';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { silentLogger } from '@aifi/shared-observability';
import { FakeClock, temporaryFolder } from '@aifi/shared-testing';
import { CommitmentReports } from './commitment-reports.js';
import { SetupRunner } from './setup-runner.js';

const NOW_MS = 1_800_000_000_000;
const clock = new FakeClock(NOW_MS);
let folder: ReturnType<typeof temporaryFolder>;
let database: GatewayDatabase;
let sut: SetupRunner;
let changes = 0;
beforeEach(() => {
  folder = temporaryFolder('setup-runner');
  database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
  changes = 0;
  const onChange = (): void => void (changes += 1);
  sut = new SetupRunner({ database, clock, logger: silentLogger, onChange });
});
afterEach(async () => {
  await sut.stop();
  database.close();
  folder.remove();
});

function start(checks: readonly SetupCheck[]): void {
  sut.start({
    ...{ checks, mayStore: false, isCommitmentWanted: false, canReport: true },
    peer: { host: '127.0.0.1', port: 9, calledAeTitle: 'PACS', callingAeTitle: 'AIFI' },
    own: { ownHost: '10.0.0.1', ownPort: '11112', ownAeTitle: 'AIFI' },
  });
}
async function whenDone(): Promise<void> {
  while (sut.isRunning) await new Promise((resolve) => setImmediate(resolve));
}
async function outcomeOf(name: SetupCheck) {
  start([name]);
  await whenDone();
  return sut.store.list().find((one) => one.name === name)!;
}
const refuse = (aeTitle: string, code: string, atMs: number): Promise<unknown> =>
  database.write((sql) =>
    sql.run(
      `INSERT INTO receive_refusal (at_ms, calling_ae, what, code, dimse_status, count)
       VALUES (?, ?, 'association', ?, -1, 1)`,
      ...[atMs, aeTitle, code],
    ),
  );

describe(SetupRunner.name, () => {
  it('refuses a second run, and says when one is over', async () => {
    start(['inbound']);
    expect(sut.isRunning).toBe(true);
    expect(() => start(['inbound'])).toThrow(expect.objectContaining({ code: 'STATE_CONFLICT' }));
    await whenDone();
    expect(changes).toBeGreaterThanOrEqual(3);
    start(['inbound']);
  });
  it('lists every check in its order, also those that never ran', async () => {
    await outcomeOf('inbound');
    expect(sut.store.list().map(({ name, state }) => `${name} ${state}`)).toEqual([
      ...['echo not-run', 'store not-run', 'find not-run', 'commitment not-run'],
      'inbound waiting',
    ]);
    expect(sut.store.list()[4]).toMatchObject({ target: 'PACS@127.0.0.1:9', atMs: NOW_MS });
  });
  it('runs nothing more after a stop', async () => {
    start(['echo', 'inbound']);
    await sut.stop();
    expect(sut.isRunning).toBe(false);
    const inbound = sut.store.list().find(({ name }) => name === 'inbound');
    expect(inbound?.state).toBe('not-run');
  });
});

describe('the other direction', () => {
  it('names who was refused at the door, and why', async () => {
    await refuse('PACS_OLD', 'FORBIDDEN', NOW_MS - 60_000);
    await refuse('PACS', 'NOT_FOUND', NOW_MS - 120_000);
    const { state, findings } = await outcomeOf('inbound');
    expect(state).toBe('failed');
    expect(findings.map(({ code, facts }) => [code, facts.seenAeTitle])).toEqual([
      ['INBOUND_UNKNOWN_CALLER', 'PACS_OLD'],
      ['INBOUND_WRONG_CALLED', 'PACS'],
    ]);
  });
  it('is passed when an association of the PACS was let in, advice when others were refused', async () => {
    sut.seen('PACS');
    expect((await outcomeOf('inbound')).state).toBe('passed');
    await refuse('PACS_OLD', 'FORBIDDEN', NOW_MS);
    expect((await outcomeOf('inbound')).state).toBe('advice');
  });
  it('another caller does not count, and no more than a hundred are remembered', async () => {
    sut.seen('PACS');
    for (let caller = 0; caller < 100; caller += 1) sut.seen(`CT${caller}`);
    expect((await outcomeOf('inbound')).state).toBe('waiting');
  });
  it('does not count what is more than an hour ago', async () => {
    await refuse('PACS', 'NOT_FOUND', NOW_MS - 3_600_001);
    expect((await outcomeOf('inbound')).state).toBe('waiting');
  });
});

describe(CommitmentReports.name, () => {
  const report = { transactionUid: '2.25.1', committed: [], failed: [] };
  it('takes the report that is waited for, and no other', async () => {
    const reports = new CommitmentReports();
    expect(reports.take(report)).toBe(false);
    const expected = reports.expect('2.25.1');
    expect(reports.take({ ...report, transactionUid: '2.25.2' })).toBe(false);
    expect(reports.take(report)).toBe(true);
    expect(await expected.came).toBe(report);
    expected.end();
    expect(reports.take(report)).toBe(false);
  });
});
