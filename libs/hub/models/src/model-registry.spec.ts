/**
 * Goal: only whole, consistent packages are in the registry, and the demonstration model is one.
 * Method: the committed package, and copies of it with one defect each.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { loadModels } from './model-registry.js';

const demoModels = fileURLToPath(new URL('../../../../deploy/demo/models', import.meta.url));
let folder: TemporaryFolder;
beforeEach(() => {
  folder = temporaryFolder('models');
  cpSync(demoModels, folder.path, { recursive: true });
});
afterEach(() => folder.remove());

const path = (name: string): string => join(folder.path, 'meshnet-tissue', name);
const edit = (from: string | RegExp, to: string): void => {
  writeFileSync(
    path('manifest.yaml'),
    readFileSync(path('manifest.yaml'), 'utf8').replace(from, to),
  );
};

describe(loadModels.name, () => {
  it('finds a version by product, and no other', async () => {
    const sut = await loadModels(folder.path);
    expect(sut.get('meshnet-tissue', '1.0.0')).toMatchObject({ purpose: 'demonstration' });
    expect(sut.get('meshnet-tissue', '1.0.1')).toBeUndefined();
    expect(sut.all.map((manifest) => manifest.product)).toEqual([
      'fracture-stand-in',
      'meshnet-tissue',
    ]);
  });
  it.each([
    [
      'an artefact with other bytes',
      'DIGEST_MISMATCH',
      () => writeFileSync(path('model.onnx'), 'x'),
    ],
    ['no artefact', 'DIGEST_MISMATCH', () => rmSync(path('model.onnx'))],
    ['no manifest', 'NOT_FOUND', () => rmSync(path('manifest.yaml'))],
    [
      'a key that the schema does not know',
      'INVALID_ARGUMENT',
      () => edit('lane:', 'color: red\nlane:'),
    ],
    ['text that is no YAML', 'INVALID_ARGUMENT', () => edit('schema:', '{')],
    ['classes out of order', 'INVALID_ARGUMENT', () => edit('value: 1\n', 'value: 7\n')],
    [
      'one version twice',
      'INVALID_ARGUMENT',
      () => cpSync(path('.'), join(folder.path, 'copy'), { recursive: true }),
    ],
  ])('refuses %s', async (_, code, damage) => {
    damage();
    await expect(loadModels(folder.path)).rejects.toMatchObject({ code });
  });
});

describe('meshnet-tissue', () => {
  const describedAs = async (text: string): Promise<boolean> => {
    const manifest = (await loadModels(demoModels)).get('meshnet-tissue', '1.0.0')!;
    const rule = manifest.intendedUse.series.find(({ id }) => id === 't1-by-description')!;
    return (
      new RegExp(rule.matches!, 'i').test(text) && !new RegExp(rule.noneMatch!, 'i').test(text)
    );
  };
  it.each(['T1 MPRAGE cor', 'Sag t1_mprage_iso', 'AX 3D SPGR', 'BRAVO 1mm', '3D T1 TFE'])(
    'takes %s for T1',
    async (text) => expect(await describedAs(text)).toBe(true),
  );
  it.each([
    'T2 TSE tra',
    'T1 FLAIR',
    'T1 MPRAGE + C',
    'T1 post GD',
    't1 spine',
    'CT head',
    'T1 localizer',
  ])('does not take %s for T1', async (text) => expect(await describedAs(text)).toBe(false));
});
