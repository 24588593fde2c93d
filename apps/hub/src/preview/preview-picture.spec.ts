/**
 * Goal: a preview shows what the window says and is never larger than a screen.
 * Method: phantoms of four pixels with greys worked out by hand from PS3.3 C.11.2.1.2, and the
 * committed JPEG 2000 radiograph of the demonstration.
 */
import { afterAll, describe, expect, it } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { decode } from 'fast-png';
import {
  DicomDataset,
  elementHeader,
  encodePart10,
  encodingOf,
  UNDEFINED_LENGTH,
} from '@aifi/dicom-core';
import { sha256Hex } from '@aifi/shared-kernel';
import { temporaryFolder } from '@aifi/shared-testing';
import { PREVIEW_SIDE_MAX, renderPreview as sut } from './preview-picture.js';

const folder = temporaryFolder('preview');
afterAll(() => folder.remove());
// PS3.5 A.4.5: a video is no picture.
const MPEG2 = '1.2.840.10008.1.2.4.100';
const repository = join(import.meta.dirname, '../../../..');

function saved(bytes: Uint8Array): { path: string; sha256: string } {
  const sha256 = sha256Hex(bytes);
  const path = join(folder.path, sha256);
  writeFileSync(path, bytes);
  return { path, sha256 };
}
/** Stored values 0, 100, 200 and 1000 in a row; attributes as changed. */
function phantom(
  change: (dataset: DicomDataset) => unknown = () => undefined,
  transferSyntaxUid?: string,
): Uint8Array {
  const dataset = new DicomDataset()
    .setString('SOPClassUID', '1.2.840.10008.5.1.4.1.1.4')
    .setString('SOPInstanceUID', '2.25.1')
    .setString('PhotometricInterpretation', 'MONOCHROME2')
    .setNumbers('SamplesPerPixel', [1])
    .setNumbers('Rows', [1])
    .setNumbers('Columns', [4])
    .setNumbers('BitsAllocated', [16])
    .setNumbers('BitsStored', [16])
    .setNumbers('HighBit', [15])
    .setNumbers('PixelRepresentation', [0])
    .setBytes('PixelData', new Uint8Array(Uint16Array.of(0, 100, 200, 1000).buffer), 'OW');
  change(dataset);
  return encodePart10(dataset, transferSyntaxUid);
}
/** One compressed frame of a syntax that no reader of pictures takes. */
function video(): Uint8Array {
  const header = phantom((dataset) => dataset.delete('PixelData'), MPEG2);
  // PS3.5 A.4: an empty offset table, one fragment, the closing delimiter.
  const items = Buffer.from('feff00e000000000feff00e004000000000001b3feffdde000000000', 'hex');
  const start = elementHeader(0x7fe00010, 'OB', UNDEFINED_LENGTH, encodingOf(MPEG2));
  return Buffer.concat([header, start, items]);
}
const greysOf = async (bytes: Uint8Array): Promise<number[]> => [
  ...decode(await sut(saved(bytes))).data,
];
const window = (centre: number, width: number, shape?: string) => (dataset: DicomDataset) => {
  dataset.setNumbers('WindowCenter', [centre, 7]).setNumbers('WindowWidth', [width, 7]);
  if (shape) dataset.setString('VOILUTFunction', shape);
};

describe('a preview', () => {
  it.each([
    // 101 values wide around 100.5: 50 is black, 150 is white, 100 the middle (127.5).
    ['the first window', window(100.5, 101), [0, 128, 255, 255]],
    ['a window of one value', window(101, 1), [0, 0, 255, 255]],
    ['an exact window', window(100, 200, 'LINEAR_EXACT'), [0, 128, 255, 255]],
    // 1 / (1 + e^2) = 0.1192, 1/2, 0.8808
    ['a sigmoid', window(100, 200, 'SIGMOID'), [30, 128, 225, 255]],
    ['no window', () => undefined, [0, 26, 51, 255]],
    ['a window without a width', window(100, 0), [0, 26, 51, 255]],
  ])('has the greys of %s', async (_name, change, greys) => {
    await expect(greysOf(phantom(change))).resolves.toEqual(greys);
  });
  it('shows MONOCHROME1 inverted, rescaled values, and padding black', async () => {
    const bytes = phantom((dataset) => {
      window(1.5, 3)(dataset);
      dataset.setString('PhotometricInterpretation', 'MONOCHROME1');
      dataset.setNumbers('RescaleSlope', [0.01]).setNumbers('PixelPaddingValue', [1000], 'US');
    });
    // Values 0, 1, 2 over 0..2: white, middle, black; then padding.
    await expect(greysOf(bytes)).resolves.toEqual([255, 128, 0, 0]);
  });
  it('is scaled down to a screen with its aspect', async () => {
    const tibia = join(repository, 'deploy/demo/data/cr-tibia/RG3_J2KR.dcm.gz');
    const { width, height, depth, channels } = decode(
      await sut(saved(gunzipSync(readFileSync(tibia)))),
    );
    // 1760 x 1760 pixels.
    const side = PREVIEW_SIDE_MAX;
    expect([width, height, depth, channels]).toEqual([side, side, 8, 1]);
  });
  it('keeps a small picture as it is', async () => {
    const { width, height } = decode(await sut(saved(phantom())));
    expect([width, height]).toEqual([4, 1]);
  });
  it('keeps the aspect of a long one', async () => {
    const long = phantom((dataset) => {
      dataset.setNumbers('Rows', [2048]).setNumbers('Columns', [512]);
      dataset.setBytes('PixelData', new Uint8Array(2048 * 512 * 2), 'OW');
    });
    const { width, height } = decode(await sut(saved(long)));
    expect([width, height]).toEqual([256, 1024]);
  });
  it('is refused for other bytes than those declared', async () => {
    const { path } = saved(phantom());
    await expect(sut({ path, sha256: sha256Hex('other') })).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    });
  });
  it.each([
    [
      'colours',
      phantom((d) => d.setString('PhotometricInterpretation', 'RGB')),
      'INVALID_ARGUMENT',
    ],
    ['frames', phantom((d) => d.setNumbers('NumberOfFrames', [2])), 'INVALID_ARGUMENT'],
    ['a video', video(), 'INVALID_ARGUMENT'],
    ['pixels of another form', phantom(() => undefined, MPEG2), 'DICOM_MALFORMED'],
    ['too few bytes', phantom((d) => d.setNumbers('Columns', [400])), 'DICOM_MALFORMED'],
    [
      'an impossible size',
      phantom((d) => d.setNumbers('Rows', [65535]).setNumbers('Columns', [65535])),
      'LIMIT_EXCEEDED',
    ],
    ['what is no DICOM', Buffer.from('%PDF-1.7'), 'DICOM_MALFORMED'],
  ])('is refused for %s', async (_name, bytes, code) => {
    await expect(sut(saved(bytes))).rejects.toMatchObject({ code });
  });
});
