/**
 * What a hub needs before it starts, for tests: certificates of hub and sites, a model package.
 * Decides that tests use the same certificate program as the demo, and a model of seven bytes.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelManifest } from '@aifi/contracts-manifests';
import { loadModels } from '@aifi/hub-models';
import { sha256Hex } from '@aifi/shared-kernel';
import type { CredentialFiles } from './gateway-stand-in.js';

/** What deploy/certs/make-certs.mjs prints. */
export interface Certificates {
  readonly hub: CredentialFiles;
  readonly sites: Readonly<Record<string, CredentialFiles>>;
  readonly signingKeyFile: string;
  readonly signingPublicKeyFile: string;
}

export function makeCertificates(into: string, sites: readonly string[]): Certificates {
  const program = join(import.meta.dirname, '../../../deploy/certs/make-certs.mjs');
  const printed = execFileSync(process.execPath, [program, into, ...sites], { encoding: 'utf8' });
  return JSON.parse(printed) as Certificates;
}

export async function makeModel(modelsFolder: string): Promise<ModelManifest> {
  const artefact = Buffer.from('weights');
  const own = join(modelsFolder, 'stand-in');
  mkdirSync(own, { recursive: true });
  writeFileSync(join(own, 'model.onnx'), artefact);
  const code = { value: '12738006', scheme: 'SCT', meaning: 'Brain' };
  const manifest = {
    schema: 'aifi.model-manifest.v1',
    product: 'stand-in',
    name: 'Stand-in',
    version: '1.0.0',
    vendor: 'AIFI',
    purpose: 'demonstration',
    label: 'TEST',
    deviceUid: '2.25.1',
    seriesNumberBase: 9100,
    lane: 'routine',
    artefact: { file: 'model.onnx', sha256: sha256Hex(artefact) },
    intendedUse: {
      series: [{ id: 'modality', attribute: 'modality', oneOf: ['MR'], onMissing: 'deny' }],
    },
    input: {
      name: 'input',
      datatype: 'FP32',
      shape: [1, 1, 256, 256, 256],
      steps: [
        { kind: 'conform', size: 256, spacingMm: 1, orientation: 'LIA' },
        { kind: 'divide', by: 255 },
      ],
    },
    output: {
      name: 'output',
      kind: 'segmentation',
      classes: [
        { value: 0, label: 'background' },
        { value: 1, label: 'one', code, colour: [255, 0, 0] },
        { value: 2, label: 'two', code, colour: [0, 255, 0] },
      ],
    },
    timeoutMs: 60_000,
  };
  writeFileSync(join(own, 'manifest.yaml'), JSON.stringify(manifest));
  return (await loadModels(modelsFolder)).get('stand-in', '1.0.0')!;
}

/** Settings of a hub on free ports; the caller adds workerUrl, and what it wants otherwise. */
export function hubSettings(
  folder: string,
  certificates: Certificates,
  { product, version }: ModelManifest,
  siteIds: readonly string[],
): Record<string, unknown> {
  return {
    roles: ['api', 'jobs'],
    purpose: 'demonstration',
    dataFolder: join(folder, 'hub'),
    grpc: {
      ...{ host: '127.0.0.1', port: 0, ...certificates.hub },
      // The gateways of the tests have certificates of the same authority, and no record.
      gatewayCaFile: certificates.hub.caFile,
    },
    http: { host: '127.0.0.1', port: 0 },
    publicUrl: 'http://localhost:1',
    // Without pages, whether or not they have been built here.
    consoleFolder: join(folder, 'no-pages'),
    signIn: { kind: 'embedded', listen: { port: 0 } },
    database: { kind: 'embedded' },
    signingKeyFile: certificates.signingKeyFile,
    modelsFolder: join(folder, 'models'),
    deployments: siteIds.map((siteId) => ({ siteId, product, version })),
  };
}
