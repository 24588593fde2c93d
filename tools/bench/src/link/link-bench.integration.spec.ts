/**
 * Goal: the link bench cannot rot: every way brings all objects, and the report has its figures.
 * Method: a tiny run with the real processes; the figures themselves are not judged.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { hasPeers, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { runLinkBench } from './link-bench.js';
import { renderLinkTable } from './link-table.js';

let folder: TemporaryFolder;
beforeEach(() => {
  folder = temporaryFolder('bench-link');
});
afterEach(() => folder.remove());

(hasPeers('Orthanc') ? describe : describe.skip)(runLinkBench.name, () => {
  it('measures every way, on loopback and with a round trip', async () => {
    const report = await runLinkBench({
      ...{ folder: folder.path, rounds: 1, objects: 5, roundTripsMs: [0, 20] },
    });
    const ways = report.results.map(({ load, way }) => `${load}: ${way}`);
    expect(ways).toHaveLength(5 + 5 + 4);
    expect(new Set(ways).size).toBe(ways.length);
    for (const { megabytesPerSecond, share } of report.results) {
      expect(megabytesPerSecond.min).toBeGreaterThan(0);
      expect(share.median).toBeGreaterThan(0);
    }
    expect(renderLinkTable(report)).toContain('aifi-objects/1');
  }, 240_000);
});
