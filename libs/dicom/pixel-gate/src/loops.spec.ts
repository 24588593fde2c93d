/**
 * Goal: text anywhere in a loop holds it, however much other text a known layout covers before.
 * Method: an ultrasound loop of a device of the region library, its banner on every frame, a name
 * outside of the banner on the last frame only.
 */
import { afterAll, expect, it } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DicomDataset, encodePart10, readPart10Header } from '@aifi/dicom-core';
import { FakeClock, temporaryFolder } from '@aifi/shared-testing';
import { createPixelGate } from './create-pixel-gate.js';
import type { PixelDecision } from './pixel-gate.js';
import { phantomOf } from './picture-phantoms.js';
import { inkOf, plant } from './planted-text.js';

const folder = temporaryFolder('loops');
afterAll(() => folder.remove());

const LOOK = { face: 'sans', capRows: 12, edges: 'smooth' } as const;
const BANNER = [
  ['VISSER FENNA', 8, 3],
  ['ZIEKENHUIS', 400, 3],
  ['03-04-1961', 400, 26],
  ['123456782', 8, 26],
] as const;
const BELOW = ['VISSER FENNA', 100, 500] as const;

function frameWith(...texts: readonly (readonly [string, number, number])[]): Uint8Array {
  const canvas = phantomOf('ultrasound', 1);
  for (const [text, x, y] of texts) {
    plant(canvas, { inked: inkOf(text, LOOK), x, y, contrast: 0.8, polarity: 'bright' });
  }
  return Uint8Array.from(canvas.values);
}

async function judge(frames: readonly Uint8Array[]): Promise<PixelDecision> {
  const dataset = new DicomDataset()
    .setString('SOPClassUID', '1.2.840.10008.5.1.4.1.1.3.1')
    .setString('SOPInstanceUID', '1.2.3.4.5')
    .setString('Modality', 'US')
    .setString('Manufacturer', 'Zonare')
    .setString('ManufacturerModelName', 'ZS3')
    .setStrings('ImageType', ['ORIGINAL', 'PRIMARY', 'X'], 'CS')
    .setNumbers('SamplesPerPixel', [1])
    .setString('PhotometricInterpretation', 'MONOCHROME2')
    .setNumbers('NumberOfFrames', [frames.length])
    .setNumbers('Rows', [600])
    .setNumbers('Columns', [800])
    .setNumbers('BitsAllocated', [8])
    .setNumbers('BitsStored', [8])
    .setNumbers('HighBit', [7])
    .setNumbers('PixelRepresentation', [0])
    .setBytes('PixelData', Buffer.concat(frames), 'OB');
  const path = join(folder.path, `${frames.length}.dcm`);
  writeFileSync(path, encodePart10(dataset));
  const { dataset: header } = await readPart10Header(path);
  const detector = { read: () => Promise.resolve([]), close: () => Promise.resolve() };
  const gate = createPixelGate({ clock: new FakeClock(), detector });
  const decision = await gate.judge({ path, header, isReleased: false });
  await gate.close();
  return decision;
}

it('a banner that is blacked out hides no name on the last frame', async () => {
  const banner = frameWith(...BANNER);
  const loop = Array.from({ length: 20 }, () => banner);
  expect(await judge(loop)).toMatchObject({ kind: 'clean' });
  const decision = await judge([...loop, frameWith(...BANNER, BELOW)]);
  expect(decision).toMatchObject({ kind: 'hold', reason: 'something like text was seen' });
  const frames = 'findings' in decision ? decision.findings.map(({ frame }) => frame) : [];
  expect(new Set(frames)).toEqual(new Set([20]));
}, 120_000);
