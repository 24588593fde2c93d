/**
 * Goal: however a child ends, the parent has one answer; and the child can reach nothing it need
 * not.
 * Method: real child processes that run a few lines in place of a model.
 */
import { afterAll, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readModelPackage } from '@aifi/contracts-manifests';
import { systemClock } from '@aifi/shared-kernel';
import { temporaryFolder } from '@aifi/shared-testing';
import { runInChild } from './model-run.js';

const folder = temporaryFolder('run');
afterAll(() => folder.remove());
const models = new URL('../../../deploy/demo/models/', import.meta.url);
const packageOf = (product: string) => readModelPackage(fileURLToPath(new URL(product, models)));
const segmentation = await packageOf('meshnet-tissue');
const detection = await packageOf('fracture-stand-in');
const success = {
  kind: 'segmentation',
  seriesInstances: ['1.2.3'],
  rows: 2,
  columns: 2,
  voxelCounts: [256 ** 3, 0, 0],
  inputDigest: 'a'.repeat(64),
};

const image = {
  sopInstanceUid: '1.2.3',
  rows: 100,
  columns: 200,
  previewRows: 2,
  previewColumns: 3,
};
const found = {
  kind: 'detection',
  images: [image],
  detections: [{ image: 0, box: [0, 10, 200, 20], score: 0.75 }],
  inputDigest: 'a'.repeat(64),
};

/** Runs `script` as the child; `message` is the order it got. */
function run(
  script: string,
  { timeoutMs = 60_000, signal = new AbortController().signal, model = segmentation } = {},
) {
  const { manifest, folder: packageFolder } = model;
  const runFolder = mkdtempSync(join(folder.path, 'run-'));
  const scripts = mkdtempSync(join(folder.path, 'code-'));
  const outputFolder = join(runFolder, 'output');
  mkdirSync(outputFolder);
  const entry = join(scripts, 'child.mjs');
  writeFileSync(
    entry,
    `import fs from 'node:fs';
     const reply = (report) => process.send(report, () => process.exit(0));
     process.once('message', (message) => { ${script} });`,
  );
  return runInChild({
    order: { packageFolder, modelDigest: manifest.artefact.sha256, objectPaths: [], outputFolder },
    manifest: { ...manifest, timeoutMs },
    runFolder,
    clock: systemClock,
    signal,
    entry,
  });
}
const replying = (report: unknown): string => `reply(${JSON.stringify(report)})`;

describe(runInChild.name, () => {
  it.each([
    ['a crash', 'process.kill(process.pid, "SIGSEGV")', 'MODEL_FAILED'],
    ['an end without a report', 'process.exit(0)', 'MODEL_FAILED'],
    ['a report that is no report', replying({ kind: 'well done' }), 'OUTPUT_INVALID'],
    [
      'an instance that is no UID',
      replying({ ...success, seriesInstances: ['../'] }),
      'OUTPUT_INVALID',
    ],
    [
      'counts that do not add up',
      replying({ ...success, voxelCounts: [1, 0, 0] }),
      'OUTPUT_INVALID',
    ],
    [
      'counts of another number of classes',
      replying({ ...success, voxelCounts: [256 ** 3, 0] }),
      'OUTPUT_INVALID',
    ],
    ['output files that are missing', replying(success), 'OUTPUT_INVALID'],
    ['a refusal', replying({ kind: 'refusal', code: 'INPUT_INCOMPLETE' }), 'INPUT_INCOMPLETE'],
  ])('answers %s with its code', async (_, script, code) => {
    expect(await run(script)).toMatchObject({ ok: false, refusal: { code } });
  });
  const withPreviews = (sizeBytes: number, report: unknown): string =>
    `fs.writeFileSync(message.outputFolder + '/previews.bin', Buffer.alloc(${sizeBytes}));
     ${replying(report)}`;
  const withDetection = (part: object): string =>
    withPreviews(6, { ...found, detections: [{ ...found.detections[0], ...part }] });
  it('takes boxes that lie in their images', async () => {
    const result = await run(withPreviews(6, found), { model: detection });
    expect(result).toMatchObject({ ok: true, value: found });
  });
  it.each([
    ['a segmentation', replying(success)],
    ['previews of another size', withPreviews(5, found)],
    ['a box beyond its image', withDetection({ box: [0, 10, 200.5, 20] })],
    ['a box that is turned inside out', withDetection({ box: [10, 10, 0, 20] })],
    ['a box in no image', withDetection({ image: 1 })],
    ['a score below the operating point', withDetection({ score: 0.25 })],
    ['a score above 1', withDetection({ score: 2 })],
    [
      'a preview that is too large',
      withPreviews(6, { ...found, images: [{ ...image, previewRows: 4096 }] }),
    ],
  ])('answers %s from a detection as OUTPUT_INVALID', async (_, script) => {
    const result = await run(script, { model: detection });
    expect(result).toMatchObject({ ok: false, refusal: { code: 'OUTPUT_INVALID' } });
  });
  it('kills a child that hangs at its time, as TIMEOUT', async () => {
    const result = await run('for (;;);', { timeoutMs: 500 });
    expect(result).toMatchObject({ ok: false, refusal: { code: 'TIMEOUT' } });
  });
  it('kills the child when nobody waits any more', async () => {
    const gone = new AbortController();
    const running = run('for (;;);', { signal: gone.signal });
    gone.abort();
    expect(await running).toMatchObject({ ok: false });
  });
  it('gives the child no environment and only its own files', async () => {
    // The child says MODEL_FAILED when it can reach anything, and COVERAGE_INSUFFICIENT when not.
    const script = `
      const can = (action) => { try { action(); return true; } catch { return false; } };
      const reached = [
        Object.keys(process.env).some((name) => !name.startsWith('NODE_CHANNEL')),
        can(() => fs.readFileSync('/etc/hostname')),
        can(() => fs.writeFileSync(message.packageFolder + '/x', '')),
        can(() => fs.writeFileSync(message.outputFolder + '/../x', '')),
        can(() => process.getBuiltinModule('child_process').execSync('true')),
        !can(() => fs.writeFileSync(message.outputFolder + '/x', '')),
      ];
      const code = reached.includes(true) ? 'MODEL_FAILED' : 'COVERAGE_INSUFFICIENT';
      reply({ kind: 'refusal', code });`;
    expect(await run(script)).toMatchObject({ refusal: { code: 'COVERAGE_INSUFFICIENT' } });
  });
});
