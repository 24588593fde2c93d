/**
 * Goal: a person sees the held images, of exactly the bytes that are held, decides on them, and the
 * job goes on or ends; each look and each decision is on record exactly once, before anything
 * happens, and a repeat is no second one. Method: the real interface over loopback on real
 * databases and files with planted holds; pictures by the gateway's own thread.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { decode } from 'fast-png';
import {
  gatewayRoutes,
  PIXEL_VIEWS,
  problemSchema,
  type AuditRecord,
  type PixelDecisionView,
  type PixelOpening,
} from '@aifi/contracts-rest';
import { partsOf, PATIENT, PlantedGateway, VIP } from '../test/planted-gateway.js';
import { pictureOf, SIDE, type PlantedHold } from '../test/planted-pixel-hold.js';

const IT = 'hospital-it.own.queue';
const RADIOGRAPHER = 'radiographer.own.queue';
const PATH = '/api/v1/pixel-holds';
const REASON = 'no name and no number is in the picture';
const MINUTE_MS = 60_000;

const sut = new PlantedGateway();
beforeAll(() => sut.start());
afterAll(() => sut.stop());
afterEach(() => sut.database.write((sql) => sql.run('DELETE FROM pixel_hold')));

async function list(query = '', token = IT) {
  const response = await sut.call(token, `${PATH}${query}`);
  expect(response.status).toBe(200);
  return gatewayRoutes.pixelHolds.response.parse(await response.json());
}
const open = (hold: PlantedHold, token = IT, reason: string | null = REASON): Promise<Response> =>
  sut.post(token, `${PATH}/${hold.id}/opening`, { reason });
const preview = (hold: PlantedHold, token = IT, query = 'frame=0'): Promise<Response> =>
  sut.call(token, `${PATH}/${hold.id}/preview?${query}`);
/** Opens and sees all there is. */
async function look(hold: PlantedHold, token = IT): Promise<PixelOpening> {
  const opened = await open(hold, token);
  expect(opened.status).toBe(200);
  for (const view of PIXEL_VIEWS) {
    const png = await preview(hold, token, `view=${view}`);
    expect(png.status).toBe(200);
    await png.arrayBuffer();
  }
  return gatewayRoutes.openPixelHold.response.parse(await opened.json());
}
type Step = 'release' | 'rejection';
const step = (hold: PlantedHold, what: Step, more: { token?: string; key?: string } = {}) => {
  const body = { sha256: hold.sha256, reason: REASON };
  return sut.post(more.token ?? IT, `${PATH}/${hold.id}/${what}`, body, more.key);
};
async function decided(
  hold: PlantedHold,
  what: Step,
  more: { token?: string; key?: string } = {},
): Promise<PixelDecisionView> {
  const response = await step(hold, what, more);
  expect(response.status).toBe(200);
  return gatewayRoutes.releasePixelHold.response.parse(await response.json());
}
async function refusalOf(response: Response): Promise<unknown> {
  const { code, title } = problemSchema.parse(await response.json());
  return [response.status, code, title];
}
const jobOf = ({ jobId }: PlantedHold) =>
  sut.database.read((sql) =>
    sql.get<{ state: string; code: string | null; detail: string | null }>(
      'SELECT state, code, detail FROM job WHERE job_id = ?',
      jobId,
    ),
  );
const eventsOf = ({ jobId }: PlantedHold): string[] =>
  sut.database
    .read((sql) =>
      sql.all<{ event: string }>(
        'SELECT event FROM journal WHERE job_id = ? ORDER BY sequence',
        jobId,
      ),
    )
    .map(({ event }) => event);
async function newest(count = 1): Promise<readonly AuditRecord[]> {
  return (await sut.access.trail.search({ limit: count })).items;
}

