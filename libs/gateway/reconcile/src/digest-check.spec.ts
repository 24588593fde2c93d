/**
 * Goal: each file that is owed is compared with its digest at a bounded rate, and one that changed
 * stops the jobs that need it. Method: real files and database, a clock moved by hand.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '@aifi/shared-testing';
import { DigestCheck } from './digest-check.js';
import { TestTables } from './test-tables.js';

const DAY_MS = 86_400_000;
const NEVER = new AbortController().signal;

describe(DigestCheck.name, () => {
  let tables: TestTables;
  let clock: FakeClock;
  beforeEach(async () => {
    tables = new TestTables();
    clock = new FakeClock();
    await tables.study(1);
  });
  afterEach(() => tables.close());
  const sut = (megabytesPerSecond = 1_000) =>
    new DigestCheck({
      ...{ database: tables.database, logger: tables.logger, clock },
      config: { startHourUtc: 1, megabytesPerSecond },
    });
  const job = () => tables.all('SELECT state, code FROM job')[0];

  async function spooled(): Promise<string> {
    const { path, sha256 } = tables.file('spool/job-1/a');
    await tables.run(`INSERT INTO spool_job (job_id, revision, manifest, manifest_sha256, envelope,
      state) VALUES ('job-1', 1, x'00', 'm', x'00', 'QUEUED')`);
    await tables.run(
      `INSERT INTO spool_object (job_id, sha256, size_bytes, path) VALUES ('job-1', ?, 1, ?)`,
      ...[sha256, path],
    );
    return path;
  }
  async function inbound(): Promise<string> {
    const { path, sha256 } = tables.file('inbound/job-1/a');
    await tables.run(`INSERT INTO inbound VALUES ('job-1', 1, 0, 1, x'00', x'00', 'RECEIVED', 1)`);
    await tables.run(`INSERT INTO inbound_object VALUES ('job-1', 1, 0, 0, ?, ?, 1)`, path, sha256);
    return path;
  }
  async function outgoing(): Promise<string> {
    const { path, sha256 } = tables.file('outgoing/job-1/a');
    await tables.run(
      `INSERT INTO delivery (job_id, issue, output_index, role, sop_class_uid, series_uid,
         sop_instance_uid, path, sha256, state) VALUES ('job-1', 0, 0, 'r', '1', '2', '3', ?, ?,
         'QUEUED')`,
      ...[path, sha256],
    );
    return path;
  }

  it('finds whole files whole, and says how many it read', async () => {
    await tables.image(1, '1.1', 1);
    await tables.job('job-1', 'SELECTED');
    await spooled();
    await sut().run(NEVER);
    expect(sut().state()).toMatchObject({ files: 2, damaged: 0, finishedMs: clock.nowMs() });
    expect(job()).toMatchObject({ state: 'SELECTED' });
    expect(tables.errors).toEqual([]);
  });

  it.each([
    ['SELECTED', 'MALFORMED', () => tables.image(1, '1.1', 1)],
    ['SPOOLED', 'MALFORMED', spooled],
    ['RETURNED', 'OUTPUT_INVALID', inbound],
    ['REIDENTIFIED', 'OUTPUT_INVALID', outgoing],
  ])('stops a %s job whose file changed, with %s, and tells once', async (state, code, make) => {
    await tables.job('job-1', state);
    const path = await make();
    writeFileSync(path, 'other bytes');
    await sut().run(NEVER);
    clock.advance(DAY_MS);
    await sut().run(NEVER);
    expect(job()).toEqual({ state: 'QUARANTINED', code });
    expect(sut().state().damaged).toBe(1);
    const changed = tables.errors.filter(([words]) => words === 'a file changed on disk');
    expect(changed).toHaveLength(1);
    expect(JSON.stringify(changed)).not.toContain(path);
  });

  it('counts a file that is gone as damaged', async () => {
    await tables.job('job-1', 'SPOOLED');
    rmSync(await spooled());
    await sut().run(NEVER);
    expect(job()).toMatchObject({ state: 'QUARANTINED' });
    expect(tables.all('SELECT state FROM spool_job')).toEqual([{ state: 'QUARANTINED' }]);
  });

  it('leaves alone what is owed to nobody', async () => {
    const path = await tables.image(1, '1.1', 1);
    await tables.job('job-1', 'SELECTED');
    await tables.run('UPDATE instance SET removed_ms = 1');
    rmSync(path);
    await sut().run(NEVER);
    expect(sut().state()).toMatchObject({ files: 0, damaged: 0 });
  });

  it('stops no job that has its own copy of a damaged image', async () => {
    await tables.job('job-1', 'UPLOADED');
    writeFileSync(await tables.image(1, '1.1', 1), 'other bytes');
    await sut().run(NEVER);
    expect(job()).toMatchObject({ state: 'UPLOADED' });
    expect(sut().state().damaged).toBe(1);
  });

  it('goes on where it was stopped, over a restart', async () => {
    for (const number of [1, 2, 3]) await tables.image(1, '1.1', number);
    const stopping = new AbortController();
    // A rate that lets one file pass: the wait after it is when the process is told to stop.
    const stopped = sut(0.000_001).run(stopping.signal);
    stopping.abort();
    await stopped;
    const before = sut().state().files;
    expect(before).toBeLessThan(3);
    expect(sut().isDue()).toBe(true);
    await sut().run(NEVER);
    expect(sut().state()).toMatchObject({ files: 3 });
  });

  it('reads no faster than it may', async () => {
    const bytes = 'x'.repeat(3_000_000);
    const { path, sha256 } = tables.file('incoming/large', bytes);
    await tables.image(1, '1.1', 1);
    await tables.run('UPDATE instance SET path = ?, sha256 = ?', path, sha256);
    const waits: number[] = [];
    clock.sleep = (delayMs) => {
      waits.push(delayMs);
      clock.advance(delayMs);
      return Promise.resolve();
    };
    const startMs = clock.monotonicMs();
    await sut(1).run(NEVER);
    expect(clock.monotonicMs() - startMs).toBe(3_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(1_049);
  });

  it('begins once a day, at its hour', async () => {
    await sut().run(NEVER);
    const hourOf = () => new Date(clock.nowMs()).getUTCHours();
    let begun = 0;
    for (let hour = 0; hour < 48; hour += 1) {
      clock.advance(3_600_000);
      if (!sut().isDue()) continue;
      begun += 1;
      expect(hourOf()).toBe(1);
      await sut().run(NEVER);
    }
    expect(begun).toBe(2);
  });
});
