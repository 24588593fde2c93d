/**
 * Goal: nobody releases images of which they have not seen what matters, that cannot all be shown,
 * or that are gone. Method: the real interface over loopback on real databases and files of several
 * frames with planted holds; pictures and checks by the gateway's own thread.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { PIXEL_VIEWS, problemSchema, type PixelView } from '@aifi/contracts-rest';
import { PlantedGateway } from '../test/planted-gateway.js';
import type { PlantedHold } from '../test/planted-pixel-hold.js';

const IT = 'hospital-it.own.views';
const PATH = '/api/v1/pixel-holds';
const REASON = 'no name and no number is in the picture';
/** Pictures are made one after the other, each in a thread of its own. */
const PICTURES_MS = 20_000;

const sut = new PlantedGateway();
beforeAll(() => sut.start());
afterAll(() => sut.stop());
afterEach(() => sut.database.write((sql) => sql.run('DELETE FROM pixel_hold')));

async function open({ id }: PlantedHold): Promise<void> {
  const response = await sut.post(IT, `${PATH}/${id}/opening`, { reason: REASON });
  expect(response.status).toBe(200);
}
async function seeIn(view: PixelView, { id }: PlantedHold, frame: number): Promise<void> {
  const response = await sut.call(IT, `${PATH}/${id}/preview?frame=${frame}&view=${view}`);
  expect(response.status).toBe(200);
  await response.arrayBuffer();
}
/** In every view. */
async function see(hold: PlantedHold, ...frames: number[]): Promise<void> {
  for (const frame of frames) {
    for (const view of PIXEL_VIEWS) await seeIn(view, hold, frame);
  }
}
const step = ({ id, sha256 }: PlantedHold, what: 'release' | 'rejection'): Promise<Response> =>
  sut.post(IT, `${PATH}/${id}/${what}`, { sha256, reason: REASON });
async function refusalOf(response: Response): Promise<unknown> {
  const { code, title } = problemSchema.parse(await response.json());
  return [response.status, code, title];
}
const eventsOf = ({ jobId }: PlantedHold): string[] =>
  sut.database
    .read((sql) =>
      sql.all<{ event: string }>(
        'SELECT event FROM journal WHERE job_id = ? ORDER BY sequence',
        jobId,
      ),
    )
    .map(({ event }) => event);

describe('a release', () => {
  it.each<[string, number[], number[]]>([
    ['a loop without marks: first, middle and last', [], [0, 2, 4]],
    ['a loop with marks: these, first and last', [3, 1], [4, 3, 1, 0]],
  ])(
    'is refused before all of what matters was seen of %s',
    async (_, marked, wanted) => {
      const [hold] = await sut.pixelHolds({ frames: 5, marked });
      await open(hold!);
      for (const frame of wanted) {
        expect(await refusalOf(await step(hold!, 'release'))).toEqual([
          ...[409, 'STATE_CONFLICT', expect.stringMatching(/^look at the images first/)],
        ]);
        await see(hold!, frame);
      }
      const released = await step(hold!, 'release');
      expect(await released.json()).toMatchObject({ state: 'RELEASED', isTakenUp: true });
      const { items } = await sut.access.trail.search({ limit: 1 });
      expect(items[0]).toMatchObject({ detail: { framesSeen: wanted.length, frames: 5 } });
    },
    PICTURES_MS,
  );
  it(
    'is refused until each frame to see was seen in each view, and says which was not',
    async () => {
      const [hold] = await sut.pixelHolds({ frames: 2, marked: [] });
      await open(hold!);
      const looks = PIXEL_VIEWS.flatMap((view) => [0, 1].map((frame) => ({ view, frame })));
      // Whatever the last one is.
      const last = looks.splice(3, 1)[0]!;
      for (const { view, frame } of looks) await seeIn(view, hold!, frame);
      expect(await refusalOf(await step(hold!, 'release'))).toEqual([
        ...[409, 'STATE_CONFLICT'],
        'look at the images first: not seen yet: frame 1 in view full',
      ]);
      expect(eventsOf(hold!)).toEqual(['held']);
      await seeIn(last.view, hold!, last.frame);
      expect((await step(hold!, 'release')).status).toBe(200);
    },
    PICTURES_MS,
  );
  it(
    'does not count a view that somebody asked for and did not get',
    async () => {
      const [hold] = await sut.pixelHolds({ frames: 1, marked: [] });
      await open(hold!);
      await seeIn('window', hold!, 0);
      await seeIn('full', hold!, 0);
      const refused = await sut.call(IT, `${PATH}/${hold!.id}/preview?frame=0&view=Detail`);
      expect(refused.status).toBe(400);
      expect(await refusalOf(await step(hold!, 'release'))).toEqual([
        ...[409, 'STATE_CONFLICT', expect.stringMatching(/frame 0 in view detail$/)],
      ]);
      const rejected = await step(hold!, 'rejection');
      expect(await rejected.json()).toMatchObject({ state: 'REJECTED' });
    },
    PICTURES_MS,
  );
  it(
    'is refused when any frame does not decode, also one that nobody has to see',
    async () => {
      const [hold] = await sut.pixelHolds({ frames: 5, marked: [], broken: 1 });
      await open(hold!);
      await see(hold!, 0, 2, 4);
      expect(await refusalOf(await step(hold!, 'release'))).toEqual([
        ...[409, 'STATE_CONFLICT', 'a frame of these images cannot be shown: reject them'],
      ]);
      expect(eventsOf(hold!)).toEqual(['held']);
      const rejected = await step(hold!, 'rejection');
      expect(await rejected.json()).toMatchObject({ state: 'REJECTED' });
    },
    PICTURES_MS,
  );
  it('is not found when the images are gone, seen or not', async () => {
    const [first, second] = await sut.pixelHolds({ files: 2 });
    await open(first!);
    await see(first!, 0);
    const digests = [first!.sha256, second!.sha256];
    await sut.database.write((sql) =>
      sql.run('UPDATE instance SET removed_ms = 1 WHERE sha256 IN (?, ?)', ...digests),
    );
    for (const hold of [first!, second!]) {
      expect(await refusalOf(await step(hold, 'release'))).toEqual([
        ...[404, 'NOT_FOUND', 'the images are no longer kept'],
      ]);
    }
    expect(eventsOf(first!)).toEqual(['held']);
  });
});