describe('the list of held images', () => {
  it('says what, where, since when, until when and why, and nothing of the patient', async () => {
    const [hold] = await sut.pixelHolds({ studyUid: VIP.studyUid, lane: 'acute' });
    const { items, nextCursor, total } = await list();
    expect(items).toEqual([
      {
        ...{ id: hold!.id, jobId: hold!.jobId, sha256: hold!.sha256, files: 1, lane: 'acute' },
        ...{ product: expect.any(String), reason: 'text was seen', isLate: false },
        ...{ heldAtMs: sut.clock.nowMs(), deadlineAtMs: sut.clock.nowMs() + 600 },
        ...{ studyInstanceUid: VIP.studyUid, asksReason: true },
        findings: [{ frame: 0, x: 2, y: 8, width: 60, height: 2 }],
      },
    ]);
    expect([nextCursor, total]).toEqual([null, 1]);
    expect(partsOf(VIP).filter((part) => JSON.stringify(items).includes(part))).toEqual([]);
    const [record] = await newest();
    expect(record).toMatchObject({ act: 'pixel-holds.read', patientId: null, objectId: '*' });
  });
  it('has acute ones first, then the oldest, each once on its pages, and takes one job', async () => {
    const planted: PlantedHold[] = [];
    for (const lane of ['routine', 'acute', 'routine', 'acute'] as const) {
      sut.clock.advance(1_000);
      planted.push(...(await sut.pixelHolds({ lane })));
    }
    const [first, second, third, fourth] = planted.map(({ id }) => id);
    const pages = [];
    for (let query = '?limit=1'; query !== '';) {
      const { items, nextCursor, total } = await list(query);
      expect(total).toBe(4);
      pages.push(...items.map(({ id }) => id));
      query = nextCursor === null ? '' : `?limit=1&cursor=${nextCursor}`;
    }
    expect(pages).toEqual([second, fourth, first, third]);
    const one = await list(`?jobId=${planted[2]!.jobId}`);
    expect([one.items.map(({ id }) => id), one.total]).toEqual([[third], 1]);
    const wrong = await sut.call(IT, `${PATH}?cursor=WzEsIngiXQ`);
    expect(await refusalOf(wrong)).toEqual([400, 'INVALID_ARGUMENT', expect.any(String)]);
  });
  it('names no study to who has no list of studies, and asks who may see everybody no reason', async () => {
    await sut.pixelHolds();
    const officer = await list('', 'privacy-officer.own');
    expect(officer.items[0]).toMatchObject({ studyInstanceUid: null });
    expect((await list('', RADIOGRAPHER)).items[0]).toMatchObject({ asksReason: false });
  });
  it('leaves out images that retention has removed, and counts in the status what is left', async () => {
    const [kept, gone] = await sut.pixelHolds({ files: 2 });
    await sut.database.write((sql) =>
      sql.run('UPDATE instance SET removed_ms = 1 WHERE sha256 = ?', gone!.sha256),
    );
    expect((await list()).items.map(({ id }) => id)).toEqual([kept!.id]);
    const status = (await (await sut.call(IT, '/api/v1/status')).json()) as object;
    expect(status).toMatchObject({ pixelHolds: { count: 1, oldestMs: sut.clock.nowMs() } });
    expect(await refusalOf(await open(gone!))).toEqual([
      ...[404, 'NOT_FOUND', 'no images wait here, or they are no longer kept'],
    ]);
  });
});

