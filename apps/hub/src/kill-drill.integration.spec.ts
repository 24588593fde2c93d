/**
 * Goal: a hub that is killed around a damaged object, or while it puts back one that is needed
 * again, leaves nothing half: jobs end once and are told of, bytes and rows stay together.
 * Method: the compiled stages in processes of their own over one embedded PostgreSQL and one folder
 * of objects; the next life finds both as the dead one left them, and so does the one after it.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  enrolSites,
  HubDatabase,
  removeServerFolder,
  startEmbeddedPostgres,
  type EmbeddedPostgres,
} from '@aifi/hub-database';
import type { ModelManifest } from '@aifi/contracts-manifests';
import { sha256Hex, systemClock, type Sha256 } from '@aifi/shared-kernel';
import { KILLS_EACH, killedAt, livedOn, temporaryFolder } from '@aifi/shared-testing';
import { DurableHub, shaOf, siteA } from '../test/durable-hub.js';
import { testStudy, type TestStudy } from '../test/gateway-stand-in.js';
import { makeModel } from '../test/hub-fixtures.js';

const START_MS = 180_000;
const DRILL_MS = 120_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const PASSAGES = [1, 2] as const;
const OTHER_BYTES = 'other bytes';
const LIFE = `
import { createPrivateKey } from 'node:crypto';
import { HubDatabase } from '@aifi/hub-database';
import { FolderObjectStore } from '@aifi/hub-object-store';
import { silentLogger } from '@aifi/shared-observability';
import { FakeClock } from '@aifi/shared-testing';
const [text, module, atMs] = process.argv.slice(1);
const given = JSON.parse(text);
const { HubAssurance, HubRetention } = await import(module);
const told = [];
const error = (words, { count }) => void told.push([words, count]);
const logger = { ...silentLogger, error, fault: (words, cause) => { throw cause; } };
const shared = {
  database: await HubDatabase.open(given.urls),
  store: new FolderObjectStore(given.objects),
  clock: new FakeClock(Number(atMs)),
  logger,
};
let damaged = 0;
if (HubAssurance) {
  const signingKey = createPrivateKey(given.signingKey);
  const config = { startHourUtc: 2, megabytesPerSecond: 10_000 };
  const assurance = new HubAssurance({ ...shared, signingKey, config });
  await assurance.checkDigests(new AbortController().signal);
  damaged = assurance.state().damaged;
} else {
  const config = { pixelHours: 24, resultDays: 30, abandonedDays: 7 };
  await new HubRetention({ ...shared, config }).runOnce();
}
process.stdout.write(JSON.stringify({ damaged, told }));
await shared.database.close();`;
// An app is no package: its stages are imported by where they were compiled to.
const moduleOf = (name: string): string =>
  pathToFileURL(join(import.meta.dirname, '..', 'dist', `${name}.js`)).href;

/** A hub whose server and folder other processes are told of. */
class DrilledHub extends DurableHub {
  readonly #folder = temporaryFolder('kill-drill-hub');
  #server: EmbeddedPostgres | undefined;
  #model!: ModelManifest;

