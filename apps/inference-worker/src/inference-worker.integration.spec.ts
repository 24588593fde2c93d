/**
 * Goal: the worker process answers by its contract, with the known voxel counts of the T1 volume,
 * and leaves nothing behind.
 * Method: the compiled worker as a process, requests over HTTP; one full run of the real model.
 * Without the shared T1 volume a phantom goes the same way, with no known answer.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { DicomDataset } from '@aifi/dicom-core';
import { encodeVolumeSeries, type EncodableVolume } from '@aifi/dicom-pixels';
import { objectsDigest, processEntry, sha256Hex, systemClock } from '@aifi/shared-kernel';
import { temporaryFolder } from '@aifi/shared-testing';
import {
  inferUrl,
  partsOf,
  postInfer,
  startWorker,
  verdictOf,
  type RunningWorker,
} from './running-worker.js';

const SIZE = 256;
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const t1Path = here('../../../../shared/data/models/t1_crop.nii.gz');
const hasT1 = existsSync(t1Path);
const demoModel = here('../../../deploy/demo/models/meshnet-tissue');
const demoManifest = readFileSync(join(demoModel, 'manifest.yaml'), 'utf8');
const demoDigest = /sha256: (\w{64})/.exec(demoManifest)![1]!;
const unloadable = readFileSync(here('../fixtures/unloadable.onnx'));
const folder = temporaryFolder('worker');
const workFolder = join(folder.path, 'work');
const modelsFolder = join(folder.path, 'models');

/**
 * NIfTI-1: voxels from byte 352; affine in LPS (SOURCES.md, first two rows of the sform reversed).
 */
const t1Volume = (): EncodableVolume => ({
  data: hasT1
    ? gunzipSync(readFileSync(t1Path)).subarray(352)
    : new Uint8Array(SIZE ** 3).map((_, v) => (v % 251) + (v % 5)),
  shape: [SIZE, SIZE, SIZE],
  affine: [1, 0, 0, -127.6, 0, 0, -1, 133.48, 0, -1, 0, 134.48],
});
/** Axial slices of 8 × 8, 1 mm apart. */
const phantom = (slices: number): EncodableVolume => ({
  data: new Uint8Array(slices * 64).map((_, v) => v % 256),
  shape: [slices, 8, 8],
  affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0],
});
const seriesOf = (volume: EncodableVolume): Buffer[] => [
  ...encodeVolumeSeries(volume, {
    sopInstanceUid: (k) => `1.2.3.${k + 1}`,
    attributes: new DicomDataset()
      .setString('SeriesInstanceUID', '1.2.3')
      .setString('Modality', 'MR'),
  }),
];

/** The demonstration model under another name, changed in one way. */
function modelVariant(
  product: string,
  change: (manifest: string) => string,
  artefact?: Buffer,
): void {
  const path = join(modelsFolder, product);
  cpSync(demoModel, path, { recursive: true });
  if (artefact) writeFileSync(join(path, 'model.onnx'), artefact);
  const named = demoManifest.replace('product: meshnet-tissue', `product: ${product}`);
  writeFileSync(join(path, 'manifest.yaml'), change(named));
}

let worker: RunningWorker;
const start = (): Promise<RunningWorker> => startWorker(folder.path, { modelsFolder, workFolder });
const urlOf = (path: string): string => `http://127.0.0.1:${worker.port}${path}`;
const inferPath = (product: string): string => new URL(inferUrl(worker, product)).pathname;
const post = (product: string, objects: readonly Buffer[], digest = demoDigest) =>
  postInfer(worker, { product, objects, digest });
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await systemClock.sleep(20);
};

beforeAll(async () => {
  modelVariant('meshnet-tissue', (manifest) => manifest);
  modelVariant('too-slow', (manifest) => manifest.replace('timeoutMs: 180000', 'timeoutMs: 1'));
  modelVariant('unloadable', (m) => m.replace(demoDigest, sha256Hex(unloadable)), unloadable);
  mkdirSync(join(workFolder, 'run-00000000-0000-4000-8000-000000000000'), { recursive: true });
  writeFileSync(join(workFolder, 'not-ours'), '');
  worker = await start();
}, 60_000);
afterAll(() => {
  worker.process.kill('SIGKILL');
  folder.remove();
});

