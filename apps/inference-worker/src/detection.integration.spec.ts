/**
 * Goal: a radiograph goes through the worker to boxes in its own pixels; the boxes come from the
 * picture and from nothing else; the codec works within the child's permissions.
 * Method: the compiled worker as a process with the fracture stand-in; the demonstration's
 * radiograph (lossless JPEG 2000, MONOCHROME1) and native phantoms over HTTP.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { decodePart10, DicomDataset, encodePart10 } from '@aifi/dicom-core';
import { objectsDigest, sha256Hex, systemClock } from '@aifi/shared-kernel';
import { temporaryFolder } from '@aifi/shared-testing';
import {
  partsOf,
  postInfer,
  startWorker,
  verdictOf,
  type AnswerParts,
  type RunningWorker,
} from './running-worker.js';

const PRODUCT = 'fracture-stand-in';
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const modelsFolder = here('../../../deploy/demo/models');
const manifest = readFileSync(join(modelsFolder, PRODUCT, 'manifest.yaml'), 'utf8');
const digest = /sha256: (\w{64})/.exec(manifest)![1]!;
const tibia = gunzipSync(readFileSync(here('../../../deploy/demo/data/cr-tibia/RG3_J2KR.dcm.gz')));
const TIBIA_UID = '1.3.6.1.4.1.5962.1.1.11.1.2.20040826185059.5457';
const folder = temporaryFolder('detection');
const workFolder = join(folder.path, 'work');

interface Phantom {
  readonly columns?: number;
  readonly rows?: number;
  /** Where a bright strip with a gap lies; none: an even picture. @unit pixels */
  readonly strip?: { readonly x: number; readonly y: number };
  readonly photometric?: string;
}
/** A limb of even grey, and a bone in it that is broken in one place. */
function phantom(instance: number, options: Phantom = {}): Buffer {
  const { columns = 600, rows = 400, strip, photometric = 'MONOCHROME2' } = options;
  const pixels = new Uint16Array(rows * columns).fill(300);
  if (strip) {
    for (let y = strip.y - 60; y < strip.y + 60; y += 1) {
      const isGap = Math.abs(y - strip.y) < 4;
      for (let x = strip.x; x < strip.x + 30; x += 1) {
        pixels[y * columns + x] = isGap ? 300 : 800;
      }
    }
    // Air and bare detector in two corners: they set the range of the greys.
    pixels[0] = 0;
    pixels[pixels.length - 1] = 1023;
  }
  if (photometric === 'MONOCHROME1') for (const [at, v] of pixels.entries()) pixels[at] = 1023 - v;
  return encodePart10(
    new DicomDataset()
      .setString('SOPClassUID', '1.2.840.10008.5.1.4.1.1.1')
      .setString('SOPInstanceUID', `1.2.3.${instance}`)
      .setString('PhotometricInterpretation', photometric)
      .setNumbers('SamplesPerPixel', [1])
      .setNumbers('Rows', [rows])
      .setNumbers('Columns', [columns])
      .setNumbers('BitsAllocated', [16])
      .setNumbers('BitsStored', [10])
      .setNumbers('HighBit', [9])
      .setNumbers('PixelRepresentation', [0])
      .setBytes('PixelData', new Uint8Array(pixels.buffer), 'OW'),
  );
}

let worker: RunningWorker;
beforeAll(async () => {
  worker = await startWorker(folder.path, { modelsFolder, workFolder });
}, 60_000);
afterAll(() => {
  worker.process.kill('SIGKILL');
  folder.remove();
});
const post = (...objects: Buffer[]) => postInfer(worker, { product: PRODUCT, digest, objects });
const answerTo = async (...objects: Buffer[]): Promise<AnswerParts> => {
  const response = await post(...objects);
  expect(verdictOf(response)).toEqual([200, null]);
  return partsOf(response);
};
const dataOf = ({ json }: AnswerParts, name: string): readonly unknown[] =>
  json.outputs.find((tensor) => tensor.name === name)!.data;
/** x1, y1, x2, y2, score per row. */
const rowsOf = (answer: AnswerParts): number[][] => {
  const flat = dataOf(answer, 'detections') as number[];
  return Array.from({ length: flat.length / 5 }, (_, n) => flat.slice(n * 5, n * 5 + 5));
};

