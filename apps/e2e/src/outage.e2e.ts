/**
 * Goal: while the hub is away, a hospital goes on: studies are accepted and kept, a result that was
 * complete before is delivered, and afterwards all of it goes on, acute first, nothing lost; a hub
 * that is gone without a word is noticed.
 * Method: one hospital as real processes with fault proxies on its edges. The hub is stopped for
 * AIFI_OUTAGE_S seconds (20 in CI, 600 by hand); pixels of each study say which one it is.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodePart10 } from '@aifi/dicom-core';
import {
  CodedStudy,
  oracleOf,
  productOf,
  sendInstance,
  writeOracleModels,
  type Lane,
} from '@aifi/chaos';
import { Stack, type Edge, type Hospital } from '@aifi/demo';
import { FaultProxy } from '@aifi/fault-injection';
import { hasPeers, temporaryFolder } from '@aifi/shared-testing';
import { gatewayStatus } from './gateway-status.js';

const OUTAGE_MS = Number(process.env['AIFI_OUTAGE_S'] ?? '20') * 1_000;
/** Between two studies of the outage: a long one is not a longer queue only. @unit ms */
const EVERY_MS = Math.max(1_500, OUTAGE_MS / 40);
const START_MS = 120_000;
const DRAIN_MS_MAX = 600_000;
/** A dial into the hole has to time out before the next one is made. @unit ms */
const RECONNECT_MS_MAX = 300_000;
const LOOK_MS = 250;
const SITE = 'site-a';
const TERMINAL = /^(RESULT_IN_PACS|NOT_)/;
const suite = hasPeers('Orthanc') ? describe : describe.skip;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

