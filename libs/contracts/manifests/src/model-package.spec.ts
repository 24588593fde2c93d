/**
 * Goal: a package is used only when input, output and artefact fit each other, for both kinds of
 * output.
 * Method: the committed packages, changed in one way each.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { readModelPackage as sut, readModelPackages } from './model-package.js';

const demoModels = fileURLToPath(new URL('../../../../deploy/demo/models', import.meta.url));
let folder: TemporaryFolder;
beforeEach(() => {
  folder = temporaryFolder('package');
});
afterEach(() => folder.remove());

function changed(product: string, change: (manifest: string) => string): string {
  cpSync(join(demoModels, product), folder.path, { recursive: true });
  const path = join(folder.path, 'manifest.yaml');
  const manifest = readFileSync(path, 'utf8');
  const other = change(manifest);
  expect(other).not.toBe(manifest);
  writeFileSync(path, other);
  return folder.path;
}

describe(sut.name, () => {
  it('reads both kinds of product, all for demonstration and labelled as such', async () => {
    const packages = await readModelPackages(demoModels);
    const kinds = packages.map(({ manifest }) => [manifest.product, manifest.output.kind]);
    expect(kinds).toEqual([
      ['fracture-stand-in', 'detection'],
      ['meshnet-tissue', 'segmentation'],
    ]);
    for (const { manifest } of packages) {
      expect(manifest.purpose).toBe('demonstration');
      expect(manifest.label).toMatch(/NOT FOR CLINICAL USE/);
    }
  });
  it('reads what a detection tells: finding, site, label, operating point', async () => {
    const { manifest } = await sut(join(demoModels, 'fracture-stand-in'));
    expect(manifest).toMatchObject({
      name: 'Fracture STAND-IN',
      lane: 'acute',
      seriesNumberBase: 9200,
      output: {
        finding: { value: '125605004', scheme: 'SCT', meaning: 'Fracture of bone' },
        site: { value: '66019005', scheme: 'SCT', meaning: 'Extremity' },
        operatingPoint: { threshold: 0.5 },
        classes: [],
      },
    });
  });
  it.each<[string, string, RegExp | string, string]>([
    ['classes out of order', 'meshnet-tissue', 'value: 1', 'value: 7'],
    ['classes of a detection', 'fracture-stand-in', 'kind: detection', 'kind: segmentation'],
    [
      'a radiograph for a segmentation',
      'meshnet-tissue',
      /kind: conform.*(?= })/,
      'kind: radiograph, height: 256, width: 256',
    ],
    [
      'a volume for a detection',
      'fracture-stand-in',
      /kind: radiograph.*(?= })/,
      'kind: conform, size: 256, spacingMm: 1, orientation: LIA',
    ],
    ['a shape that the steps do not give', 'fracture-stand-in', '1, 512, 512', '1, 512, 256'],
    [
      'two first steps',
      'fracture-stand-in',
      '{ kind: divide, by: 255 }',
      '{ kind: radiograph, height: 512, width: 512 }',
    ],
    [
      'an operating point that tells everything',
      'fracture-stand-in',
      'threshold: 0.5',
      'threshold: 0',
    ],
    ['an unknown field', 'fracture-stand-in', 'kind: detection', 'kind: detection\n  nms: yes'],
  ])('throws INVALID_ARGUMENT for %s', async (_, product, from, to) => {
    const path = changed(product, (manifest) => manifest.replace(from, to));
    await expect(sut(path)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
  it('throws DIGEST_MISMATCH for another artefact', async () => {
    const path = changed('fracture-stand-in', (manifest) => `${manifest}\n`);
    writeFileSync(join(path, 'model.onnx'), 'other');
    await expect(sut(path)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  });
});
