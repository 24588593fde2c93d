/**
 * Goal: an objection is found for the images of its patient, ends the jobs that can still be ended,
 * and a list is taken over whole or with its bad lines told.
 * Method: a real SQLite schema in memory with jobs in every state.
 */
import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  GATEWAY_MIGRATIONS,
  JOB_STATES,
  MemoryDatabase,
  type GatewayDatabase,
} from '@aifi/gateway-database';
import type { ObjectionKind } from '@aifi/policy-routing-rules';
import { silentLogger } from '@aifi/shared-observability';
import { keyRingOf, patientKeyOf } from '@aifi/shared-site-keys';
import { FakeClock, fakeSiteKeys } from '@aifi/shared-testing';
import { objectionsOf } from './objections.js';
import { ObjectionRegister, type ObjectionOrder } from './objection-register.js';
import { endObjected } from './objection-watch.js';

const ring = keyRingOf(fakeSiteKeys());
const memory = new MemoryDatabase(GATEWAY_MIGRATIONS);
let database: GatewayDatabase;
let sut: ObjectionRegister;
beforeEach(() => {
  memory.clear();
  database = memory.start();
  sut = new ObjectionRegister({ database, keys: ring, config: { issuers: ['HOSP'] } });
});
const AT = 1_000;
const keyOf = (patientId: string, issuer = '') => patientKeyOf(ring, { patientId, issuer })!;
const inForce = (patientId: string, issuer = '', atMs = AT) =>
  database.read((sql) => objectionsOf(sql, { patientKey: keyOf(patientId, issuer), atMs }));
const change = (order: Partial<ObjectionOrder> = {}, patientId = '7') =>
  sut.carryOut({
    ...{ keys: sut.keysOf({ patientId, issuer: '' }), kinds: ['ai-in-own-care'], event: 'set' },
    ...{ source: 'person', atMs: AT, ...order },
  });

/** A study of the patient with one job in each state; its number is in the job's id. */
async function jobsOf(patientId: string, study = 1): Promise<void> {
  await database.write((sql) => {
    const header = JSON.stringify({ patientKey: keyOf(patientId) });
    sql.run(
      'INSERT INTO study (study_id, study_uid, revision, last_received_ms) VALUES (?, ?, 1, 1)',
      ...[study, `1.${study}`],
    );
    sql.run(
      `INSERT INTO instance (study_id, series_uid, sop_instance_uid, sop_class_uid,
         transfer_syntax_uid, sha256, size_bytes, path, header, calling_ae, received_ms, revision)
       VALUES (?, '1', ?, '1', '1', 'x', 1, 'p', ?, 'CT1', 1, 1)`,
      ...[study, `1.${study}.1`, header],
    );
    sql.run(
      `INSERT INTO study_revision (study_id, revision, closed_ms, state)
       VALUES (?, 1, 1, 'SELECTED')`,
      study,
    );
    for (const state of JOB_STATES) {
      const isOver = /^(RESULT|NOT)_/.test(state);
      sql.run(
        `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
           rule_set_sha256, attestations, state, created_ms, terminal_ms)
         VALUES (?, ?, 1, ?, '1', 'd', 'routine', 'r', '[]', ?, 1, ?)`,
        ...[`${study}-${state}`, study, state, state, isOver ? 1 : null],
      );
    }
    sql.run(
      `INSERT INTO pixel_hold (job_id, sha256, reason, findings, state, held_ms)
       VALUES (?, 'x', 'text', '[]', 'WAITING', 1)`,
      `${study}-QUARANTINED`,
    );
  });
}
const objected = () =>
  database
    .read((sql) =>
      sql.all<{ job_id: string; state: string }>(
        `SELECT job_id, state FROM job WHERE code = 'OBJECTION' ORDER BY job_id`,
      ),
    )
    .map(({ job_id: id, state }) => [id, state]);
const ENDED = (study = 1) =>
  ['QUARANTINED', 'SELECTED', 'SPOOLED'].map((state) => [
    ...[`${study}-${state}`, 'NOT_ELIGIBLE_LOGGED'],
  ]);