suite('an outage of the hub', () => {
  const folder = temporaryFolder('outage');
  const proxies = new Map<Edge['kind'], FaultProxy>();
  const runId = `outage-${process.pid}-${Date.now()}`;
  const sent: CodedStudy[] = [];
  let stack: Stack;
  let hospital: Hospital;

  beforeAll(async () => {
    writeOracleModels(folder.path);
    stack = await Stack.start({
      ...{ siteIds: [SITE], environment: process.env, quietMs: 1_000 },
      modelsFolder: folder.path,
      // A long outage is no reason to give a study up.
      gatewaySettings: () => ({ deadlines: { acuteMs: 7_200_000, routineMs: 7_200_000 } }),
      reroute: async ({ kind, port: targetPort }) => {
        const proxy = await FaultProxy.start({ targetPort, random: Math.random });
        proxies.set(kind, proxy);
        return proxy.port;
      },
    });
    hospital = stack.parts.hospitals[0]!;
  }, START_MS);
  afterAll(async () => {
    for (const proxy of proxies.values()) await proxy.close();
    await stack?.stop();
    folder.remove();
  }, START_MS);

  /** Into the PACS and from there to the gateway; throws when the gateway does not take it. */
  async function send(lane: Lane): Promise<CodedStudy> {
    const study = new CodedStudy({
      ...{ runId, site: SITE, siteIndex: 0, study: sent.length, kind: 'plain', lane },
      nowMs: Date.now(),
    });
    sent.push(study);
    await hospital.pacs.upload(study.image(0));
    await sendInstance(hospital.pacs, study.sopInstanceUid(0));
    return study;
  }
  async function stateOf({ sent: { studyUid, product } }: CodedStudy): Promise<string> {
    const studies = await hospital.gateway.studies();
    const seen = studies?.find(({ studyInstanceUid }) => studyInstanceUid === studyUid);
    return seen?.products.find((candidate) => candidate.product === product)?.state ?? 'none';
  }
  async function until(isSo: () => Promise<boolean>, maxMs = START_MS): Promise<void> {
    const endMs = performance.now() + maxMs;
    while (!(await isSo())) {
      if (performance.now() > endMs) throw new Error('it did not get there in time');
      await sleep(LOOK_MS);
    }
  }
  async function isUp(): Promise<boolean> {
    return (await gatewayStatus(hospital)).link === 'up';
  }
  /** When the hub had the study whole, in the order of the gateway's own journal. */
  async function uploadedAtMs({ sent: { studyUid, product } }: CodedStudy): Promise<number> {
    const trace = await hospital.gateway.trace(studyUid);
    const jobId = trace?.jobs.find((job) => job.product === product)?.jobId;
    const row = trace?.journal.find((one) => one.jobId === jobId && one.event === 'uploaded');
    return row?.atMs ?? Infinity;
  }

  it(
    'takes studies, delivers what was complete, and drains acute first without a loss',
    async () => {
      // A gateway that was never told which products may be used delivers nothing of an outage.
      await until(async () => (await gatewayStatus(hospital)).killState !== null);
      // Complete before: its result is at the gateway, and only the PACS keeps it waiting.
      await proxies.get('pacs')!.refuse();
      const complete = await send('acute');
      await until(async () => (await stateOf(complete)) === 'REIDENTIFIED');

      await stack.parts.hub.stop();
      const fromMs = performance.now();
      await proxies.get('pacs')!.heal();
      const spool: number[] = [];
      const during: Record<Lane, CodedStudy[]> = { routine: [], acute: [] };
      for (let n = 0; n < 6 || performance.now() - fromMs < OUTAGE_MS; n += 1) {
        // Routine ones came first: their place in the queue is not their turn.
        const lane: Lane = n % 2 === 0 ? 'routine' : 'acute';
        during[lane].push(await send(lane));
        await sleep(EVERY_MS);
        spool.push((await gatewayStatus(hospital)).spool.jobs);
      }
      const all = [...during.routine, ...during.acute];
      await until(async () => (await gatewayStatus(hospital)).spool.jobs === all.length);
      expect(spool).toEqual([...spool].sort((a, b) => a - b));
      expect(await isUp()).toBe(false);
      await until(async () => (await stateOf(complete)) === 'RESULT_IN_PACS');
      expect(stack.parts.hub.isRunning).toBe(false);

      await stack.parts.hub.start();
      const backMs = performance.now();
      await until(async () => {
        const states = await Promise.all(all.map(stateOf));
        return states.every((state) => TERMINAL.test(state));
      }, DRAIN_MS_MAX);
      const seconds = ((performance.now() - backMs) / 1_000).toFixed(1);
      console.log(`outage ${OUTAGE_MS / 1_000} s: ${all.length} studies done after ${seconds} s`);
      expect(await Promise.all(sent.map(stateOf))).toEqual(sent.map(() => 'RESULT_IN_PACS'));
      const times = async (lane: Lane): Promise<number[]> =>
        (await Promise.all(during[lane].map(uploadedAtMs))).sort((a, b) => a - b);
      const [acute, routine] = [await times('acute'), await times('routine')];
      // Some are on their way at the same time; the lanes as a whole are not.
      const middle = (list: number[]): number => list[Math.floor((list.length - 1) / 2)]!;
      expect(middle(acute)).toBeLessThan(middle(routine));
    },
    OUTAGE_MS + START_MS + DRAIN_MS_MAX,
  );

  it(
    'has each result in the PACS once, made from the pixels of its own study',
    async () => {
      for (const [number, study] of sent.entries()) {
        const { studyUid, product } = study.sent;
        const trace = await hospital.gateway.trace(studyUid);
        const job = trace!.jobs.find((candidate) => candidate.product === product)!;
        expect(job.deliveries.length).toBeGreaterThan(0);
        const told = await Promise.all(
          job.deliveries.map(async ({ sopInstanceUid }) => {
            const ids = await hospital.pacs.find('Instance', sopInstanceUid);
            expect(ids).toHaveLength(1);
            return oracleOf(decodePart10(await hospital.pacs.file(ids[0]!)).dataset);
          }),
        );
        expect(told.flat()).toEqual([{ site: 0, study: number, image: 0 }]);
      }
    },
    START_MS,
  );

  it(
    'notices a hub that is gone without a word, and goes on when it is back',
    async () => {
      await until(isUp);
      proxies.get('link')!.set('both', { mode: 'drop' });
      const fromMs = performance.now();
      await until(async () => !(await isUp()));
      const seconds = ((performance.now() - fromMs) / 1_000).toFixed(1);
      console.log(`half-open link noticed after ${seconds} s`);
      const during = await send('acute');
      await proxies.get('link')!.heal();
      await until(async () => (await stateOf(during)) === 'RESULT_IN_PACS', RECONNECT_MS_MAX);
      expect(during.sent.product).toBe(productOf('acute'));
    },
    START_MS + RECONNECT_MS_MAX,
  );
});
