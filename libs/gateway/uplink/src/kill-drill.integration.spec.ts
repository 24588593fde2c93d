/**
 * Goal: a gateway that dies as it records that the hub refuses a study, for good or because of old
 * rules, ends it once or selects it again once, and sends what the hub takes once.
 * Method: a life runs the stage on the rows that a life before it left, in a real SQLite file, with
 * the selection that production has, until it dies by kill -9 at a named point. Its hub is a few
 * answers by the name of the job; what it was asked is in a file.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RoutingRules } from '@aifi/contracts-manifests';
import { GATEWAY_MIGRATIONS, GatewayDatabase, type Row } from '@aifi/gateway-database';
import { sha256Hex } from '@aifi/shared-kernel';
import {
  killedAt,
  HITS as NUMBERS,
  livedOn,
  temporaryFolder,
  type TemporaryFolder,
} from '@aifi/shared-testing';

// It ends when nothing is spooled any more and a few more looks at the queue have found nothing.
const LIFE = `
const { appendFileSync } = await import('node:fs');
const { GATEWAY_MIGRATIONS, GatewayDatabase } = await import('@aifi/gateway-database');
const { selectAgain } = await import('@aifi/gateway-select');
const { createUplinkStage, uplinkConfigSchema } = await import('@aifi/gateway-uplink');
const { systemClock, Wake } = await import('@aifi/shared-kernel');
const { silentLogger } = await import('@aifi/shared-observability');
const { databaseFile, askedFile, verified } = JSON.parse(process.argv[1]);
const asked = (what) => appendFileSync(askedFile, JSON.stringify(what) + '\\n');
const kindOf = (jobId) => jobId.slice(0, jobId.indexOf('-'));
const answers = { never: { kind: 'refused', code: 'INVALID_ARGUMENT' },
  old: { kind: 'refused', code: 'RULES_OUTDATED' },
  taken: { kind: 'answered', value: { heldSha256: [], stored: false, partial: [] } } };
const port = {
  openStudy: async ({ jobId, manifest }) => {
    asked({ open: jobId });
    return answers[manifest.toString() === 'new' ? 'taken' : kindOf(jobId)];
  },
  closeStudy: async ({ jobId, manifestSha256 }) => {
    asked({ close: jobId, manifestSha256 });
    return { kind: 'answered', value: { ack: { jobId, manifestSha256 } } };
  },
};
const transport = { send: async ({ objects, acknowledge }) => {
  for (const { sha256 } of objects) {
    asked({ object: sha256 });
    await acknowledge(sha256);
  }
  return { kind: 'sent' };
} };
const database = GatewayDatabase.open(databaseFile, GATEWAY_MIGRATIONS);
const stop = new AbortController();
const isSpooled = () =>
  database.read((sql) => sql.get("SELECT 1 FROM job WHERE state = 'SPOOLED'")) !== undefined;
let looks = 0;
const clock = { ...systemClock, sleep: async (delayMs, signal) => {
  if (!isSpooled() && (looks += 1) > 5) stop.abort();
  await systemClock.sleep(Math.min(delayMs, 5), signal);
} };
const sut = createUplinkStage({
  database, port, transport, clock, logger: silentLogger, wake: new Wake(),
  config: uplinkConfigSchema.parse({}), deadlines: { acuteMs: 1e15, routineMs: 1e15 },
  selectAgain: (sql, jobId, atMs) =>
    selectAgain(sql, { jobId, atMs, verified, purpose: 'demonstration' }),
  onDone: () => undefined,
});
await sut.run(stop.signal);
database.close();`;

const OLD_RULES = sha256Hex('old rules');
const RULES: RoutingRules = {
  ...{ schema: 'aifi.routing-rules.v1', sequence: 7, issuedAtMs: 1, purpose: 'demonstration' },
  products: [
    {
      ...{ product: 'p', name: 'p', version: '1.1.0', modelDigest: sha256Hex('new model') },
      ...{ label: 'RESEARCH', purpose: 'demonstration', state: 'active', lane: 'routine' },
      studyAgeOnMissing: 'allow',
      intendedUse: {
        series: [{ id: 'modality', attribute: 'modality', oneOf: ['MR'], onMissing: 'deny' }],
        ...{ coverageMinMm: 0, instancesMin: 1 },
      },
    },
  ],
};
const VERIFIED = { rules: RULES, sha256: sha256Hex('new rules') };
/** Two of each: studies that the hub never takes, of old rules, and those that it takes. */
const [NEVER, OLD, TAKEN] = ['never', 'old', 'taken'].map((kind) => [`${kind}-1`, `${kind}-2`]) as [
  string[],
  string[],
  string[],
];
const JOBS = [0, 1].flatMap((n) => [NEVER[n]!, OLD[n]!, TAKEN[n]!]);
const HITS = NUMBERS.flatMap((hit) => [1, 2].map((passage) => ({ hit, passage })));

