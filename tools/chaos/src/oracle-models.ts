/**
 * The products of a run: the fracture stand-in under two manifests, one in each lane.
 * Decides which radiographs each takes, so that a study goes to exactly one of them: CR is acute,
 * DX is routine. The model is the committed one: what it reads from coded pixels is in its boxes.
 * Source: deploy/demo/models/fracture-stand-in; reliability specification T-MIS-1.
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MODELS_FOLDER } from '@aifi/demo';
import { parse, stringify } from 'yaml';

export type Lane = 'acute' | 'routine';
const STAND_IN = 'fracture-stand-in';
const MODALITY_RULE = 'modality-radiograph';

interface Manifest {
  readonly intendedUse: { readonly series: { readonly id: string }[] };
  [name: string]: unknown;
}
const DIFFERENCES: Readonly<Record<Lane, { modality: string; seriesNumberBase: number }>> = {
  acute: { modality: 'CR', seriesNumberBase: 9_200 },
  routine: { modality: 'DX', seriesNumberBase: 9_300 },
};

export const productOf = (lane: Lane): string => `oracle-${lane}`;
export const LANES: readonly Lane[] = ['acute', 'routine'];
export const PRODUCTS: readonly string[] = LANES.map(productOf);

/** Writes the models folder of a run. */
export function writeOracleModels(folder: string): void {
  const source = join(MODELS_FOLDER, STAND_IN);
  for (const lane of LANES) {
    const target = join(folder, productOf(lane));
    mkdirSync(target, { recursive: true, mode: 0o700 });
    copyFileSync(join(source, 'model.onnx'), join(target, 'model.onnx'));
    const manifest = parse(readFileSync(join(source, 'manifest.yaml'), 'utf8')) as Manifest;
    const { modality, seriesNumberBase } = DIFFERENCES[lane];
    for (const rule of manifest.intendedUse.series) {
      // CR and DX are otherwise one to a rule.
      if (rule.id === MODALITY_RULE) {
        Object.assign(rule, { oneOf: [modality], exactModality: true });
      }
    }
    const text = stringify({ ...manifest, product: productOf(lane), lane, seriesNumberBase });
    writeFileSync(join(target, 'manifest.yaml'), text);
  }
}
