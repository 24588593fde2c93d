/**
 * Goal: kill -9 of gateway, listener, hub, worker, model and PostgreSQL, a misbehaving network, a
 * frozen process, a shifted clock and a full disk lose nothing, double nothing and give nothing to
 * somebody else. Method: the chaos runner with the budget of a pull request: a fixed seed, two
 * hospitals with equal UIDs, a few points of each process; pixels say whose result it is.
 */
import { describe, expect, it } from '@jest/globals';
import { hasPeers } from '@aifi/shared-testing';
import { ensureFaketime } from '../../../deploy/services/faketime/install.mjs';
import { runChaos } from './chaos-run.js';

/** Start, trouble, 120 s until all work is done, and the end of all processes. */
const RUN_MS = 400_000;
/** One of each way of the data: in, out, away, back, and into the PACS. */
const POINTS = [
  'gateway.receive.before-answer',
  'gateway.uplink.after-close',
  'gateway.deliver.after-store',
  'hub.ingest.object-durable',
  'hub.results.sealed',
];
const KILLS = 5;
const suite = hasPeers('Orthanc') ? describe : describe.skip;

suite('chaos', () => {
  it(
    'loses, doubles and misdelivers nothing while everything breaks',
    async () => {
      const faketime = ensureFaketime();
      if (!faketime.ok && process.env['CI'] === 'true') throw new Error(faketime.reason);
      const lines: string[] = [];
      const report = await runChaos({
        ...{ seed: 'pull-request', siteIds: ['site-a', 'site-b'], environment: process.env },
        // It ends as soon as all of this is done; a slow machine needs more time, not luck.
        ...{ troubleMs: 150_000, killsWithinMs: 25_000, studiesMax: 8 },
        ...{ kills: KILLS, points: POINTS, hitsEach: 1 },
        faults: { longestMs: 2_500, everyMs: 4_000 },
        say: (line) => lines.push(line),
        onFailure: ({ events }) => lines.push(...events.map((event) => JSON.stringify(event))),
      });
      const { troubleSeconds, settleSeconds } = report;
      const [trouble, settle] = [troubleSeconds, settleSeconds].map(Math.round);
      console.log(`chaos: ${trouble} s of trouble, all work done ${settle} s after it`);
      if (report.problems.length > 0) console.error(lines.join('\n'));
      expect(report.problems).toEqual([]);
      const { accepted, delivered, notAnalysed, oracles } = report.figures;
      expect(accepted).toBeGreaterThan(0);
      expect(delivered + notAnalysed).toBe(accepted);
      expect(oracles).toBeGreaterThanOrEqual(delivered);
      expect(report.kills).toBe(KILLS);
      expect(report.open).toEqual([]);
    },
    RUN_MS,
  );
});