interface Asked {
  readonly open?: string;
  readonly object?: string;
  readonly close?: string;
  readonly manifestSha256?: string;
}
interface Left extends Row {
  readonly job_id: string;
  readonly state: string;
  readonly code: string | null;
  readonly rules: string;
  readonly spooled: number;
  readonly objects: number;
  readonly attempts: number | null;
}

let folder: TemporaryFolder;
let databaseFile: string;
let askedFile: string;
beforeEach(async () => {
  folder = temporaryFolder('kill-drill-uplink');
  [databaseFile, askedFile] = ['gateway.db', 'asked'].map((name) => join(folder.path, name)) as [
    string,
    string,
  ];
  const database = GatewayDatabase.open(databaseFile, GATEWAY_MIGRATIONS);
  for (const [n, jobId] of JOBS.entries()) await select(database, jobId, n + 1);
  for (const jobId of JOBS) await spool(database, jobId, 'first');
  database.close();
});
afterEach(() => folder.remove());

/** A study of one image that the rules of before have selected. */
async function select(database: GatewayDatabase, jobId: string, study: number): Promise<void> {
  await database.write((sql) => {
    sql.run(
      `INSERT INTO study (study_id, study_uid, revision, last_received_ms) VALUES (?, ?, 1, 1)`,
      ...[study, `1.2.${study}`],
    );
    sql.run(`INSERT INTO study_revision VALUES (?, 1, 1, 'SELECTED')`, study);
    sql.run(
      `INSERT INTO instance (study_id, series_uid, sop_instance_uid, sop_class_uid,
         transfer_syntax_uid, sha256, size_bytes, path, header, calling_ae, received_ms, revision)
       VALUES (?, ?, ?, '1.2.840.10008.5.1.4.1.1.4', '1.2', ?, 1, 'x', ?, 'PACS', 1, 1)`,
      ...[study, `1.2.${study}.1`, `1.2.${study}.1.1`, sha256Hex(jobId)],
      JSON.stringify({ modality: 'MR' }),
    );
    sql.run(
      `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
         series_uid, rule_set_sha256, attestations, state, created_ms)
       VALUES (?, ?, 1, 'p', '1.0.0', 'old model', 'routine', ?, ?, '[]', 'SPOOLED', 1)`,
      ...[jobId, study, `1.2.${study}.1`, OLD_RULES],
    );
  });
}
/** What the stage before leaves: manifest, envelope and one object. */
async function spool(database: GatewayDatabase, jobId: string, manifest: string): Promise<void> {
  await database.write((sql) => {
    sql.run("UPDATE job SET state = 'SPOOLED' WHERE job_id = ?", jobId);
    sql.run(
      `INSERT INTO spool_job (job_id, revision, manifest, manifest_sha256, envelope, state)
       VALUES (?, 1, ?, ?, x'00', 'QUEUED')`,
      ...[jobId, Buffer.from(manifest), sha256Hex(`${manifest} ${jobId}`)],
    );
    const object = sha256Hex(`object of ${manifest} ${jobId}`);
    sql.run('INSERT INTO spool_object VALUES (?, ?, 1, ?, 0)', jobId, object, 'x');
  });
}

const args = (): string[] => [JSON.stringify({ databaseFile, askedFile, verified: VERIFIED })];
const killed = (point: string): Promise<void> => killedAt(`gateway.uplink.${point}`, LIFE, args());
const asked = (): Asked[] =>
  existsSync(askedFile)
    ? readFileSync(askedFile, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Asked)
    : [];
const isAsked = (jobId: string): number => asked().filter(({ open }) => open === jobId).length;

function reading<T>(work: (database: GatewayDatabase) => T): T {
  const database = GatewayDatabase.open(databaseFile, GATEWAY_MIGRATIONS);
  try {
    return work(database);
  } finally {
    database.close();
  }
}
const left = (): ReadonlyMap<string, Left> =>
  reading((database) => {
    const rows = database.read((sql) =>
      sql.all<Left>(
        `SELECT job_id, job.state, code, rule_set_sha256 AS rules, spool.attempts,
           spool.job_id IS NOT NULL AS spooled, (SELECT COUNT(*) FROM spool_object one
             WHERE one.job_id = job.job_id) AS objects
         FROM job LEFT JOIN spool_job spool USING (job_id)`,
      ),
    );
    return new Map(rows.map((row) => [row.job_id, row]));
  });
