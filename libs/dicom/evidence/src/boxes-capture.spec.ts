/**
 * Goal: the page shows each radiograph with its boxes in their place, and nothing of the patient.
 * Method: phantom pictures, build, look for the box colour where the boxes must be.
 */
import { describe, expect, it } from '@jest/globals';
import { encodePart10, type DicomDataset } from '@aifi/dicom-core';
import { buildBoxesCapture, shownInstances, type BoxesPicture } from './boxes-capture.js';
import type { Detection } from './evidence-context.js';
import {
  phantomDetectionContext,
  phantomDetections,
  phantomPictures,
  phantomRadiographs,
  phantomSource,
} from './test-phantom.js';

const BOX_COLOUR = [255, 90, 200];
const build = (
  images: number,
  detections: readonly Detection[],
  change: (picture: BoxesPicture) => BoxesPicture = (picture) => picture,
): DicomDataset => {
  const context = phantomDetectionContext(images);
  const shown = shownInstances(context.source.instances, detections);
  const pictures = phantomPictures(shown.map((index) => context.source.instances[index]!));
  return buildBoxesCapture(context, pictures.map(change), detections);
};
const pixelAt = (sut: DicomDataset, x: number, y: number): number[] => {
  const at = (y * sut.number('Columns')! + x) * 3;
  return [...sut.bytes('PixelData')!.subarray(at, at + 3)];
};
const inked = (sut: DicomDataset): number => {
  const pixels = sut.bytes('PixelData')!;
  let count = 0;
  for (let at = 0; at < pixels.length; at += 3) {
    if (BOX_COLOUR.every((value, channel) => pixels[at + channel] === value)) count += 1;
  }
  return count;
};
// One picture of 300 x 400 stored pixels fills 750 x 1000, centred, below a header of 84.
const [LEFT, TOP, SCALE] = [12 + 125, 84, 2.5];

describe('buildBoxesCapture', () => {
  it('draws each box at its place, scaled with the picture', () => {
    const sut = build(1, phantomDetections());
    for (const { box } of phantomDetections()) {
      const [x, y] = [LEFT + Math.floor(box.x1 * SCALE), TOP + Math.floor(box.y1 * SCALE)];
      const middleY = Math.round(TOP + ((box.y1 + box.y2) / 2) * SCALE);
      const middleX = Math.round(LEFT + ((box.x1 + box.x2) / 2) * SCALE);
      expect(pixelAt(sut, x, middleY)).toEqual(BOX_COLOUR);
      expect(pixelAt(sut, x + 3, middleY)).not.toEqual(BOX_COLOUR);
      expect(pixelAt(sut, x - 1, middleY)).not.toEqual(BOX_COLOUR);
      expect(pixelAt(sut, middleX, y)).toEqual(BOX_COLOUR);
      const right = LEFT + Math.ceil(box.x2 * SCALE) - 1;
      expect(pixelAt(sut, right, middleY)).toEqual(BOX_COLOUR);
      expect(pixelAt(sut, right + 1, middleY)).not.toEqual(BOX_COLOUR);
    }
  });

  it('shows the picture in grey around the boxes', () => {
    const sut = build(1, phantomDetections());
    const [r, g, b] = pixelAt(sut, LEFT + 375, TOP + 980);
    expect(r).toBeGreaterThan(150);
    expect([g, b]).toEqual([r, r]);
    expect(pixelAt(sut, LEFT + 20, TOP + 500)).toEqual([0, 0, 0]);
  });

  it('draws no box when nothing was found', () => {
    expect(inked(build(2, []))).toBe(0);
  });

  it('puts up to four pictures into two columns', () => {
    const heights = [2, 3, 4].map((images) => build(images, []).number('Rows')!);
    expect(heights[1]).toBe(heights[2]);
    expect(heights[1]! - heights[0]!).toBe(498 + 4);
    expect(inked(build(4, phantomDetections()))).toBeGreaterThan(0);
  });

  it('shows images with boxes first and says how many are not shown', () => {
    const instances = phantomRadiographs(6);
    const detections = [{ ...phantomDetections()[0]!, instance: instances[5]! }];
    expect(shownInstances(instances, detections)).toEqual([0, 1, 2, 5]);
    expect(shownInstances(instances, [])).toEqual([0, 1, 2, 3]);
    expect(inked(build(6, detections))).toBeGreaterThan(0);
    expect(build(6, []).number('Rows')).toBe(build(4, []).number('Rows')! + 24);
  });

  it('breaks a long scope into lines instead of cutting its outcome off', () => {
    const context = phantomDetectionContext(1);
    const label = 'a finding whose name fills all the sixty-four characters it has';
    const output = { ...context.product.output, label } as typeof context.product.output;
    const product = { ...context.product, output };
    const pictures = phantomPictures(phantomRadiographs(1));
    const sut = buildBoxesCapture({ ...context, product }, pictures, []);
    expect(sut.number('Rows')).toBe(build(1, []).number('Rows')! + 24);
  });

  it('draws nothing of the patient and marks what was burned in before', () => {
    const base = build(1, phantomDetections());
    const other = build(1, phantomDetections(), (picture) => ({
      ...picture,
      dataset: phantomSource()
        .setString('PatientName', 'Other^Name')
        .setString('BurnedInAnnotation', 'YES'),
    }));
    const bytes = (sut: DicomDataset): Buffer => Buffer.from(sut.bytes('PixelData')!);
    expect(bytes(base).equals(bytes(other))).toBe(true);
    expect(base.string('BurnedInAnnotation')).toBe('NO');
    expect(other.string('BurnedInAnnotation')).toBe('YES');
  });

  it('keeps a laterality only when all pictures share it', () => {
    const sides = ['L', 'L', 'R'];
    let next = 0;
    const withSide = (picture: BoxesPicture): BoxesPicture => ({
      ...picture,
      dataset: phantomSource().setString('Laterality', sides[next++]!),
    });
    expect(build(2, [], withSide).string('Laterality')).toBe('L');
    next = 1;
    expect(build(2, [], withSide).string('Laterality')).toBeUndefined();
  });

  it('keeps that one of the sources was compressed with loss', () => {
    let next = 0;
    const sut = build(2, [], (picture) => ({
      ...picture,
      dataset: phantomSource().setString('LossyImageCompression', next++ === 0 ? '00' : '01'),
    }));
    expect(sut.string('LossyImageCompression')).toBe('01');
  });

  it('gives the same bytes for the same input', () => {
    const bytes = (): Buffer => encodePart10(build(2, phantomDetections()));
    expect(bytes().equals(bytes())).toBe(true);
  });

  it.each<[string, (picture: BoxesPicture) => BoxesPicture]>([
    ['pixels of another size', (picture) => ({ ...picture, rows: picture.rows + 1 })],
    ['an image without size', (picture) => ({ ...picture, imageRows: 0 })],
    ['a box outside its image', (picture) => ({ ...picture, imageColumns: 298 })],
  ])('refuses %s', (_name, change) => {
    expect(() => build(1, phantomDetections(), change)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });

  it('refuses no picture and more than fit', () => {
    const context = phantomDetectionContext(5);
    for (const count of [0, 5]) {
      const pictures = phantomPictures(phantomRadiographs(count));
      expect(() => buildBoxesCapture(context, pictures, [])).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    }
  });
});
