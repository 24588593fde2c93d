/**
 * Goal: a kill -9 of the hub and of the gateway in the middle of a large upload loses nothing and
 * delivers nothing twice (all other moments: tools/chaos). Method: processes armed with a crash
 * point die there by SIGKILL and are started again; the PACS is counted at the end.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeFileMeta } from '@aifi/dicom-core';
import {
  DEMO_DATA_FOLDER,
  demoStudies,
  deviations,
  followStudies,
  Stack,
  type ManagedProcess,
  type StudyRun,
} from '@aifi/demo';
import { hasPeers } from '@aifi/shared-testing';
import { readBack } from './followed-study.js';

const RUN_MS = 600_000;
const suite = hasPeers('Orthanc') ? describe : describe.skip;

suite('kill -9', () => {
  let stack: Stack;
  const originals = new Set<string>();
  beforeAll(async () => {
    stack = await Stack.start({ siteIds: ['site-a'], environment: process.env });
  }, RUN_MS);
  afterAll(async () => {
    await stack?.stop();
  }, RUN_MS);

  /** Restarts a process so that it dies at the point, and once more as soon as it has. */
  async function dieAt(process: ManagedProcess, point: string, deaths: string[]): Promise<void> {
    await process.stop();
    await process.start({ AIFI_CRASH_AT: point });
    void process.exited.then(async () => {
      deaths.push(point);
      await process.start();
    });
  }
  async function runT1(): Promise<StudyRun> {
    const runId = `kill-${process.pid}-${Date.now()}`;
    const products = stack.parts.products.map(({ product }) => product);
    const [t1] = demoStudies(DEMO_DATA_FOLDER, { runId, nowMs: Date.now(), products });
    for (const bytes of t1!.instances()) {
      originals.add(decodeFileMeta(bytes).meta.sopInstanceUid);
    }
    const [run] = await followStudies({
      hospitals: stack.parts.hospitals,
      studiesOf: () => [t1!],
      deadlineMs: 300_000,
    });
    return run!;
  }

  it(
    'loses nothing and doubles nothing while 256 objects are under way',
    async () => {
      const [hospital] = stack.parts.hospitals;
      const deaths: string[] = [];
      const [hubPoint, gatewayPoint] = [
        'hub.objects.before-sync#100',
        'gateway.uplink.before-close',
      ];
      await dieAt(stack.parts.hub, hubPoint, deaths);
      await dieAt(hospital!.gatewayProcess, gatewayPoint, deaths);
      const run = await runT1();
      expect(deaths.sort()).toEqual([gatewayPoint, hubPoint].sort());
      expect(deviations(run)).toEqual([]);
      const { objects, results, statusObjects } = await readBack(stack, run, (uid) =>
        originals.has(uid),
      );
      const told = run.seen!.products.flatMap((product) => product.results);
      expect(results.map(({ sopInstanceUid }) => sopInstanceUid).sort()).toEqual(
        told.map(({ sopInstanceUid }) => sopInstanceUid).sort(),
      );
      expect(new Set(told.map(({ role }) => role)).size).toBe(told.length);
      expect(objects.size).toBe(256 + told.length + statusObjects.length);
    },
    RUN_MS,
  );
});
