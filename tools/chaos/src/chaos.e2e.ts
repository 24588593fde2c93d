/**
 * Goal: kill -9 of gateway, hub and worker loses nothing, doubles nothing and mixes up nothing.
 * Method: the chaos runner with the budget of a pull request: one run at one point of each.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Stack } from '@aifi/demo';
import { hasPeers } from '@aifi/shared-testing';
import { runChaos } from './chaos-run.js';
import type { Point } from './points.js';

const RUN_MS = 180_000;
const suite = hasPeers('Orthanc') ? describe : describe.skip;

suite('chaos', () => {
  let stack: Stack;
  beforeAll(async () => {
    const environment = process.env;
    stack = await Stack.start({ siteIds: ['site-a', 'site-b'], environment, quietMs: 1_500 });
  }, RUN_MS);
  afterAll(() => stack?.stop(), RUN_MS);

  it.each<Point>(['gateway.deliver.after-store', 'hub.results.sealed', 'worker.model-running'])(
    'survives a death at %s',
    async (point) => {
      const { problems } = await runChaos(
        stack,
        point,
        `e2e-${process.pid}-${Date.now()}-${point}`,
      );
      expect(problems).toEqual([]);
    },
    RUN_MS,
  );
});