describe('a look', () => {
  it('shows the picture whole, of the size that the findings count in', async () => {
    const [hold] = await sut.pixelHolds();
    const opening = await look(hold!);
    expect(opening).toEqual({
      ...{ id: hold!.id, sha256: hold!.sha256, frames: 1, rows: SIDE, columns: SIDE },
      untilMs: sut.clock.nowMs() + 15 * MINUTE_MS,
    });
    const response = await preview(hold!);
    expect(response.headers.get('content-type')).toBe('image/png');
    const png = decode(new Uint8Array(await response.arrayBuffer()));
    expect([png.width, png.height]).toEqual([SIDE, SIDE]);
    // The bright line is there: nothing is blacked out for who has to see it.
    const line = [...png.data.slice(SIDE * 8, SIDE * 9)];
    expect(new Set(line).size).toBe(1);
    expect(line[0]).toBeGreaterThan(png.data[SIDE * 7 + SIDE - 1]!);
  });
  it('has three views, of which the window is meant when none is told, and no other', async () => {
    const [hold] = await sut.pixelHolds();
    await look(hold!);
    const bytesOf = async (query: string): Promise<string> =>
      Buffer.from(await (await preview(hold!, IT, query)).arrayBuffer()).toString('base64');
    const pictures = await Promise.all(PIXEL_VIEWS.map((view) => bytesOf(`view=${view}`)));
    expect(new Set(pictures).size).toBe(PIXEL_VIEWS.length);
    expect(await bytesOf('frame=0')).toBe(pictures[0]);
    for (const query of ['view=inverted', 'view=', 'view=full&view=detail', 'View=full']) {
      expect(await refusalOf(await preview(hold!, IT, query))).toEqual([
        ...[400, 'INVALID_ARGUMENT', expect.stringMatching(/^the request does not match/)],
      ]);
    }
  });
  it('is one record for the opening and one for each picture, with the patient', async () => {
    const [hold] = await sut.pixelHolds();
    const before = await sut.count();
    await look(hold!);
    expect(await sut.count()).toBe(before + 1 + PIXEL_VIEWS.length);
    const [detailed, full, picture, opening] = await newest(4);
    const both = { act: 'pixel-hold.open', objectId: hold!.id, patientId: PATIENT.patientId };
    const detail = { study: PATIENT.studyUid, sha256: hold!.sha256, jobId: hold!.jobId };
    expect(opening).toMatchObject({ ...both, reason: REASON, detail });
    expect(picture).toMatchObject({ ...both, reason: null, detail: { ...detail, frame: 0 } });
    const views = [picture, full, detailed].map((record) => record!.detail['view']);
    expect(views).toEqual([...PIXEL_VIEWS]);
  });
  it('needs a reason of hospital IT, and of everybody for a masked patient', async () => {
    const [hold] = await sut.pixelHolds({ studyUid: VIP.studyUid });
    expect((await open(hold!, IT, null)).status).toBe(400);
    expect((await open(hold!, RADIOGRAPHER, null)).status).toBe(200);
    await sut.flag(VIP, 'vip');
    const before = sut.access.alerts.list({ limit: 200 }).items.length;
    expect((await open(hold!, RADIOGRAPHER, null)).status).toBe(400);
    expect(sut.access.alerts.list({ limit: 200 }).items).toHaveLength(before);
    expect((await open(hold!, RADIOGRAPHER)).status).toBe(200);
    const alerts = sut.access.alerts.list({ limit: 200 }).items;
    expect(alerts).toHaveLength(before + 1);
    expect(alerts[0]).toMatchObject({ masked: 'vip', studyInstanceUid: VIP.studyUid });
    expect((await list('', RADIOGRAPHER)).items[0]).toMatchObject({ asksReason: true });
  });
  it('is the own one of who opened it, and ends', async () => {
    const [hold] = await sut.pixelHolds();
    await look(hold!);
    expect((await preview(hold!, RADIOGRAPHER)).status).toBe(409);
    sut.clock.advance(15 * MINUTE_MS);
    expect((await preview(hold!)).status).toBe(409);
  });
  it('never shows other bytes than those that are held', async () => {
    const [first, second] = await sut.pixelHolds({ files: 2 });
    writeFileSync(first!.path, pictureOf('1.2.3'));
    expect(((await refusalOf(await open(first!))) as unknown[])[1]).toBe('DIGEST_MISMATCH');
    await look(second!);
    appendFileSync(second!.path, 'x');
    expect(((await refusalOf(await preview(second!))) as unknown[])[1]).toBe('DIGEST_MISMATCH');
    rmSync(second!.path);
    expect((await preview(second!)).status).toBe(404);
  });
  it('has no frame beyond the last one', async () => {
    const [hold] = await sut.pixelHolds();
    await look(hold!);
    expect((await preview(hold!, IT, 'frame=1')).status).toBe(404);
  });
});

