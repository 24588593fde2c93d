/**
 * Goal: hospital IT sees what the PACS would not take and has it sent again; each look and each
 * order is on record exactly once, before anything happens, and a repeat is no second order.
 * Method: the real interface over loopback on real databases with planted dead letters.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  auditRecordSchema,
  gatewayRoutes,
  problemSchema,
  type AuditRecord,
  type DeadLetterView,
  type ReplayCount,
} from '@aifi/contracts-rest';
import { partsOf, PATIENT, PlantedGateway, VIP } from '../test/planted-gateway.js';

const IT = 'hospital-it.own.letters';
const HOUR_MS = 3_600_000;
const PATH = '/api/v1/dead-letters';

const sut = new PlantedGateway();
beforeAll(() => sut.start());
afterAll(() => sut.stop());
afterEach(() =>
  sut.database.write((sql) => sql.run(`UPDATE delivery SET state = 'VERIFIED', dead_ms = NULL`)),
);

async function list(query = '', token = IT) {
  const response = await sut.call(token, `${PATH}${query}`);
  expect(response.status).toBe(200);
  return gatewayRoutes.deadLetters.response.parse(await response.json());
}
const ids = (items: readonly DeadLetterView[]): string[] => items.map(({ id }) => id);
async function replay(path: string, body: object, key?: string): Promise<ReplayCount> {
  const response = await sut.post(IT, `${PATH}/${path}`, body, key);
  expect(response.status).toBe(200);
  return gatewayRoutes.replayDeadLetters.response.parse(await response.json());
}
const rowOf = (id: string) =>
  sut.database.read((sql) =>
    sql.get<{ state: string; replays: number; job_state: string; code: string | null }>(
      `SELECT d.state, replays, j.state AS job_state, code FROM delivery d JOIN job j USING (job_id)
       WHERE d.rowid = ?`,
      Number(id.split(':')[1]),
    ),
  );
async function newest(): Promise<AuditRecord> {
  const { items } = await sut.access.trail.search({ limit: 1 });
  return auditRecordSchema.parse(items[0]);
}

describe('the list of dead letters', () => {
  it('says what, since when, why in both languages, and what the PACS answered', async () => {
    const id = await sut.deadLetter({ studyUid: VIP.studyUid });
    const { items, nextCursor } = await list();
    expect(items).toEqual([
      {
        ...{ id, sinceMs: sut.clock.nowMs(), kind: 'SR', code: 'PEER_REFUSED', attempts: 3 },
        ...{ product: expect.any(String), jobId: expect.any(String), replays: 0 },
        ...{ studyInstanceUid: VIP.studyUid, dimseStatus: 'A900' },
        words: { nl: expect.stringMatching(/weigert/), en: expect.stringMatching(/refuses/) },
      },
    ]);
    expect(nextCursor).toBeNull();
    const text = JSON.stringify(items);
    expect(partsOf(VIP).filter((part) => text.includes(part))).toEqual([]);
  });
  it('shows a reason of a newer gateway as it is, and no status where the PACS gave none', async () => {
    await sut.deadLetter({ code: 'REASON_OF_LATER', dimseStatus: null });
    expect((await list()).items[0]).toMatchObject({
      ...{ code: 'REASON_OF_LATER', words: null, dimseStatus: null },
    });
  });
  it('leads through its pages newest first, each letter once, and takes one reason', async () => {
    const planted: string[] = [];
    for (let index = 0; index < 5; index += 1) {
      sut.clock.advance(1_000);
      const code = index === 2 ? 'RESULT_LOST' : 'PEER_REFUSED';
      planted.unshift(await sut.deadLetter({ code }));
    }
    const first = await list('?limit=2');
    const second = await list(`?limit=2&cursor=${first.nextCursor}`);
    const third = await list(`?limit=2&cursor=${second.nextCursor}`);
    expect([first, second, third].flatMap(({ items }) => ids(items))).toEqual(planted);
    expect(third.nextCursor).toBeNull();
    expect([first.total, third.total]).toEqual([5, 5]);
    const lost = await list('?code=RESULT_LOST');
    expect([ids(lost.items), lost.total]).toEqual([[planted[2]], 1]);
    const foreign = Buffer.from('[1,"x"]').toString('base64url');
    const response = await sut.call(IT, `${PATH}?cursor=${foreign}`);
    expect(response.status).toBe(400);
  });
  it.each(['auditor.none', 'privacy-officer.own'])('%s sees no UID of a study', async (token) => {
    await sut.deadLetter();
    const { items } = await list('', token);
    expect(items[0]).toMatchObject({ studyInstanceUid: null, jobId: expect.any(String) });
    expect(JSON.stringify(items)).not.toContain(PATIENT.studyUid);
  });
  it('is one record for each look', async () => {
    const before = await sut.count();
    await sut.deadLetter();
    await list('?code=PEER_REFUSED');
    expect(await sut.count()).toBe(before + 1);
    expect(await newest()).toMatchObject({
      ...{ act: 'dead-letters.read', objectType: 'dead-letter', objectId: '*', userId: IT },
      detail: { deadLetters: 1, code: 'PEER_REFUSED' },
    });
  });
  it('counts in the status, with the oldest', async () => {
    const atMs = sut.clock.nowMs() - HOUR_MS;
    await sut.deadLetter({ atMs });
    await sut.deadLetter();
    const response = await sut.call(IT, '/api/v1/status');
    const status = gatewayRoutes.status.response.parse(await response.json());
    expect(status.deadLetters).toEqual({ count: 2, oldestMs: atMs });
    const metrics = await (await sut.call(undefined, '/metrics')).text();
    expect(metrics).toMatch(/aifi_gateway_dead_letters_count\{app="gateway"\} 2/);
  });
});

describe('sending one again', () => {
  it('queues it, takes its job up again, rings deliver and is on record with the patient', async () => {
    const id = await sut.deadLetter();
    const [records, rings] = [await sut.count(), sut.rings];
    expect(await replay(`${id}/replay`, {})).toEqual({ replayed: 1, skipped: 0 });
    expect(rowOf(id)).toEqual({
      ...{ state: 'QUEUED', replays: 1, job_state: 'REIDENTIFIED', code: null },
    });
    expect(sut.rings).toBe(rings + 1);
    expect(await sut.count()).toBe(records + 1);
    expect(await newest()).toMatchObject({
      ...{ act: 'dead-letter.replay', outcome: 'success', objectType: 'dead-letter', objectId: id },
      ...{ userId: IT, patientId: PATIENT.patientId },
      detail: { study: PATIENT.studyUid, code: 'PEER_REFUSED' },
    });
    expect((await list()).items).toEqual([]);
  });
  it('answers a repeat as before, and does nothing then', async () => {
    const id = await sut.deadLetter();
    const records = await sut.count();
    const first = await replay(`${id}/replay`, {}, 'key-of-one-letter');
    // The PACS refuses it a second time before the repeat comes.
    sut.clock.advance(5);
    await sut.database.write((sql) =>
      sql.run(`UPDATE delivery SET state = 'DEAD', dead_ms = ? WHERE state = 'QUEUED'`, 10 ** 13),
    );
    expect(await replay(`${id}/replay`, {}, 'key-of-one-letter')).toEqual(first);
    expect(rowOf(id)).toMatchObject({ state: 'DEAD', replays: 1 });
    expect(await sut.count()).toBe(records + 1);
  });
  it('skips what is no dead letter any more, or never was', async () => {
    const id = await sut.deadLetter();
    await replay(`${id}/replay`, {});
    expect(await replay(`${id}/replay`, {})).toEqual({ replayed: 0, skipped: 1 });
    expect(await replay('status_object:999/replay', {})).toEqual({ replayed: 0, skipped: 1 });
    expect(rowOf(id)).toMatchObject({ state: 'QUEUED', replays: 1 });
  });
  it.each(['x', 'delivery:0', 'delivery:-1', 'job:1', 'delivery:1;', 'delivery:1e3'])(
    'refuses %s as an id',
    async (id) => {
      const response = await sut.post(IT, `${PATH}/${encodeURIComponent(id)}/replay`, {});
      expect([response.status, problemSchema.parse(await response.json()).code]).toEqual([
        400,
        'INVALID_ARGUMENT',
      ]);
    },
  );
});

describe('an order that was cut before its effect', () => {
  const broken = (): Promise<ReplayCount> => Promise.reject(new Error('killed'));
  it('is on record, leaves the letter, and is carried out when it is asked again', async () => {
    const id = await sut.deadLetter();
    const store = sut.sources.deadLetters as { replay: unknown };
    const real = store.replay;
    store.replay = broken;
    const response = await sut.post(IT, `${PATH}/${id}/replay`, {}, 'key-of-a-cut');
    Reflect.deleteProperty(store, 'replay');
    expect([response.status, store.replay]).toEqual([500, real]);
    expect(rowOf(id)).toMatchObject({ state: 'DEAD', replays: 0 });
    const { items } = await sut.access.trail.search({ limit: 10, objectId: id });
    expect(items.map(({ outcome }) => outcome)).toEqual(['failed', 'success']);
    expect(await replay(`${id}/replay`, {}, 'key-of-a-cut')).toEqual({ replayed: 1, skipped: 0 });
    expect(rowOf(id)).toMatchObject({ state: 'QUEUED', replays: 1 });
    const after = await sut.access.trail.search({ limit: 10, objectId: id });
    expect(after.items).toHaveLength(2);
  });
  it('takes no letter that died after it', async () => {
    const [old, store] = [await sut.deadLetter(), sut.sources.deadLetters];
    const faulty = store as { replayAll: unknown };
    faulty.replayAll = broken;
    const order = ['replay', { all: true }, 'key-of-a-cut-bulk'] as const;
    expect((await sut.post(IT, `${PATH}/replay`, order[1], order[2])).status).toBe(500);
    Reflect.deleteProperty(faulty, 'replayAll');
    sut.clock.advance(10);
    const later = await sut.deadLetter();
    expect(await replay(...order)).toEqual({ replayed: 1, skipped: 0 });
    expect([rowOf(old)?.state, rowOf(later)?.state]).toEqual(['QUEUED', 'DEAD']);
  });
});

describe('sending many again', () => {
  it('takes those of one reason and age, and is one record', async () => {
    const atMs = sut.clock.nowMs() - 2 * HOUR_MS;
    const old = await sut.deadLetter({ atMs });
    const other = await sut.deadLetter({ atMs, code: 'RESULT_LOST' });
    const young = await sut.deadLetter();
    const records = await sut.count();
    const body = { code: 'PEER_REFUSED', olderThanMs: HOUR_MS };
    expect(await replay('replay', body)).toEqual({ replayed: 1, skipped: 0 });
    expect([old, other, young].map((id) => rowOf(id)?.state)).toEqual(['QUEUED', 'DEAD', 'DEAD']);
    expect(await sut.count()).toBe(records + 1);
    expect(await newest()).toMatchObject({
      ...{ act: 'dead-letter.replay', objectId: '*', patientId: null },
      detail: { deadLetters: 1, ...body },
    });
  });
  it('takes all when that is said, and counts what it had to skip', async () => {
    await sut.deadLetter();
    await sut.deadLetter({ code: 'RESULT_LOST' });
    const overtaken = await sut.deadLetter();
    await sut.database.write((sql) =>
      sql.run(
        `UPDATE job SET code = 'OUTPUT_INVALID' WHERE job_id =
           (SELECT job_id FROM delivery WHERE rowid = ?)`,
        Number(overtaken.split(':')[1]),
      ),
    );
    const key = 'key-of-all-letters';
    expect(await replay('replay', { all: true }, key)).toEqual({ replayed: 2, skipped: 1 });
    await sut.deadLetter();
    expect(await replay('replay', { all: true }, key)).toEqual({ replayed: 2, skipped: 1 });
    expect((await list()).items).toHaveLength(2);
    const { items } = await sut.access.trail.search({ limit: 200, objectId: '*' });
    const own = items.filter(({ detail }) => detail['all'] === true && detail['deadLetters'] === 3);
    expect(own).toHaveLength(1);
  });
  it.each([
    ['nothing', {}],
    ['all and a part', { all: true, code: 'PEER_REFUSED' }],
    ['a time that is none', { olderThanMs: -1 }],
    ['all as a word', { all: 'yes' }],
    ['more than it knows', { all: true, patientId: 'x' }],
  ])('refuses %s as a selection', async (_, body) => {
    const id = await sut.deadLetter();
    const response = await sut.post(IT, `${PATH}/replay`, body);
    expect(response.status).toBe(400);
    expect(rowOf(id)).toMatchObject({ state: 'DEAD', replays: 0 });
  });
});