/** How often the journal has the event of the job. */
const told = (jobId: string, event: string): number =>
  reading((database) =>
    database.read(
      (sql) => sql.all('SELECT 1 FROM journal WHERE job_id = ? AND event = ?', jobId, event).length,
    ),
  );

/** Of no job is a half there: refused or not, selected again or not. */
function expectNothingHalf(): void {
  const rows = left();
  for (const jobId of NEVER) {
    const isRefused = told(jobId, 'refused');
    expect(rows.get(jobId)).toMatchObject(
      isRefused === 1
        ? { state: 'NOT_ANALYSED_NOTIFIED', code: 'MALFORMED', attempts: 1 }
        : { state: 'SPOOLED', code: null, attempts: 0 },
    );
  }
  for (const jobId of OLD) {
    expect(rows.get(jobId)).toMatchObject(
      told(jobId, 'selected-again') === 1
        ? { state: 'SELECTED', rules: VERIFIED.sha256, spooled: 0, objects: 0 }
        : { state: 'SPOOLED', rules: OLD_RULES, spooled: 1, objects: 1 },
    );
  }
}
/** All that the rows and the hub say, when nothing is left to do. */
function expectSettled(): void {
  expectNothingHalf();
  const rows = left();
  for (const jobId of NEVER) expect(rows.get(jobId)!.state).toBe('NOT_ANALYSED_NOTIFIED');
  for (const jobId of OLD) expect(rows.get(jobId)!.state).toBe('SELECTED');
  for (const jobId of TAKEN) expect(rows.get(jobId)!.state).toBe('UPLOADED');
  for (const jobId of TAKEN) expect(told(jobId, 'uploaded')).toBe(1);
  const stored = new Set(asked().flatMap(({ close }) => close ?? []));
  expect(stored).toEqual(new Set(TAKEN));
}
async function expectStays(): Promise<void> {
  const before = [left(), asked(), JOBS.map((jobId) => told(jobId, 'refused'))];
  await livedOn(LIFE, args());
  expect([left(), asked(), JOBS.map((jobId) => told(jobId, 'refused'))]).toEqual(before);
}

describe('a gateway that is killed as the hub refuses a study', () => {
  const refusals = ['before-refused', 'after-refused'].flatMap((point) =>
    HITS.map((hit) => ({ point, ...hit })),
  );
  it.each(refusals)(
    'for good ends it once, and never asks again: $point#$passage (hit $hit)',
    async ({ point, passage }) => {
      await killed(`${point}#${passage}`);
      expectNothingHalf();
      const ended = NEVER.filter((jobId) => told(jobId, 'refused') === 1);
      expect(ended.length).toBeGreaterThanOrEqual(point === 'after-refused' ? passage : 0);
      const times = new Map(ended.map((jobId) => [jobId, isAsked(jobId)]));
      await livedOn(LIFE, args());
      expectSettled();
      for (const [jobId, count] of times) expect(isAsked(jobId)).toBe(count);
      for (const jobId of NEVER) expect(isAsked(jobId)).toBeLessThanOrEqual(2);
      await expectStays();
    },
    120_000,
  );

  const selections = ['before-select-again', 'after-select-again'].flatMap((point) =>
    HITS.map((hit) => ({ point, ...hit })),
  );
  it.each(selections)(
    'of old rules selects it again once, sends it once: $point#$passage (hit $hit)',
    async ({ point, passage }) => {
      await killed(`${point}#${passage}`);
      expectNothingHalf();
      const selected = OLD.filter((jobId) => told(jobId, 'selected-again') === 1);
      expect(selected.length).toBeGreaterThanOrEqual(point.startsWith('after') ? passage : 0);
      await livedOn(LIFE, args());
      expectSettled();
      await expectStays();
      // As the stages before spool it under the newer rules, which the hub takes.
      const database = GatewayDatabase.open(databaseFile, GATEWAY_MIGRATIONS);
      for (const jobId of OLD) await spool(database, jobId, 'new');
      database.close();
      await livedOn(LIFE, args());
      for (const jobId of OLD) {
        expect(left().get(jobId)).toMatchObject({ state: 'UPLOADED', rules: VERIFIED.sha256 });
        expect([told(jobId, 'selected-again'), told(jobId, 'uploaded')]).toEqual([1, 1]);
        const closed = asked().filter(({ close }) => close === jobId);
        expect(closed).toEqual([{ close: jobId, manifestSha256: sha256Hex(`new ${jobId}`) }]);
      }
      const objects = asked().flatMap(({ object }) => object ?? []);
      for (const jobId of OLD) {
        expect(objects).not.toContain(sha256Hex(`object of first ${jobId}`));
      }
      await expectStays();
    },
    120_000,
  );
});
