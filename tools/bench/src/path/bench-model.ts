/**
 * The product that asks for the studies of the path bench: the fracture stand-in, for CT.
 * Decides that it asks for the whole study and for nothing less, so that a revision that was closed
 * while the study was still being sent is refused and never measured. What the model makes of CT
 * is after the time that is measured. Source: deploy/demo/models/fracture-stand-in.
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MODELS_FOLDER } from '@aifi/demo';
import { parse, stringify } from 'yaml';
import { CT_IMAGE_STORAGE } from '../receive/ct-objects.js';

const STAND_IN = 'fracture-stand-in';
const PRODUCT = 'bench-ct';

/** Writes the models folder of a run: one product. */
export function writeBenchModel(folder: string, objects: number): void {
  const [source, target] = [join(MODELS_FOLDER, STAND_IN), join(folder, PRODUCT)];
  mkdirSync(target, { recursive: true, mode: 0o700 });
  copyFileSync(join(source, 'model.onnx'), join(target, 'model.onnx'));
  const manifest = parse(readFileSync(join(source, 'manifest.yaml'), 'utf8')) as object;
  const series = [
    { id: 'modality-ct', attribute: 'modality', oneOf: ['CT'], onMissing: 'deny' },
    {
      ...{ id: 'ct-image-storage', attribute: 'sopClassUid' },
      ...{ oneOf: [CT_IMAGE_STORAGE], onMissing: 'deny' },
    },
  ];
  const own = { product: PRODUCT, lane: 'routine', intendedUse: { series, instancesMin: objects } };
  writeFileSync(join(target, 'manifest.yaml'), stringify({ ...manifest, ...own }));
}