describe(ObjectionRegister.name, () => {
  it('counts for images that name the issuer of the hospital, or none', async () => {
    await change();
    expect([inForce('7'), inForce('7', 'HOSP')]).toEqual([['ai-in-own-care'], ['ai-in-own-care']]);
    expect(inForce('7', 'OTHER')).toEqual([]);
  });
  it('of a number with an issuer counts without it too, for no other issuer', async () => {
    await change({ keys: sut.keysOf({ patientId: '7', issuer: 'CLINIC' }) });
    expect([inForce('7', 'CLINIC').length, inForce('7').length]).toEqual([1, 1]);
    expect(inForce('7', 'HOSP')).toEqual([]);
  });
  it('needs a number', () => {
    expect(() => sut.keysOf({ patientId: '  ', issuer: '' })).toThrow('a patient number is needed');
  });
  it('ends what the hub does not have, and tells of what it has', async () => {
    await jobsOf('7', 1);
    await jobsOf('8', 2);
    expect(await change()).toEqual({ ended: 3, atHub: 4 });
    expect(objected()).toEqual(ENDED());
    const waiting = database.read((sql) =>
      sql.all(`SELECT job_id FROM pixel_hold WHERE state = 'WAITING'`),
    );
    expect(waiting).toEqual([{ job_id: '2-QUARANTINED' }]);
    const told = database.read((sql) =>
      sql.all(`SELECT event, detail ->> '$.code' AS code FROM journal WHERE job_id LIKE '1-%'`),
    );
    expect(told).toEqual(Array(3).fill({ event: 'objected', code: 'OBJECTION' }));
  });
  it('leaves a quarantined job to its way when the hub has its study', async () => {
    await jobsOf('7');
    await database.write((sql) =>
      sql.run(
        `INSERT INTO spool_job (job_id, revision, manifest, manifest_sha256, envelope, state)
         VALUES ('1-QUARANTINED', 1, x'', 'm', x'', 'STORED')`,
      ),
    );
    expect(await change()).toEqual({ ended: 2, atHub: 5 });
  });
  it.each<ObjectionKind>(['secondary-use', 'sharing'])('of %s ends no job', async (kind) => {
    await jobsOf('7');
    expect(await change({ kinds: [kind] })).toEqual({ ended: 0, atHub: 0 });
    expect(objected()).toEqual([]);
  });
  it('that begins later ends jobs when it begins', async () => {
    await jobsOf('7');
    expect(await change({ sinceMs: AT + 500 })).toEqual({ ended: 0, atHub: 0 });
    const clock = new FakeClock();
    const watch = { database, clock, logger: silentLogger };
    clock.advance(AT - clock.nowMs());
    expect(await endObjected(watch)).toBe(0);
    clock.advance(500);
    expect([await endObjected(watch), await endObjected(watch)]).toEqual([3, 0]);
    expect(objected()).toEqual(ENDED());
  });
  it('carried out twice is one', async () => {
    await change();
    await change();
    const { history } = sut.stateOf(sut.keysOf({ patientId: '7', issuer: '' }), AT);
    expect(history).toHaveLength(1);
  });
});

describe('a list', () => {
  const list = (...lines: string[]) =>
    Buffer.from(['Patiëntnummer;Bezwaar;Vanaf;Tot en met', ...lines].join('\r\n'));
  const GOOD = ['1;ai in eigen zorg;2026-11-01;', '"2";delen|nader gebruik;;31-12-2026', '3;alles'];
  const take = (bytes: Buffer, skipBadLines = false, atMs = Date.UTC(2026, 10, 22)) =>
    sut.importList(bytes, { atMs, skipBadLines });

  it('sets what its lines say, and once', async () => {
    const atMs = Date.UTC(2026, 10, 22);
    expect(sut.checkList(list(...GOOD), atMs)).toMatchObject({ lines: 3, added: 3, bad: 0 });
    expect(await take(list(...GOOD))).toMatchObject({ added: 3, unchanged: 0, isImported: true });
    expect(inForce('1', '', +new Date(2026, 10, 1))).toEqual(['ai-in-own-care']);
    expect(inForce('1', '', +new Date(2026, 10, 1) - 1)).toEqual([]);
    expect(inForce('2', '', +new Date(2027, 0, 1) - 1)).toEqual(['secondary-use', 'sharing']);
    expect(inForce('2', '', +new Date(2027, 0, 1))).toEqual([]);
    expect(await take(list(...GOOD))).toMatchObject({ added: 0, unchanged: 3 });
    expect(sut.checkList(list(...GOOD), atMs)).toMatchObject({ added: 0, unchanged: 3 });
  });
  it.each([
    [';alles', 'number', 'no-number'],
    [`${'9'.repeat(65)};alles`, 'number', 'too-long'],
    ['4;', 'kind', 'unknown-kind'],
    ['4;alles|iets', 'kind', 'unknown-kind'],
    ['4;alles;2026-02-30', 'from', 'bad-date'],
    ['4;alles;;gisteren', 'until', 'bad-date'],
    ['4;alles;2026-02-02;2026-02-01', 'until', 'ends-before'],
  ])('tells the line and column of %s, never its words', async (line, column, problem) => {
    const bytes = list('1;alles', line);
    const found = { bad: 1, findings: [{ line: 3, column, problem }] };
    expect(await take(bytes)).toMatchObject({ ...found, isImported: false, added: 0 });
    expect(inForce('1', '', Date.UTC(2027, 0, 1))).toEqual([]);
    expect(await take(bytes, true)).toMatchObject({ ...found, isImported: true, added: 1 });
    expect(inForce('1', '', Date.UTC(2027, 0, 1))).toHaveLength(3);
  });
  it('ends the jobs of those who object', async () => {
    await jobsOf('7', 1);
    await jobsOf('8', 2);
    expect(await take(list('8;ai'))).toMatchObject({ jobsEnded: 3, jobsAtHub: 4 });
    expect(objected()).toEqual(ENDED(2));
  });
  it('of a large hospital goes in slices, and only so many bad lines are told', async () => {
    const lines = Array.from({ length: 1_200 }, (_, index) => `${index};alles`);
    const bad = Array.from({ length: 150 }, () => ';alles');
    const answer = await take(list(...lines, ...bad), true);
    expect(answer).toMatchObject({ lines: 1_350, added: 1_200, bad: 150 });
    expect(answer.findings).toHaveLength(100);
  });
  it('is refused without its columns, or when it is no CSV', () => {
    expect(() => sut.checkList(Buffer.from('naam;bezwaar\nx;alles'), AT)).toThrow(
      'number and kind',
    );
    expect(() => sut.checkList(Buffer.from(''), AT)).toThrow('empty');
  });
});
