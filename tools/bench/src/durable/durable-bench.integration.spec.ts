/**
 * Goal: every form of the durable write keeps the bytes it was given, and the bench reports all.
 * Method: small objects in a temporary folder; times are not judged.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { renderDurableTable, runDurableBench } from './durable-bench.js';
import { pooledFile, renamedFile, segmentRecord, type DurableForm } from './durable-forms.js';

let folder: TemporaryFolder;
beforeEach(() => {
  folder = temporaryFolder('durable');
});
afterEach(() => folder.remove());

function written(form: DurableForm, name: string): Buffer[] {
  for (let object = 1; object <= 3; object += 1) {
    form.prepare(1_000);
    form.commit(Buffer.alloc(1_000, object));
  }
  const path = join(folder.path, name);
  const files = readdirSync(path).map((file) => join(path, file));
  return files.filter((file) => statSync(file).size > 0).map((file) => readFileSync(file));
}

describe('durable forms', () => {
  it.each([
    ['renamed', renamedFile],
    ['pooled', pooledFile],
  ])('%s: each object is one file of its own', (name, create) => {
    const form = create(folder.path);
    const files = written(form, name).sort(Buffer.compare);
    expect(files).toEqual([1, 2, 3].map((object) => Buffer.alloc(1_000, object)));
    form.clear();
    expect(readdirSync(join(folder.path, name))).toEqual([]);
    form.close();
  });

  it('segment: objects follow each other as length, checksum and bytes', () => {
    const form = segmentRecord(folder.path);
    const [segment, ...others] = written(form, 'segment');
    expect(others).toEqual([]);
    expect(segment).toHaveLength(16 * 1_008);
    for (let object = 1; object <= 3; object += 1) {
      const record = segment!.subarray((object - 1) * 1_008, object * 1_008);
      expect(record.readUInt32LE(0)).toBe(1_000);
      expect(record.readUInt32LE(4)).not.toBe(0);
      expect(record.subarray(8)).toEqual(Buffer.alloc(1_000, object));
    }
    form.close();
  });
});

describe(runDurableBench.name, () => {
  it('reports every form at every size and leaves nothing behind', () => {
    const report = runDurableBench({ folder: folder.path, objects: 40, sizes: [100, 5_000] });
    expect(report.results.map(({ sizeBytes }) => sizeBytes)).toEqual([
      100, 100, 100, 5e3, 5e3, 5e3,
    ]);
    expect(new Set(report.results.map(({ form }) => form)).size).toBe(3);
    for (const { commitMs } of report.results) expect(commitMs.min).toBeGreaterThan(0);
    expect(renderDurableTable(report).split('\n')).toHaveLength(10);
    const left = readdirSync(folder.path).flatMap((name) => readdirSync(join(folder.path, name)));
    expect(left).toEqual([]);
  });
});
