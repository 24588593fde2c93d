/**
 * Goal: what was read already is judged as the file itself, and one kind of header is judged once.
 * Method: pictures of every tier with and without text, and every file of the shared test data that
 * is not large: by path, and with what its reader has of it.
 */
import { afterAll, expect, it } from '@jest/globals';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { decodePart10, encodePart10, isDeflated, type Part10File } from '@aifi/dicom-core';
import { FakeClock, temporaryFolder } from '@aifi/shared-testing';
import { pictureOf } from '../test/test-picture.js';
import { createPixelGate } from './create-pixel-gate.js';
import { FilterMatcher, matchesOf } from './filter-evaluation.js';
import { loadFilterRules } from './filter-rules.js';
import type { TextDetector } from './text-detector.js';

const folder = temporaryFolder('received-file');
afterAll(() => folder.remove());
const QUIET: TextDetector = { read: () => Promise.resolve([]), close: () => Promise.resolve() };
const SHARED = resolve(import.meta.dirname, '../../../../../shared/data/dicom');
/** Slices of CT and MR have half a megabyte. @unit bytes */
const SIZE_MAX = 700_000;
/** Larger pictures of other kinds are looked at for seconds. @unit bytes */
const OTHERS_MAX = 100_000;

function written(): string[] {
  const pictures = [
    ...(['CT', 'DX', 'US'] as const).map((kind) => ({ kind })),
    { kind: 'CT', text: 'VISSER^FENNA' } as const,
  ];
  return pictures.map((picture, at) => {
    const path = join(folder.path, `${at}.dcm`);
    writeFileSync(path, encodePart10(pictureOf(picture)));
    return path;
  });
}
function received(): string[] {
  if (!existsSync(SHARED)) return [];
  return readdirSync(SHARED, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => statSync(path).size <= SIZE_MAX);
}
function* readable(paths: readonly string[]): Generator<[string, Part10File, Uint8Array]> {
  for (const path of paths) {
    const bytes = readFileSync(path);
    try {
      const file = decodePart10(bytes);
      if (isDeflated(file.meta.transferSyntaxUid)) continue;
      const isSlice = ['CT', 'MR'].includes(file.dataset.string('Modality') ?? '');
      const isOwn = path.startsWith(folder.path);
      if (!isSlice && !isOwn && bytes.length > OTHERS_MAX) continue;
      yield [path, file, bytes.subarray(file.datasetOffset)];
    } catch {
      // No file that a gateway would have taken.
    }
  }
}

it('decides the same with and without what was read before', async () => {
  const [own, shared] = [written(), received()];
  const options = { clock: new FakeClock(), detector: QUIET, manufacturers: ['TESTER'] };
  const gate = createPixelGate(options);
  const kinds = new Set<string>();
  let compared = 0;
  for (const [path, file, dataset] of readable([...own, ...shared])) {
    const question = { path, header: file.dataset, isReleased: false } as const;
    const whole = { file, dataset };
    const once = await gate.judge({
      ...question,
      // Nothing is read again: there is no such file.
      path: join(folder.path, 'none.dcm'),
      received: { metaDataset: file.metaDataset, whole },
    });
    expect([path, once]).toEqual([path, await gate.judge(question)]);
    kinds.add('by' in once ? `${once.kind} ${once.by}` : once.kind);
    compared += 1;
  }
  await gate.close();
  expect([...kinds]).toEqual(
    expect.arrayContaining(['clear border', 'clear text-detector', 'hold']),
  );
  expect(compared).toBeGreaterThanOrEqual(own.length + (shared.length > 0 ? 20 : 0));
}, 300_000);

it('finds the same rules for headers of one kind as for each of them', () => {
  const rules = loadFilterRules();
  const sut = new FilterMatcher(rules);
  for (const [, { dataset: header, metaDataset }] of readable([...written(), ...received()])) {
    const filtered = { header, implementationVersionName: metaDataset.string(0x00020013) };
    const each = (): unknown => matchesOf(rules, filtered);
    const [first, again] = [(): unknown => sut.matchesOf(filtered), each].map((ask) => {
      try {
        return ask();
      } catch (error) {
        return (error as Error).message;
      }
    });
    expect(first).toEqual(again);
  }
});

it('does not take two headers for one kind that differ in what a rule asks for', () => {
  const sut = new FilterMatcher([
    {
      ...{ list: 'blacklist', name: 'test', regions: [], hasSize: false },
      lines: [{ joins: 'and', any: [{ operator: 'missing', keyword: 'Manufacturer', words: [] }] }],
    },
  ]);
  const header = pictureOf({ kind: 'CT' });
  const found = (): number =>
    sut.matchesOf({ header, implementationVersionName: undefined }).length;
  expect(found()).toBe(0);
  header.setString('Manufacturer', '');
  expect(found()).toBe(0);
  header.delete('Manufacturer');
  expect(found()).toBe(1);
});