describe('a release', () => {
  it('takes the job up again once all its files are released, and rings', async () => {
    const [first, second] = await sut.pixelHolds({ files: 2 });
    await look(first!);
    await look(second!, RADIOGRAPHER);
    expect(await decided(first!, 'release')).toEqual({
      ...{ id: first!.id, state: 'RELEASED', isDecided: true, waiting: 1, isTakenUp: false },
    });
    expect(jobOf(first!)).toMatchObject({ state: 'QUARANTINED', code: 'QUARANTINED_PIXELS' });
    const rings = sut.jobRings;
    const last = await decided(second!, 'release', { token: RADIOGRAPHER });
    expect(last).toMatchObject({ waiting: 0, isTakenUp: true });
    expect(sut.jobRings).toBe(rings + 1);
    expect(jobOf(first!)).toEqual({ state: 'SELECTED', code: null, detail: null });
    expect(eventsOf(first!)).toEqual(['held', 'released', 'released', 'reopened']);
  });
  it('is one record, with the digest, the reason and what was seen', async () => {
    const [hold] = await sut.pixelHolds();
    await look(hold!);
    const before = await sut.count();
    await decided(hold!, 'release');
    expect(await sut.count()).toBe(before + 1);
    expect((await newest())[0]).toMatchObject({
      ...{ act: 'pixel-hold.release', outcome: 'success', reason: REASON },
      ...{ objectId: hold!.id, patientId: PATIENT.patientId, userId: IT },
      detail: {
        ...{ sha256: hold!.sha256, jobId: hold!.jobId, framesSeen: 1, frames: 1 },
        views: 'window full detail',
      },
    });
  });
  it('works after the deadline too', async () => {
    const [hold] = await sut.pixelHolds();
    await sut.database.write((sql) =>
      sql.run(
        `UPDATE job SET state = 'NOT_ANALYSED_NOTIFIED', terminal_ms = 1 WHERE job_id = ?`,
        hold!.jobId,
      ),
    );
    expect((await list()).items[0]).toMatchObject({ isLate: true });
    await look(hold!);
    expect(await decided(hold!, 'release')).toMatchObject({ isTakenUp: true });
    expect(jobOf(hold!)).toMatchObject({ state: 'SELECTED' });
  });
  it('is refused to who has not looked, to who looked too long ago, and of other bytes', async () => {
    const [hold] = await sut.pixelHolds();
    const unseen = [409, 'STATE_CONFLICT', expect.stringMatching(/^look at the images first/)];
    expect(await refusalOf(await step(hold!, 'release'))).toEqual(unseen);
    await open(hold!);
    expect(await refusalOf(await step(hold!, 'release'))).toEqual(unseen);
    await look(hold!);
    const other = { ...hold!, sha256: 'e'.repeat(64) };
    expect(await refusalOf(await step(other, 'release'))).toEqual([
      ...[409, 'STATE_CONFLICT', 'these are other images than those that were shown'],
    ]);
    sut.clock.advance(15 * MINUTE_MS);
    expect(await refusalOf(await step(hold!, 'release'))).toEqual(unseen);
    expect(jobOf(hold!)).toMatchObject({ state: 'QUARANTINED' });
    expect((await list()).total).toBe(1);
  });
  it('needs a fresh sign-in and a key', async () => {
    const [hold] = await sut.pixelHolds();
    await look(hold!);
    const stale = await step(hold!, 'release', { token: `stale.${IT}` });
    expect(await refusalOf(stale)).toEqual([401, 'STEP_UP_REQUIRED', expect.any(String)]);
    const without = await sut.call(IT, `${PATH}/${hold!.id}/release`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
      body: JSON.stringify({ sha256: hold!.sha256, reason: REASON }),
    });
    expect(without.status).toBe(400);
    expect(jobOf(hold!)).toMatchObject({ state: 'QUARANTINED' });
  });
  it('asked again with the same key is the same answer and no second record', async () => {
    const [hold] = await sut.pixelHolds();
    await look(hold!);
    const first = await decided(hold!, 'release', { key: 'release-key-1' });
    const before = await sut.count();
    expect(await decided(hold!, 'release', { key: 'release-key-1' })).toEqual(first);
    expect(await sut.count()).toBe(before);
    expect(eventsOf(hold!)).toEqual(['held', 'released', 'reopened']);
  });
  it('that was ordered and not carried out is carried out when asked again', async () => {
    const [hold] = await sut.pixelHolds();
    await look(hold!);
    const write = sut.database.write.bind(sut.database);
    sut.database.write = () => Promise.reject(new Error('killed'));
    expect((await step(hold!, 'release', { key: 'release-key-2' })).status).toBe(500);
    sut.database.write = write;
    expect(jobOf(hold!)).toMatchObject({ state: 'QUARANTINED' });
    const answer = await decided(hold!, 'release', { key: 'release-key-2' });
    expect(answer).toMatchObject({ isDecided: true, isTakenUp: true });
  });
  it('of what somebody has decided on changes nothing and says so', async () => {
    const [hold] = await sut.pixelHolds();
    await look(hold!);
    await decided(hold!, 'rejection');
    sut.clock.advance(1_000);
    expect(await decided(hold!, 'release')).toEqual({
      ...{ id: hold!.id, state: 'REJECTED', isDecided: false, waiting: 0, isTakenUp: false },
    });
    expect(jobOf(hold!)).toMatchObject({ state: 'NOT_ANALYSED_NOTIFIED' });
  });
});

