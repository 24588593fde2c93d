/**
 * Goal: objects leave the hub when their time is over and never before, whatever dies in between.
 * Method: the embedded PostgreSQL, real files, a clock moved by hand; what a crash leaves at each
 * point is laid out by hand.
 */
import { existsSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  advanceCursor,
  isDigestOwed,
  lockRemoval,
  nextDigests,
  openOutcomes,
} from '@aifi/hub-database';
import { putBytes } from '@aifi/hub-object-store';
import { sha256Hex, type Sha256 } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { DurableHub, shaOf, siteA, siteB } from '../test/durable-hub.js';
import type { TestStudy } from '../test/gateway-stand-in.js';
import { HubRetention } from './hub-retention.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const hub = new DurableHub();
beforeAll(() => hub.open(), 180_000);
afterAll(() => hub.close(), 60_000);

let sut: HubRetention;
beforeEach(() => {
  hub.resetClock();
  const { database, store, clock } = hub;
  const config = { pixelHours: 24, resultDays: 30, abandonedDays: 7 };
  sut = new HubRetention({ database, store, config, clock, logger: silentLogger });
});
/** Both steps, which are an hour apart. */
async function retain(): Promise<void> {
  await sut.runOnce();
  hub.clock.advance(HOUR_MS);
  await sut.runOnce();
}

describe('retention of pixels', () => {
  it('removes them a day after the end of their job, row and file', async () => {
    const study = await hub.aJob({ state: 'CONCLUDED' });
    hub.clock.advance(DAY_MS - 2 * HOUR_MS);
    await retain();
    expect([hub.isThere(shaOf(study)), await hub.hasRow(shaOf(study))]).toEqual([true, true]);
    hub.clock.advance(HOUR_MS);
    await retain();
    expect([hub.isThere(shaOf(study)), await hub.hasRow(shaOf(study))]).toEqual([false, false]);
    expect(existsSync(`${hub.store.path(siteA, shaOf(study))}.removed`)).toBe(false);
  });
  it.each(['OPEN', 'STORED', 'QUEUED', 'INFERRED'])(
    'keeps those of a job that is %s',
    async (state) => {
      const study = await hub.aJob({ state });
      hub.clock.advance(2 * DAY_MS);
      await retain();
      expect([hub.isThere(shaOf(study)), await hub.hasRow(shaOf(study))]).toEqual([true, true]);
      await hub.setState(study, 'CONCLUDED');
    },
  );
  it('keeps what another open job lists, and takes it when that has ended too', async () => {
    const first = await hub.aJob({ state: 'CONCLUDED' });
    const second = hub.study({ objects: first.manifest.objects });
    await hub.aJob({ state: 'QUEUED', study: { ...second, files: first.files } });
    hub.clock.advance(2 * DAY_MS);
    await retain();
    expect(hub.isThere(shaOf(first))).toBe(true);
    await hub.setState(second, 'CONCLUDED');
    hub.clock.advance(2 * DAY_MS);
    await retain();
    expect(hub.isThere(shaOf(first))).toBe(false);
  });
  it('keeps the study of an evaluation set', async () => {
    const study = await hub.aJob({ state: 'CONCLUDED' });
    const { studyInstanceUid } = study.manifest;
    await hub.inSite((sql) =>
      sql.run(
        `INSERT INTO evaluation_study VALUES ($1, $2, 'agreed-1', now())`,
        ...[siteA, studyInstanceUid],
      ),
    );
    hub.clock.advance(100 * DAY_MS);
    await retain();
    expect([hub.isThere(shaOf(study)), await hub.hasRow(shaOf(study))]).toEqual([true, true]);
  });
  it('gives up an upload that was begun a week ago and never ended', async () => {
    const study = await hub.aJob({ state: 'OPEN' });
    hub.clock.advance(8 * DAY_MS);
    await retain();
    expect(hub.isThere(shaOf(study))).toBe(false);
  });
  it('takes the objects of the site that is at its end, not those of another with the same bytes', async () => {
    const study = await hub.aJob({ state: 'CONCLUDED' });
    await hub.aJob({ state: 'QUEUED', siteId: siteB, study });
    hub.clock.advance(2 * DAY_MS);
    await retain();
    expect([hub.isThere(shaOf(study)), hub.isThere(shaOf(study), siteB)]).toEqual([false, true]);
  });
});

