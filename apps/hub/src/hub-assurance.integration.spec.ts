/**
 * Goal: damage ends the jobs that need the object; invariants speak when broken; a result whose
 * reading ends the process is given up; a stale lease writes nothing.
 * Method: the embedded PostgreSQL, real files, a clock moved by hand.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  advanceClaim,
  claimJob,
  concludeJob,
  notAnalysed,
  readStudyJob,
  releaseClaim,
  renewClaim,
  type Sql,
} from '@aifi/hub-database';
import { putBytes } from '@aifi/hub-object-store';
import { createResultsStage } from '@aifi/hub-results';
import { systemClock, Wake, type Sha256, type SiteId } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { DurableHub, shaOf, siteA, siteB } from '../test/durable-hub.js';
import type { TestStudy } from '../test/gateway-stand-in.js';
import { HubAssurance } from './hub-assurance.js';

const DAY_MS = 86_400_000;
const NEVER = new AbortController().signal;
const hub = new DurableHub();
beforeAll(() => hub.open(), 180_000);
afterAll(() => hub.close(), 60_000);
beforeEach(() => hub.resetClock());

describe(HubAssurance.name, () => {
  const assurance = (told: string[] = []) => {
    const logger = { ...silentLogger, error: (words: string) => void told.push(words) };
    const config = { startHourUtc: 2, megabytesPerSecond: 10_000 };
    const { database, store, signingKey, clock } = hub;
    return new HubAssurance({ database, store, config, signingKey, logger, clock });
  };
  const stateOf = (study: TestStudy) =>
    hub.inSite((sql) =>
      sql.row<{ state: string; code: string | null }>(
        'SELECT state, code FROM study_job WHERE job_id = $1',
        study.manifest.jobId,
      ),
    );

  it('ends the job whose pixels changed on disk, once, and leaves whole ones alone', async () => {
    const [whole, damaged] = [
      await hub.aJob({ state: 'STORED' }),
      await hub.aJob({ state: 'STORED' }),
    ];
    writeFileSync(hub.store.path(siteA, shaOf(damaged)), 'other bytes');
    const told: string[] = [];
    const one = assurance(told);
    hub.clock.advance(DAY_MS);
    await one.checkDigests(NEVER);
    expect(await stateOf(damaged)).toEqual({ state: 'CONCLUDED', code: 'MALFORMED' });
    expect(await stateOf(whole)).toEqual({ state: 'STORED', code: null });
    expect(await hub.hasRow(shaOf(damaged))).toBe(false);
    expect(told).toEqual(['an object changed on disk']);
    hub.clock.advance(DAY_MS);
    await one.checkDigests(NEVER);
    expect(one.state().damaged).toBe(1);
    await hub.setState(whole, 'CONCLUDED');
  });
  it('has an open upload send damaged pixels again', async () => {
    const study = await hub.aJob({ state: 'OPEN' });
    rmSync(hub.store.path(siteA, shaOf(study)));
    hub.clock.advance(3 * DAY_MS);
    await assurance().checkDigests(NEVER);
    expect(await stateOf(study)).toMatchObject({ state: 'OPEN' });
    expect([await hub.hasRow(shaOf(study)), await hub.hasRow(shaOf(study, 1))]).toEqual([
      false,
      true,
    ]);
  });
  it('goes on after a restart behind what it has read', async () => {
    const study = await hub.aJob({ state: 'OPEN' });
    hub.clock.advance(5 * DAY_MS);
    const read: string[] = [];
    const spying = {
      path: (site: SiteId, sha256: Sha256) => {
        read.push(sha256);
        return hub.store.path(site, sha256);
      },
    };
    const last = [...study.manifest.objects]
      .map(({ sha256 }) => sha256)
      .sort()
      .at(-1)!;
    await assurance().checkDigests(NEVER);
    await hub.inSite((sql) =>
      sql.run('UPDATE digest_pass SET finished_at = NULL, position = $1', last),
    );
    const config = { startHourUtc: 2, megabytesPerSecond: 10_000 };
    const { database, signingKey, clock } = hub;
    const dependencies = { database, config, signingKey, clock, logger: silentLogger };
    const again = new HubAssurance({ ...dependencies, store: spying });
    await again.checkDigests(NEVER);
    expect(read.filter((sha256) => sha256 <= last)).toEqual([]);
  });

  it('is silent over jobs as they should be and speaks of one that ended without an outcome', async () => {
    // Jobs of the tests above were moved by hand, without outcomes: a site of its own is clean.
    const study = await hub.aJob({ state: 'STORED', siteId: siteB });
    const conclude = async (sql: Sql) => {
      const job = (await readStudyJob(sql, study.manifest.jobId))!;
      const manifest = notAnalysed(job, { code: 'TIMEOUT' }, hub.clock.nowMs());
      await concludeJob(sql, { siteId: siteB, manifest, signingKey: hub.signingKey });
    };
    await hub.inSite((sql) => sql.run('DELETE FROM study_object'), siteB);
    await hub.inSite((sql) => sql.run(`UPDATE study_job SET state = 'OPEN'`), siteB);
    await hub.inSite((sql) => sql.run(`UPDATE study_job SET state = 'OPEN', concluded_at = NULL`));
    await hub.inSite((sql) => sql.run(`UPDATE outcome SET acked_at = now()`));
    const before = assurance();
    await before.checkInvariants();
    const base = before.state().violations;
    await hub.inSite((sql) => sql.run(`UPDATE study_job SET state = 'STORED'`), siteB);
    await before.checkInvariants();
    expect(before.state().violations['pixels-without-row']).toBeGreaterThan(
      base['pixels-without-row'],
    );
    await hub.inSite(conclude, siteB);
    await before.checkInvariants();
    expect(before.state().violations['end-never-told']).toBe(base['end-never-told']);
    await hub.inSite((sql) => sql.run('DELETE FROM object_removal'), siteB);
    await hub.aJob({ state: 'CONCLUDED', siteId: siteB });
    const told: string[] = [];
    const after = assurance(told);
    await after.checkInvariants();
    const { violations } = after.state();
    expect(violations['ended-without-outcome']).toBe(base['ended-without-outcome'] + 1);
    expect(violations['end-never-told']).toBe(base['end-never-told'] + 1);
    expect(told).toContain('an invariant is broken');
  });
});

describe('a result whose reading ends the process', () => {
  it('is given up at the fourth claim, without being read', async () => {
    const study = await hub.aJob({ state: 'INFERRED' });
    const { jobId } = study.manifest;
    const { sha256 } = await putBytes(hub.store, siteA, Buffer.from(`output ${jobId}`));
    await hub.inSite(async (sql) => {
      await sql.run(
        `INSERT INTO inference_job (site_id, job_id, lane, state, lease_epoch)
         VALUES ($1, $2, 'acute', 'INFERRED', 1)`,
        ...[siteA, jobId],
      );
      await sql.run(
        `INSERT INTO inference_record VALUES ($1, $2, 1, 'd', 'i', 1, $3, 1, 1, now(), now())`,
        ...[siteA, jobId, sha256],
      );
    });
    // Three processes that died with it in hand; each claim was committed before anything was read.
    for (let death = 0; death < 3; death += 1) await claimJob(hub.database, 'INFERRED', 0);
    const stopping = new AbortController();
    const faults: unknown[] = [];
    const logger = {
      ...silentLogger,
      fault: (_: string, error: unknown) => void faults.push(error),
    };
    const { database, store, signingKey } = hub;
    const stage = createResultsStage({
      ...{ database, store, logger, wake: new Wake(), config: { language: 'en-GB' } },
      ...{ clock: systemClock, signingKey, platformVersion: '0', findModel: () => undefined },
      onConcluded: () => stopping.abort(),
    });
    await stage.run(stopping.signal);
    expect(faults).toMatchObject([{ code: 'POISON_INPUT' }]);
    const row = await hub.inSite((sql) =>
      sql.row('SELECT state, code FROM study_job WHERE job_id = $1', jobId),
    );
    expect(row).toEqual({ state: 'CONCLUDED', code: 'OUTPUT_INVALID' });
  });
});

describe('a lease that was taken over', () => {
  it('loses at each write, and the transaction with it', async () => {
    const study = await hub.aJob({ state: 'QUEUED' });
    const { jobId } = study.manifest;
    await hub.inSite((sql) =>
      sql.run(
        `INSERT INTO inference_job (site_id, job_id, lane, state)
         VALUES ($1, $2, 'routine', 'QUEUED')`,
        ...[siteA, jobId],
      ),
    );
    const stale = (await claimJob(hub.database, 'QUEUED', 0))!;
    const holder = (await claimJob(hub.database, 'QUEUED'))!;
    expect([stale.jobId, holder.leaseEpoch]).toEqual([holder.jobId, stale.leaseEpoch + 1]);
    const row = () =>
      hub.inSite((sql) =>
        sql.row(
          'SELECT state, lease_epoch, attempts, lease_until FROM inference_job WHERE job_id = $1',
          jobId,
        ),
      );
    const before = await row();
    expect(await renewClaim(hub.database, stale)).toBe(false);
    await releaseClaim(hub.database, stale, { failed: true, delayMs: 1_000 });
    const conflict = { code: 'STATE_CONFLICT' };
    const record = (sql: Sql) =>
      sql.run(
        `INSERT INTO inference_record VALUES ($1, $2, 1, 'd', 'i', $3, 'o', 1, 1, now(), now())`,
        ...[siteA, jobId, stale.leaseEpoch],
      );
    for (const to of ['INFERRED', 'DONE'] as const) {
      const write = hub.inSite(async (sql) => {
        await record(sql);
        await advanceClaim(sql, stale, 'QUEUED', to);
      });
      await expect(write).rejects.toMatchObject(conflict);
    }
    expect(await row()).toEqual(before);
    const none = await hub.inSite((sql) =>
      sql.rows('SELECT 1 FROM inference_record WHERE job_id = $1', jobId),
    );
    expect(none).toEqual([]);
    await hub.inSite((sql) => advanceClaim(sql, holder, 'QUEUED', 'INFERRED'));
    // The next stage has tokens of its own: the old holder is stale there as well.
    const next = (await claimJob(hub.database, 'INFERRED'))!;
    const late = hub.inSite((sql) => advanceClaim(sql, holder, 'INFERRED', 'DONE'));
    await expect(late).rejects.toMatchObject(conflict);
    await hub.inSite((sql) => advanceClaim(sql, next, 'INFERRED', 'DONE'));
  });
});