describe('a rejection', () => {
  it('ends the job at once, and nobody has to look at its other images', async () => {
    const [first] = await sut.pixelHolds({ files: 3 });
    // Who knows that they may not leave need not look.
    expect(await decided(first!, 'rejection')).toMatchObject({ state: 'REJECTED', waiting: 0 });
    expect(jobOf(first!)).toEqual({
      ...{ state: 'NOT_ANALYSED_NOTIFIED', code: 'QUARANTINED_PIXELS' },
      detail: 'a person has rejected the images',
    });
    expect(eventsOf(first!)).toEqual(['held', 'rejected']);
    expect((await list()).items).toEqual([]);
    expect((await newest(2))[1]).toMatchObject({ act: 'pixel-hold.reject', reason: REASON });
  });
  it('of images that are not here is not found', async () => {
    const response = await sut.post(IT, `${PATH}/999999/rejection`, {
      ...{ sha256: 'e'.repeat(64), reason: REASON },
    });
    expect(response.status).toBe(404);
  });
});

describe('a retry', () => {
  const retry = async (jobId: string, key?: string) => {
    const response = await sut.post(IT, `/api/v1/jobs/${jobId}/retry`, { reason: REASON }, key);
    expect(response.status).toBe(200);
    return gatewayRoutes.retryJob.response.parse(await response.json());
  };
  it('takes up a job that was stopped for its identity, once', async () => {
    const [hold] = await sut.pixelHolds();
    await sut.database.write((sql) => {
      sql.run('DELETE FROM pixel_hold');
      sql.run(
        `UPDATE job SET state = 'NOT_ANALYSED_NOTIFIED', code = 'QUARANTINED_IDENTIFIER'
          WHERE job_id = ?`,
        hold!.jobId,
      );
    });
    const taken = { jobId: hold!.jobId, isTakenUp: true, state: 'SELECTED' };
    expect(await retry(hold!.jobId, 'retry-key-01')).toEqual(taken);
    expect((await newest())[0]).toMatchObject({
      ...{ act: 'job.retry', objectId: hold!.jobId, reason: REASON },
      detail: { code: 'QUARANTINED_IDENTIFIER' },
    });
    expect(await retry(hold!.jobId, 'retry-key-01')).toEqual(taken);
    sut.clock.advance(1);
    expect(await retry(hold!.jobId)).toMatchObject({ isTakenUp: false, state: 'SELECTED' });
    expect(eventsOf(hold!)).toEqual(['held', 'reopened']);
  });
  it('leaves a job alone whose images wait for a person, and one that ended otherwise', async () => {
    const [hold] = await sut.pixelHolds();
    expect(await retry(hold!.jobId)).toMatchObject({ isTakenUp: false, state: 'QUARANTINED' });
    expect(await retry(PATIENT.jobId)).toMatchObject({ isTakenUp: false });
    const unknown = await sut.post(IT, `/api/v1/jobs/${'9'.repeat(32)}/retry`, { reason: REASON });
    expect(unknown.status).toBe(404);
  });
});