describe('a crash of retention', () => {
  async function marked(): Promise<{ study: TestStudy; path: string; sha256: Sha256 }> {
    const study = await hub.aJob({ state: 'CONCLUDED' });
    hub.clock.advance(2 * DAY_MS);
    await sut.runOnce();
    const sha256 = shaOf(study);
    expect([hub.isThere(sha256), await hub.hasRow(sha256)]).toEqual([true, false]);
    return { study, sha256, path: hub.store.path(siteA, sha256) };
  }
  const open = () =>
    hub.inSite((sql) => sql.rows<{ sha256: string }>('SELECT sha256 FROM object_removal'));

  it.each([
    ['before the file was touched', () => undefined],
    ['after it was set aside', (path: string) => renameSync(path, `${path}.removed`)],
    ['after it was gone', (path: string) => rmSync(path)],
  ])('%s is healed at the next look', async (_, crash) => {
    const { path } = await marked();
    crash(path);
    hub.clock.advance(HOUR_MS);
    await sut.runOnce();
    expect([existsSync(path), existsSync(`${path}.removed`)]).toEqual([false, false]);
    expect(await open()).toEqual([]);
  });

  it('loses nothing that was sent again meanwhile', async () => {
    const { study, sha256, path } = await marked();
    renameSync(path, `${path}.removed`);
    const again = hub.study({ objects: study.manifest.objects });
    await hub.aJob({ state: 'STORED', study: { ...again, files: study.files } });
    hub.clock.advance(HOUR_MS);
    await sut.runOnce();
    expect([hub.isThere(sha256), await hub.hasRow(sha256)]).toEqual([true, true]);
    expect(existsSync(`${path}.removed`)).toBe(false);
    expect(await open()).toEqual([]);
    await hub.setState(again, 'CONCLUDED');
  });
  it('puts file and row back for a job that was told the hub has them', async () => {
    const { study, sha256, path } = await marked();
    renameSync(path, `${path}.removed`);
    // The answer of the hub was made before the row went: nothing is sent again.
    const again = hub.study({ objects: study.manifest.objects });
    await hub.aJob({ state: 'STORED', study: { ...again, files: [] } });
    await hub.inSite((sql) => sql.run('DELETE FROM study_object WHERE sha256 = $1', sha256));
    hub.clock.advance(HOUR_MS);
    await sut.runOnce();
    expect([hub.isThere(sha256), await hub.hasRow(sha256)]).toEqual([true, true]);
    await hub.setState(again, 'CONCLUDED');
  });
  it('of an upload leaves a file without a row, which goes when it is old', async () => {
    const hour = Math.floor(hub.clock.nowMs() / HOUR_MS) % 256;
    const name = hour.toString(16).padStart(2, '0') + 'e'.repeat(62);
    const path = hub.store.path(siteA, name as Sha256);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, 'x');
    await retain();
    expect(existsSync(path)).toBe(true);
    const old = new Date(hub.clock.nowMs() - 3 * DAY_MS);
    utimesSync(path, old, old);
    hub.clock.advance(255 * HOUR_MS);
    await retain();
    expect(existsSync(path)).toBe(false);
  });
});

describe('retention of many', () => {
  it('removes all that are due at one look, and ends although another has some in hand', async () => {
    const held = await hub.aJob({ state: 'CONCLUDED' });
    hub.clock.advance(2 * DAY_MS);
    await sut.runOnce();
    const many = Array.from({ length: 450 }, (_, n) => sha256Hex(`removal ${n}`));
    const put = many.slice(0, 3).map((sha256) => hub.store.path(siteA, sha256));
    for (const path of put) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, 'x');
    }
    await hub.inSite((sql) =>
      sql.run(
        `INSERT INTO object_removal (site_id, sha256, size_bytes, marked_at)
         SELECT $1, unnest($2::text[]), 1, $3`,
        ...[siteA, many, hub.now()],
      ),
    );
    hub.clock.advance(HOUR_MS);
    const left = () =>
      hub.inSite((sql) => sql.rows<{ sha256: string }>('SELECT sha256 FROM object_removal'));
    await hub.inSite(async (sql) => {
      await lockRemoval(sql, shaOf(held));
      await sut.runOnce();
      expect(await left()).toEqual([{ sha256: shaOf(held) }]);
    });
    expect(put.filter((path) => existsSync(path))).toEqual([]);
    await sut.runOnce();
    expect(await left()).toEqual([]);
  });
});

