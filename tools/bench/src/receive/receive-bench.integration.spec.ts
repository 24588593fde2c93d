/**
 * Goal: the receive bench cannot rot: its objects are valid and new each time, every receiver keeps
 * all of them, and the report has its figures. Method: a tiny run with the real receivers; the
 * figures themselves are not judged.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { decodePart10 } from '@aifi/dicom-core';
import { hasPeers, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { CT_IMAGE_STORAGE, CtObjects } from './ct-objects.js';
import { startGateway } from './gateway.js';
import { runReceiveBench } from './receive-bench.js';
import { renderReceiveTable } from './receive-table.js';
import { send } from './sender.js';

const MINUTE_MS = 60_000;
let folder: TemporaryFolder;
beforeEach(() => {
  folder = temporaryFolder('bench');
});
afterEach(() => folder.remove());

describe(CtObjects.name, () => {
  it('writes whole CT slices, and renews their UIDs and nothing else', () => {
    const objects = CtObjects.write(folder.path, 4);
    const first = objects.renew().map((one) => ({ ...one, bytes: readFileSync(one.path) }));
    const second = objects.renew();
    expect(new Set([...first, ...second].map((one) => one.sopInstanceUid)).size).toBe(8);
    for (const [index, { bytes, sopInstanceUid, path }] of first.entries()) {
      const { dataset, meta, pixelData } = decodePart10(bytes);
      expect(meta).toMatchObject({ sopClassUid: CT_IMAGE_STORAGE, sopInstanceUid });
      expect(dataset.string('SOPInstanceUID')).toBe(sopInstanceUid);
      expect(pixelData?.valueLength).toBe(512 * 512 * 2);
      const later = decodePart10(readFileSync(path));
      expect(later.meta.sopInstanceUid).toBe(second[index]!.sopInstanceUid);
      expect(later.dataset.string('StudyInstanceUID')).not.toBe(dataset.string('StudyInstanceUID'));
      const differing = [...dataset].filter(
        ({ tag, value }) => !Buffer.from(value as Uint8Array).equals(later.dataset.bytes(tag)!),
      );
      expect(differing.map(({ tag }) => tag)).toEqual([0x00080018, 0x0020000d, 0x0020000e]);
    }
  });
});

(hasPeers('storescu', 'storescp', 'Orthanc') ? describe : describe.skip)('receive bench', () => {
  it(
    'measures every receiver with one association and with four, and says what they promise',
    async () => {
      const lines: string[] = [];
      const report = await runReceiveBench({
        folder: folder.path,
        rounds: 1,
        objects: 5,
        say: (line) => lines.push(line),
      });
      const names = ['storescp', 'storescp --fork', 'orthanc', 'gateway'];
      expect(report.receivers.map(({ name }) => name)).toEqual(names);
      const expected = [1, 4].flatMap((count) => names.map((name) => [name, count]));
      expect(report.results.map((one) => [one.receiver, one.associations])).toEqual(expected);
      expect(report.rounds).toHaveLength(8);
      expect(lines).toHaveLength(16);
      for (const { seconds, residentBytesPeak, shareOf } of report.results) {
        expect(seconds.median).toBeGreaterThan(0);
        expect(residentBytesPeak).toBeGreaterThan(1_000_000);
        expect(Object.keys(shareOf)).toEqual(['storescp', 'storescp --fork']);
      }
      expect(report.results[0]?.shareOf['storescp']).toEqual({ median: 1, min: 1, max: 1 });
      expect(report.machine.cores).toBeGreaterThan(0);
      const table = renderReceiveTable(report);
      for (const { name, durability } of report.receivers) {
        expect(table).toContain(name);
        expect(table).toContain(durability);
      }
    },
    5 * MINUTE_MS,
  );

  it(
    'does not count a run whose objects are not there, or not as they were sent',
    async () => {
      const objects = CtObjects.write(join(folder.path, 'objects'), 4);
      const sut = await startGateway(folder.path);
      try {
        const sent = objects.renew();
        await expect(sut.verify(sent)).rejects.toThrow('not one row for each object');
        expect((await send([objects.folders], sut)).accepted).toBe(4);
        await sut.verify(sent);
        objects.renew();
        await expect(sut.verify(sent)).rejects.toThrow('a dataset was changed');
      } finally {
        await sut.stop();
      }
      rmSync(join(folder.path, 'objects'), { recursive: true });
    },
    MINUTE_MS,
  );
});
