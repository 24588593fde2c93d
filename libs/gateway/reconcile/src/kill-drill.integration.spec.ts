/**
 * Goal: a gateway that is killed around a damaged file stops each job that needs one, once.
 * Method: the nightly check in processes of their own over real files and one real database, killed
 * before and after each piece of damage is recorded; then the next life, and the night after it.
 */
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { KILLS_EACH, killedAt, livedOn } from '@aifi/shared-testing';
import { TestTables } from './test-tables.js';

const DRILL_MS = 120_000;
const START_MS = 1_700_000_000_000;
const DAY_MS = 86_400_000;
const LIFE = `
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { DigestCheck } from '@aifi/gateway-reconcile';
import { silentLogger } from '@aifi/shared-observability';
import { FakeClock } from '@aifi/shared-testing';
const [path, atMs] = process.argv.slice(1);
const database = GatewayDatabase.open(path, GATEWAY_MIGRATIONS);
const told = {};
const logger = { ...silentLogger, error: (words, { count }) => void (told[words] = count) };
const config = { startHourUtc: 1, megabytesPerSecond: 10_000 };
const check = new DigestCheck({ database, logger, config, clock: new FakeClock(Number(atMs)) });
const wasDue = check.isDue();
if (wasDue) await check.run(new AbortController().signal);
process.stdout.write(JSON.stringify({ wasDue, told, ...check.state() }));
database.close();`;

/** The job of each damaged file, in the order of the check: where it stands and how it stops. */
const DAMAGED = [
  { job: 'received', state: 'SELECTED', code: 'MALFORMED' },
  { job: 'spooled', state: 'SPOOLED', code: 'MALFORMED' },
  { job: 'inbound', state: 'RETURNED', code: 'OUTPUT_INVALID' },
  { job: 'outgoing', state: 'REIDENTIFIED', code: 'OUTPUT_INVALID' },
] as const;
const HITS = ['before', 'after'].flatMap((side) =>
  DAMAGED.flatMap((_, at) => Array.from({ length: KILLS_EACH }, () => ({ side, passage: at + 1 }))),
);

describe('a gateway that is killed around a damaged file', () => {
  let tables: TestTables;
  beforeEach(() => void (tables = new TestTables()));
  afterEach(() => tables.close());

  /** One file of each kind that is damaged, and one of each that is whole. */
  async function layOut(): Promise<void> {
    await tables.study(1);
    for (const { job, state } of DAMAGED) {
      await tables.job(job, state, { series: job });
      await tables.job(`whole-${job}`, state, { series: `whole-${job}` });
    }
    const damaged = await Promise.all([
      tables.image(1, 'received', 1),
      spooled('spooled'),
      inbound('inbound'),
      outgoing('outgoing'),
    ]);
    await tables.image(1, 'whole-received', 1);
    await spooled('whole-spooled');
    await inbound('whole-inbound');
    await outgoing('whole-outgoing');
    for (const path of damaged) writeFileSync(path, 'other bytes');
  }
  async function spooled(job: string): Promise<string> {
    const { path, sha256 } = tables.file(`spool/${job}/a`);
    await tables.run(
      `INSERT INTO spool_job (job_id, revision, manifest, manifest_sha256, envelope, state)
       VALUES (?, 1, x'00', 'm', x'00', 'QUEUED')`,
      job,
    );
    await tables.run(
      'INSERT INTO spool_object (job_id, sha256, size_bytes, path) VALUES (?, ?, 1, ?)',
      ...[job, sha256, path],
    );
    return path;
  }
  async function inbound(job: string): Promise<string> {
    const { path, sha256 } = tables.file(`inbound/${job}/a`);
    const sequence = job.length;
    await tables.run(
      `INSERT INTO inbound VALUES (?, 1, 0, ?, x'00', x'00', 'RECEIVED', 1)`,
      ...[job, sequence],
    );
    await tables.run(
      'INSERT INTO inbound_object VALUES (?, 1, 0, 0, ?, ?, 1)',
      ...[job, path, sha256],
    );
    return path;
  }
  async function outgoing(job: string): Promise<string> {
    const { path, sha256 } = tables.file(`outgoing/${job}/a`);
    await tables.run(
      `INSERT INTO delivery (job_id, issue, output_index, role, sop_class_uid, series_uid,
         sop_instance_uid, path, sha256, state) VALUES (?, 0, 0, 'r', '1', '2', ?, ?, ?, 'QUEUED')`,
      ...[job, job, path, sha256],
    );
    return path;
  }

  /** Each job by all that says whether it was stopped. */
  const jobs = (): unknown[] =>
    tables.all(
      `SELECT job_id AS job, state, code,
         (SELECT COUNT(*) FROM damaged_file d WHERE d.kind = job.job_id) AS onRecord,
         (SELECT state FROM spool_job s WHERE s.job_id = job.job_id) AS spool,
         (SELECT state FROM inbound i WHERE i.job_id = job.job_id) AS inbound,
         (SELECT COUNT(*) FROM journal j WHERE j.job_id = job.job_id AND event = 'quarantined')
           AS moves
       FROM job WHERE job_id NOT LIKE 'whole-%' ORDER BY job.rowid`,
    );
  /** As they are when the first so many files were found: each wholly stopped, or not at all. */
  const foundSoFar = (count: number): unknown[] =>
    DAMAGED.map(({ job, state, code }, at) => {
      const isFound = at < count;
      const [end, moves] = [isFound ? 'QUARANTINED' : undefined, isFound ? 1 : 0];
      return {
        ...{ job, state: end ?? state, code: isFound ? code : null, onRecord: moves, moves },
        spool: job === 'spooled' ? (end ?? 'QUEUED') : null,
        inbound: job === 'inbound' ? (end ?? 'RECEIVED') : null,
      };
    });
  const whole = (): unknown[] =>
    tables.all(`SELECT * FROM job WHERE job_id LIKE 'whole-%' ORDER BY job.rowid`);
  const journal = (): unknown[] => tables.all('SELECT * FROM journal ORDER BY 1');

  it.each(HITS)(
    'goes on with nothing half and nothing twice: $side damage $passage',
    async ({ side, passage }) => {
      await layOut();
      const untouched = whole();
      const path = join(tables.folder.path, 'gateway.db');
      const point = `gateway.reconcile.${side}-damage#${passage}`;
      await killedAt(point, LIFE, [path, String(START_MS)]);
      expect(jobs()).toEqual(foundSoFar(side === 'before' ? passage - 1 : passage));

      const life = async (atMs: number): Promise<unknown> =>
        JSON.parse(await livedOn(LIFE, [path, String(atMs)]));
      // Whoever ends the pass tells of all of it, whichever life found it.
      const told = { 'files on the disk are damaged': DAMAGED.length };
      const done = { wasDue: true, damaged: DAMAGED.length, finishedMs: START_MS };
      expect(await life(START_MS)).toMatchObject({ ...done, told });
      expect(jobs()).toEqual(foundSoFar(DAMAGED.length));
      expect(whole()).toEqual(untouched);

      const before = journal();
      const nextMs = START_MS + DAY_MS;
      expect(await life(nextMs)).toMatchObject({ ...done, finishedMs: nextMs, told });
      expect(jobs()).toEqual(foundSoFar(DAMAGED.length));
      expect([whole(), journal()]).toEqual([untouched, before]);
    },
    DRILL_MS,
  );
});
