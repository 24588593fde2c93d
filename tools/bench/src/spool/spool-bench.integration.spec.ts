/**
 * Goal: the bench sends, pseudonymises and counts; no figure is asserted.
 * Method: a few objects, one round, the real storescp, listener, gate, vault and spool.
 */
import { afterAll, describe, expect, it } from '@jest/globals';
import { hasPeers, temporaryFolder } from '@aifi/shared-testing';
import { renderSpoolTable, runSpoolBench } from './spool-bench.js';

const folder = temporaryFolder('spool-bench');
afterAll(() => folder.remove());

(hasPeers('storescp', 'storescu') ? describe : describe.skip)(runSpoolBench.name, () => {
  it('has both receivers with one and with four associations', async () => {
    const report = await runSpoolBench({ folder: folder.path, rounds: 1, objects: 4 });
    expect(report.results.map((one) => [one.receiver, one.associations])).toEqual([
      ...[
        ['storescp', 1],
        ['gateway', 1],
      ],
      ...[
        ['storescp', 4],
        ['gateway', 4],
      ],
    ]);
    expect(renderSpoolTable(report)).toContain('at least 0.35 of storescp');
  }, 120_000);
});