describe('inference worker: a radiograph', () => {
  it('finds edges of bone in the JPEG 2000 radiograph, in its own pixels', async () => {
    const answer = await answerTo(tibia);
    expect(answer.json).toMatchObject({
      model_name: PRODUCT,
      parameters: { model_digest: digest, input_digest: objectsDigest([sha256Hex(tibia)]) },
    });
    expect(answer.json.outputs.map(({ name, datatype, shape }) => [name, datatype, shape])).toEqual(
      [
        ['series_instances', 'BYTES', [1]],
        ['detections', 'FP32', [2, 5]],
        ['detection_instances', 'BYTES', [2]],
        ['preview_sizes', 'INT32', [1, 2]],
        ['image_sizes', 'INT32', [1, 2]],
        ['previews', 'UINT8', [1, 1024, 1024]],
      ],
    );
    expect(dataOf(answer, 'series_instances')).toEqual([TIBIA_UID]);
    expect(dataOf(answer, 'detection_instances')).toEqual([TIBIA_UID, TIBIA_UID]);
    expect(dataOf(answer, 'image_sizes')).toEqual([1760, 1760]);
    const [first, second] = rowsOf(answer);
    // The cyst and cortex of the distal tibia, and the shaft of the fibula.
    expect(first!.slice(0, 4)).toEqual([852.5, 1017.5, 1072.5, 1237.5]);
    expect(second!.slice(0, 4)).toEqual([907.5, 632.5, 1127.5, 852.5]);
    expect(first![4]).toBeGreaterThan(second![4]!);
    expect(second![4]).toBeGreaterThanOrEqual(0.5);
    // Display-ready: the air beside the leg is dark, the talus bright, though stored inverted.
    const preview = (x: number, y: number): number => answer.binary[y * 1024 + x]!;
    expect(answer.binary).toHaveLength(1024 * 1024);
    expect(preview(300, 400)).toBeLessThan(20);
    expect(preview(480, 900)).toBeGreaterThan(200);
  }, 60_000);

  it('moves its boxes with the picture', async () => {
    const [[here], [moved]] = [
      rowsOf(await answerTo(phantom(1, { strip: { x: 200, y: 200 } }))),
      rowsOf(await answerTo(phantom(1, { strip: { x: 350, y: 200 } }))),
    ];
    expect(here![0]).toBeLessThan(230);
    expect(here![2]).toBeGreaterThan(200);
    // A cell is 600 / 32 stored pixels wide: 150 pixels are eight cells.
    expect(moved![0]! - here![0]!).toBeCloseTo(150, 3);
    expect(moved![1]).toBeCloseTo(here![1]!, 3);
  }, 60_000);

  it('sees the same in a picture that is stored inverted', async () => {
    const strip = { x: 200, y: 200 };
    const [plain, inverted] = [
      await answerTo(phantom(1, { strip })),
      await answerTo(phantom(1, { strip, photometric: 'MONOCHROME1' })),
    ];
    expect(rowsOf(inverted)).toEqual(rowsOf(plain));
    expect(inverted.binary.equals(plain.binary)).toBe(true);
  }, 60_000);

  it('finds nothing in an even picture, and says which images it read', async () => {
    const answer = await answerTo(phantom(1), phantom(2, { columns: 100, rows: 500 }));
    expect(rowsOf(answer)).toEqual([]);
    expect(dataOf(answer, 'series_instances')).toEqual(['1.2.3.1', '1.2.3.2']);
    expect(dataOf(answer, 'preview_sizes')).toEqual([400, 600, 500, 100]);
    expect(answer.json.outputs.at(-1)!.shape).toEqual([2, 500, 600]);
  }, 60_000);

  it.each([
    ['colour', phantom(2, { photometric: 'RGB' }), [422, 'INPUT_INCOMPLETE']],
    ['a codestream that is cut short', cutCodestream(), [400, 'MALFORMED']],
    ['bytes that are no DICOM', Buffer.alloc(300), [400, 'MALFORMED']],
  ])(
    'refuses a study with one image of %s',
    async (_, object, verdict) => {
      expect(verdictOf(await post(phantom(1), object))).toEqual(verdict);
    },
    60_000,
  );

  it('leaves nothing behind', async () => {
    while (readdirSync(workFolder).length > 0) await systemClock.sleep(20);
  });
});

/** The radiograph with half of its last fragment: whole as DICOM. */
function cutCodestream(): Buffer {
  const { datasetOffset, pixelData } = decodePart10(tibia);
  const { offset, length } = pixelData!.fragments.at(-1)!;
  const from = datasetOffset + offset;
  const kept = 2 * Math.floor(length / 4);
  const cut = Buffer.concat([tibia.subarray(0, from + kept), tibia.subarray(from + length)]);
  // The length of an item stands before its value.
  cut.writeUInt32LE(kept, from - 4);
  return cut;
}