describe('retention of results', () => {
  let sequence = 900;
  /** The result of a concluded job, as the hub keeps it. */
  async function aResult(jobId: string): Promise<Sha256> {
    const { sha256 } = await putBytes(hub.store, siteA, Buffer.from(`result ${jobId}`));
    sequence += 1;
    await hub.inSite(async (sql) => {
      await sql.run(
        `INSERT INTO outcome (site_id, job_id, revision, issue, sequence, manifest, signature)
         VALUES ($1, $2, 1, 0, $3, '\\x00', '\\x00')`,
        ...[siteA, jobId, sequence],
      );
      await sql.run(
        `INSERT INTO outcome_object (site_id, job_id, issue, output_index, sha256, size_bytes)
         VALUES ($1, $2, 0, 0, $3, 1)`,
        ...[siteA, jobId, sha256],
      );
    });
    return sha256;
  }
  const inSite = (statement: string, ...values: (string | Date)[]) =>
    hub.inSite((sql) => sql.run(statement, ...values));

  it('takes those that newer ones have overtaken, after the same time', async () => {
    const { jobId } = (await hub.aJob({ state: 'CONCLUDED' })).manifest;
    const sha256 = await aResult(jobId);
    const output = (await putBytes(hub.store, siteA, Buffer.from(`output ${jobId}`))).sha256;
    await inSite(
      `INSERT INTO inference_job (site_id, job_id, lane, state)
       VALUES ($1, $2, 'routine', 'DONE')`,
      ...[siteA, jobId],
    );
    await inSite(
      `INSERT INTO inference_record (site_id, job_id, revision, model_digest, input_digest,
         lease_epoch, output_sha256, output_size_bytes, header_size_bytes, started_at, finished_at)
       VALUES ($1, $2, 1, 'd', 'd', 1, $3, 1, 1, $4, $4)`,
      ...[siteA, jobId, output, hub.now()],
    );
    const owed = () => hub.inSite((sql) => isDigestOwed(sql, sha256));
    expect(await owed()).toBe(true);
    await inSite('UPDATE outcome SET superseded_at = $2 WHERE job_id = $1', jobId, hub.now());
    expect(await owed()).toBe(false);
    expect(await hub.inSite((sql) => nextDigests(sql, ''))).not.toContainEqual({
      ...{ sha256, kind: 'result' },
    });
    hub.clock.advance(29 * DAY_MS);
    await retain();
    expect([hub.isThere(sha256), hub.isThere(output)]).toEqual([true, true]);
    hub.clock.advance(2 * DAY_MS);
    await retain();
    expect([hub.isThere(sha256), hub.isThere(output)]).toEqual([false, false]);
  });

  it('keeps one that a restored gateway is owed again, and owes none that has gone', async () => {
    const [kept, gone] = [
      (await hub.aJob({ state: 'ACKNOWLEDGED' })).manifest.jobId,
      (await hub.aJob({ state: 'ACKNOWLEDGED' })).manifest.jobId,
    ];
    const [ofKept, ofGone] = [await aResult(kept), await aResult(gone)];
    await inSite(
      `UPDATE outcome SET acked_at = $3 WHERE job_id IN ($1, $2)`,
      ...[kept, gone, hub.now()],
    );
    await inSite('UPDATE outcome SET acked_at = $2 WHERE job_id = $1', gone, new Date(0));
    await retain();
    expect([hub.isThere(ofKept), hub.isThere(ofGone)]).toEqual([true, false]);
    const opening = { gateway: 1, isExact: true, atMs: hub.clock.nowMs() };
    await hub.inSite(async (sql) => {
      await openOutcomes(sql, { ...opening, afterSequence: 0 });
      await advanceCursor(sql, 1, sequence);
      await openOutcomes(sql, { ...opening, afterSequence: 0 });
    });
    const owed = await hub.inSite((sql) =>
      sql.rows<{ job_id: string }>(
        'SELECT job_id FROM outcome WHERE acked_at IS NULL AND job_id IN ($1, $2)',
        ...[kept, gone],
      ),
    );
    expect(owed).toEqual([{ job_id: kept }]);
    hub.clock.advance(40 * DAY_MS);
    await retain();
    expect(hub.isThere(ofKept)).toBe(true);
  });

  it('keeps them until they were acknowledged and thirty days more', async () => {
    const { jobId } = (await hub.aJob({ state: 'CONCLUDED' })).manifest;
    const sha256 = await aResult(jobId);
    hub.clock.advance(90 * DAY_MS);
    await retain();
    expect(hub.isThere(sha256)).toBe(true);
    await hub.inSite((sql) =>
      sql.run('UPDATE outcome SET acked_at = $2 WHERE job_id = $1', jobId, hub.now()),
    );
    hub.clock.advance(29 * DAY_MS);
    await retain();
    expect(hub.isThere(sha256)).toBe(true);
    hub.clock.advance(2 * DAY_MS);
    await retain();
    expect(hub.isThere(sha256)).toBe(false);
  });
});