describe('inference worker: protocol', () => {
  it('removes at its start what a crash left, and nothing else', () => {
    expect(readdirSync(workFolder)).toEqual(['not-ours']);
  });
  it('answers health, metadata and readiness of its models', async () => {
    const paths = [
      '/v2/health/live',
      '/v2/health/ready',
      inferPath('meshnet-tissue').replace('infer', 'ready'),
    ];
    const statuses = await Promise.all(
      paths.map(async (path) => (await fetch(urlOf(path))).status),
    );
    expect(statuses).toEqual([200, 200, 200]);
    const metadata = await fetch(urlOf(inferPath('meshnet-tissue').replace('/infer', '')));
    expect(await metadata.json()).toMatchObject({
      name: 'meshnet-tissue',
      versions: ['1.0.0'],
      parameters: { model_digest: demoDigest },
    });
  });
});

describe('inference worker: refusals', () => {
  it('refuses a model digest that is not the model here', async () => {
    const response = await post('meshnet-tissue', seriesOf(phantom(2)), 'b'.repeat(64));
    expect(verdictOf(response)).toEqual([409, 'MODEL_FAILED']);
  });
  it('does not know other models', async () => {
    expect(verdictOf(await post('other', [Buffer.alloc(8)]))).toEqual([404, 'MODEL_FAILED']);
  });
  it('refuses a body without the framing', async () => {
    const response = await fetch(urlOf(inferPath('meshnet-tissue')), { method: 'POST', body: 'x' });
    expect(verdictOf(response)).toEqual([400, 'MALFORMED']);
    expect(await response.json()).toEqual({ error: 'no header length' });
  });
  it.each([
    [
      'bytes that are no DICOM',
      'meshnet-tissue',
      [Buffer.alloc(300), Buffer.alloc(300)],
      [400, 'MALFORMED'],
    ],
    [
      'fewer instances than needed',
      'meshnet-tissue',
      seriesOf(phantom(3)),
      [422, 'INPUT_INCOMPLETE'],
    ],
    [
      'a series with a gap',
      'meshnet-tissue',
      seriesOf(phantom(130)).toSpliced(60, 1),
      [422, 'INPUT_INCOMPLETE'],
    ],
    [
      'too little coverage',
      'meshnet-tissue',
      seriesOf(phantom(60)),
      [422, 'COVERAGE_INSUFFICIENT'],
    ],
    ['a model that runs out of its time', 'too-slow', seriesOf(phantom(130)), [504, 'TIMEOUT']],
  ])(
    'refuses %s',
    async (_, product, objects, verdict) => {
      expect(verdictOf(await post(product, objects))).toEqual(verdict);
    },
    60_000,
  );
  it('answers MODEL_FAILED for a model that the runtime refuses', async () => {
    const response = await post('unloadable', seriesOf(phantom(130)), sha256Hex(unloadable));
    expect(verdictOf(response)).toEqual([500, 'MODEL_FAILED']);
  }, 60_000);
  it('is busy when all places are taken, and free again when requesters leave', async () => {
    const waiting = Array.from({ length: 4 }, () => {
      const open = request(urlOf(inferPath('meshnet-tissue')), {
        method: 'POST',
        headers: { 'inference-header-content-length': '100' },
      });
      open.on('error', () => undefined);
      open.write('{');
      return open;
    });
    await until(() => readdirSync(workFolder).length === 5);
    expect(verdictOf(await post('meshnet-tissue', [Buffer.alloc(2 ** 20)]))).toEqual([503, null]);
    for (const open of waiting) open.destroy();
    await until(() => readdirSync(workFolder).length === 1);
    const response = await post('meshnet-tissue', seriesOf(phantom(3)));
    expect(response.status).toBe(422);
  }, 60_000);
});

