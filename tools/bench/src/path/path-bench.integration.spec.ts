/**
 * Goal: the path bench cannot rot: every way brings all objects, and the report has its figures.
 * Method: a tiny run with the real processes of gateway, hub and Orthancs; no figure is judged.
 */
import { afterAll, describe, expect, it } from '@jest/globals';
import { hasPeers, temporaryFolder } from '@aifi/shared-testing';
import { runPathBench } from './path-bench.js';
import { renderPathTable } from './path-table.js';

const folder = temporaryFolder('path-bench');
afterAll(() => folder.remove());

(hasPeers('Orthanc', 'storescu') ? describe : describe.skip)(runPathBench.name, () => {
  it('brings a study to the far side every way', async () => {
    const report = await runPathBench({ folder: folder.path, rounds: 1, objects: 4 });
    expect(report.results.map(({ way }) => way)).toEqual([
      'gateway and hub',
      'Orthancs, sequential',
      'Orthancs, auto-routed',
    ]);
    for (const one of report.rounds) {
      expect(one.secondsWithoutQuiet).toBeGreaterThan(0);
      expect(one.secondsWithoutQuiet).toBeLessThanOrEqual(one.seconds);
      expect(one.nearResidentPeaks.length).toBeGreaterThan(0);
    }
    const [ours] = report.rounds;
    expect(ours!.seconds - ours!.secondsWithoutQuiet).toBeGreaterThanOrEqual(1);
    const table = renderPathTable(report);
    for (const { name } of report.targets) expect(table).toContain(name);
    expect(report.targets).toHaveLength(4);
  }, 240_000);
});