  override async open(): Promise<void> {
    this.#server = await startEmbeddedPostgres({
      ...{ dataFolder: this.#folder.path, clock: systemClock },
    });
    this.database = await HubDatabase.open(this.#server.urls);
    const site = { siteName: 'site-a', purpose: 'demonstration', deployments: [] } as const;
    await enrolSites(this.database, [site], async () => undefined);
    this.#model = await makeModel(join(this.#folder.path, 'models'));
  }
  override async close(): Promise<void> {
    await super.close();
    await this.#server?.stop();
    await removeServerFolder(this.#folder.path);
    this.#folder.remove();
  }

  newStudy(like?: TestStudy): TestStudy {
    const study = testStudy(this.#model, like && { objects: like.manifest.objects });
    return like ? { ...study, files: like.files } : study;
  }
  /** Arguments of a life that does the work of this module now. */
  words(name: string): string[] {
    const objects = dirname(dirname(dirname(this.store.path(siteA, sha256Hex('any')))));
    const signingKey = this.signingKey.export({ type: 'pkcs8', format: 'pem' });
    const given = { urls: this.#server!.urls, objects, signingKey };
    return [JSON.stringify(given), moduleOf(name), String(this.clock.nowMs())];
  }
}

const hub = new DrilledHub();
beforeAll(() => hub.open(), START_MS);
afterAll(() => hub.close(), 60_000);
const times = <T>(hit: T): T[] => Array.from({ length: KILLS_EACH }, () => hit);

describe('a hub that is killed while it puts an object back', () => {
  const life = (): Promise<string> => livedOn(LIFE, hub.words('hub-retention'));

  /** A job that ended: its two objects are marked, and one of them is set aside already. */
  async function halfRemoved(): Promise<TestStudy> {
    const study = hub.newStudy();
    await hub.aJob({ state: 'CONCLUDED', study });
    hub.clock.advance(2 * DAY_MS);
    await life();
    hub.clock.advance(HOUR_MS);
    await killedAt('hub.retention.set-aside', LIFE, hub.words('hub-retention'));
    expect(digestsOf(study).filter(isAside)).toHaveLength(1);
    return study;
  }
  const digestsOf = (study: TestStudy): Sha256[] => [shaOf(study, 0), shaOf(study, 1)];
  const isAside = (sha256: Sha256): boolean =>
    existsSync(`${hub.store.path(siteA, sha256)}.removed`);
  const isWhole = (sha256: Sha256): boolean =>
    hub.isThere(sha256) && sha256Hex(readFileSync(hub.store.path(siteA, sha256))) === sha256;
  /** The server lets go of what a dead process held when it sees its connection close. */
  const untilReleased = (digests: readonly Sha256[]): Promise<unknown> =>
    hub.inSite((sql) =>
      sql.rows('SELECT 1 FROM object_removal WHERE sha256 = ANY($1) FOR UPDATE', digests),
    );
  async function look(digests: readonly Sha256[]): Promise<object> {
    const count = (table: string) =>
      hub.inSite(async (sql) => {
        const found = `SELECT sha256 FROM ${table} WHERE sha256 = ANY($1) ORDER BY 1`;
        return (await sql.rows<{ sha256: Sha256 }>(found, digests)).map(({ sha256 }) => sha256);
      });
    const rows = await count('study_object');
    // Whoever has its row can be read.
    expect(rows.filter((sha256) => !isWhole(sha256))).toEqual([]);
    return {
      ...{ rows: rows.length, removals: (await count('object_removal')).length },
      ...{ whole: digests.filter(isWhole).length, aside: digests.filter(isAside).length },
    };
  }

  /** Another study lists the same objects, before they are gone. */
  const COMINGS = {
    'was told that the hub has it': async (study: TestStudy): Promise<void> => {
      await hub.aJob({ state: 'STORED', study: { ...hub.newStudy(study), files: [] } });
      const statement = 'DELETE FROM study_object WHERE sha256 = ANY($1)';
      await hub.inSite((sql) => sql.run(statement, digestsOf(study)));
    },
    'was sent again': async (study: TestStudy): Promise<void> => {
      await hub.aJob({ state: 'STORED', study: hub.newStudy(study) });
    },
  } as const;
  const HITS = (Object.keys(COMINGS) as (keyof typeof COMINGS)[]).flatMap((coming) =>
    PASSAGES.flatMap((passage) => times({ coming, passage })),
  );

  it.each(HITS)(
    'keeps each that $coming, whole and with its row: passage $passage',
    async ({ coming, passage }) => {
      const study = await halfRemoved();
      const digests = digestsOf(study);
      await untilReleased(digests);
      await COMINGS[coming](study);

      const point = `hub.retention.put-back#${passage}`;
      await killedAt(point, LIFE, hub.words('hub-retention'));
      await untilReleased(digests);
      // What it died of is not ended: its removal is asked about again.
      const hasRows = coming === 'was sent again';
      expect(await look(digests)).toMatchObject({
        ...{ rows: hasRows ? digests.length : passage - 1 },
        ...{ removals: digests.length - passage + 1 },
      });

      const kept = { rows: 2, removals: 0, whole: 2, aside: 0 };
      await life();
      expect(await look(digests)).toEqual(kept);
      hub.clock.advance(2 * DAY_MS);
      await life();
      expect(await look(digests)).toEqual(kept);
    },
    DRILL_MS,
  );
});

describe('a hub that is killed around a damaged object', () => {
  /** Jobs by the damaged object that they need. */
  type Damaged = readonly TestStudy[];
  interface Fate {
    readonly state: string;
    readonly code: string | null;
    readonly outcomes: number;
    readonly queue: string | null;
    readonly epoch: number | null;
  }
  const fatesOf = (studies: readonly TestStudy[]): Promise<Fate[]> =>
    hub.inSite((sql) =>
      sql.rows<Fate>(
        `SELECT j.state, j.code, q.state AS queue, q.lease_epoch::int AS epoch,
           (SELECT count(*)::int FROM outcome o WHERE o.job_id = j.job_id) AS outcomes
         FROM study_job j LEFT JOIN inference_job q USING (site_id, job_id)
         WHERE j.job_id = ANY($1) ORDER BY array_position($1, j.job_id)`,
        studies.map(({ manifest }) => manifest.jobId),
      ),
    );
  const passOf = () =>
    hub.inSite((sql) =>
      sql.row<{ damaged: number; is_open: boolean }>(
        'SELECT damaged::int, finished_at IS NULL AS is_open FROM digest_pass',
      ),
    );

  async function damagedJob(): Promise<Damaged> {
    const study = await hub.aJob({ state: 'STORED', study: hub.newStudy() });
    writeFileSync(hub.store.path(siteA, shaOf(study)), OTHER_BYTES);
    return [study];
  }
  /** Two jobs share the object; a model has one of them before it. */
  async function damagedPair(): Promise<Damaged> {
    const first = await hub.aJob({ state: 'QUEUED', study: hub.newStudy() });
    await hub.inSite((sql) =>
      sql.run(
        `INSERT INTO inference_job (site_id, job_id, lane, state)
         VALUES ($1, $2, 'routine', 'QUEUED')`,
        ...[siteA, first.manifest.jobId],
      ),
    );
    const second = await hub.aJob({ state: 'STORED', study: hub.newStudy(first) });
    writeFileSync(hub.store.path(siteA, shaOf(first)), OTHER_BYTES);
    return [first, second];
  }
  /** All jobs of the object have ended, or none has; whether they have. */
  async function hasEnded(damaged: Damaged): Promise<boolean> {
    const isPair = damaged.length > 1;
    const whileOpen = { code: null, outcomes: 0 };
    const open: Fate[] = isPair
      ? [
          { ...whileOpen, state: 'QUEUED', queue: 'QUEUED', epoch: 0 },
          { ...whileOpen, state: 'STORED', queue: null, epoch: null },
        ]
      : [{ ...whileOpen, state: 'STORED', queue: null, epoch: null }];
    const ended = open.map(({ queue }) => ({
      ...{ state: 'CONCLUDED', code: 'MALFORMED', outcomes: 1 },
      // Whoever works on it has lost its lease.
      ...(queue ? { queue: 'DONE', epoch: 1 } : { queue: null, epoch: null }),
    }));
    const hasRow = await hub.hasRow(shaOf(damaged[0]!));
    expect(await fatesOf(damaged)).toEqual(hasRow ? open : ended);
    return !hasRow;
  }
  async function endedOf(all: readonly Damaged[]): Promise<number> {
    const ended = await Promise.all(all.map(hasEnded));
    return ended.filter(Boolean).length;
  }

  const HITS = ['before', 'after'].flatMap((side) =>
    PASSAGES.flatMap((passage) => times({ side, passage })),
  );
  it.each(HITS)(
    'ends each job that needs one, once, and tells of it: $side damage $passage',
    async ({ side, passage }) => {
      hub.clock.advance(2 * DAY_MS);
      const whole = await hub.aJob({ state: 'STORED', study: hub.newStudy() });
      const damaged = [await damagedJob(), await damagedPair()];
      const untouched = await fatesOf([whole]);

      await killedAt(`hub.digests.${side}-damage#${passage}`, LIFE, hub.words('hub-assurance'));
      const found = side === 'before' ? passage - 1 : passage;
      expect(await endedOf(damaged)).toBe(found);
      expect(await passOf()).toEqual({ damaged: found, is_open: true });

      const life = async (): Promise<{ damaged: number; told: [string, number][] }> =>
        JSON.parse(await livedOn(LIFE, hub.words('hub-assurance')));
      // What the dead one found it may not have told.
      const { told, ...counted } = await life();
      expect(counted).toEqual({ damaged: damaged.length });
      expect(told.length).toBeGreaterThan(0);
      expect(new Set(told.map(([words]) => words))).toEqual(new Set(['an object changed on disk']));
      expect(await endedOf(damaged)).toBe(damaged.length);
      expect(await passOf()).toEqual({ damaged: damaged.length, is_open: false });

      hub.clock.advance(DAY_MS);
      expect(await life()).toEqual({ damaged: 0, told: [] });
      expect(await endedOf(damaged)).toBe(damaged.length);
      expect(await fatesOf([whole])).toEqual(untouched);
    },
    DRILL_MS,
  );
});