describe('inference worker: a run', () => {
  it('segments the T1 volume with the known counts and gives labels in its geometry', async () => {
    const volume = t1Volume();
    const objects = seriesOf(volume);
    const response = await post('meshnet-tissue', objects);
    expect(response.status).toBe(200);
    const { json: answer, binary } = await partsOf(response);
    expect(answer).toMatchObject({
      id: `${'0'.repeat(32)}-1-7`,
      model_name: 'meshnet-tissue',
      model_version: '1.0.0',
      parameters: {
        model_digest: demoDigest,
        input_digest: objectsDigest(objects.map((object) => sha256Hex(object))),
        started_at_ms: expect.any(Number),
        finished_at_ms: expect.any(Number),
      },
    });
    const [instances, counts] = answer.outputs;
    if (hasT1) expect(counts!.data).toEqual([15_523_464, 518_540, 735_212]);
    // The array runs to Anterior, the normal of the series (row × column) to Posterior.
    expect(instances!.data.slice(0, 2)).toEqual(['1.2.3.256', '1.2.3.255']);
    expect(answer.outputs.slice(2).map(({ name, shape }) => [name, shape])).toEqual(
      ['series_labels', 'conformed_image', 'conformed_labels'].map((name) => [
        name,
        [SIZE, SIZE, SIZE],
      ]),
    );
    const [seriesLabels, image, labels] = [0, 1, 2].map((n) =>
      binary.subarray(n * SIZE ** 3, (n + 1) * SIZE ** 3),
    );
    if (hasT1) expect(image!.equals(volume.data as Uint8Array)).toBe(true);
    const plane = SIZE * SIZE;
    for (const k of [0, 100, 255]) {
      const stored = seriesLabels!.subarray((255 - k) * plane, (256 - k) * plane);
      expect(Buffer.compare(stored, labels!.subarray(k * plane, (k + 1) * plane))).toBe(0);
    }
    await until(() => readdirSync(workFolder).length === 1);
  }, 300_000);

  it('counts its runs by outcome', async () => {
    const metrics = await (await fetch(urlOf('/metrics'))).text();
    expect(metrics).toMatch(/aifi_infer_runs_total\{outcome="SUCCESS",app="inference-worker"\} 1/);
    expect(metrics).toMatch(/aifi_infer_runs_total\{outcome="TIMEOUT",app="inference-worker"\} 1/);
    expect(metrics).toMatch(/aifi_infer_run_seconds_count/);
  });
});

describe('inference worker: its end', () => {
  it('takes its child with it when it is killed in the middle of a run', async () => {
    const unanswered = post('meshnet-tissue', seriesOf(phantom(130))).catch(() => 'cut');
    const pid = worker.process.pid!;
    await until(() => childrenOf(pid).length > 0);
    const [child] = childrenOf(pid);
    // The event loop of the child is blocked by now: only its watch can notice.
    await until(() => residentBytes(child!) > 500 * 2 ** 20);
    worker.process.kill('SIGKILL');
    expect(await unanswered).toBe('cut');
    await until(() => !existsSync(`/proc/${child}`));
  }, 60_000);

  it('ends with 0 on SIGTERM, and with 1 and a line for a wrong configuration', async () => {
    worker = await start();
    worker.process.kill('SIGTERM');
    expect(await worker.ended).toBe(0);
    const refused = spawn(process.execPath, [processEntry(import.meta.url, 'main')], {
      env: {},
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const lines = (await refused.stderr.toArray()).join('');
    expect(lines).toMatch(/^inference-worker does not start: CONFIG_INVALID/);
    expect(refused.exitCode ?? (await new Promise((done) => refused.once('exit', done)))).toBe(1);
  }, 60_000);
});

/** Process ids of the children, as Linux tells them. */
function childrenOf(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter((part) => part !== '');
}

function residentBytes(pid: string): number {
  const pages = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1];
  return Number(pages) * 4096;
}
