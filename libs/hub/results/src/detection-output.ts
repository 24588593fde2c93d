/**
 * Detection output: boxes and pictures of a detection product.
 * Decides which boxes belong to which image and reads only the pictures that a page will show.
 * Boxes are x1, y1, x2, y2 in pixels of the stored image (x = column), 0,0 the top left corner of
 * the top left pixel; scores 0..1; previews [image, row, column] uint8 MONOCHROME2, padded.
 * Invariant: a box lies inside its image, and an image has the size that its header says.
 * Source: Open Inference Protocol v2; reliability specification P4; results specification 4.3.
 */
import type { ManifestObject } from '@aifi/contracts-manifests';
import type { DicomDataset } from '@aifi/dicom-core';
import {
  DETECTIONS_MAX,
  shownInstances,
  type BoxesPicture,
  type Detection,
} from '@aifi/dicom-evidence';
import { invalid, type SealedAnswer } from './sealed-answer.js';

export interface DetectionResult {
  readonly kind: 'detection';
  /** Images that the model read. */
  readonly instances: readonly ManifestObject[];
  /** Header of the first instance. */
  readonly source: DicomDataset;
  readonly detections: readonly Detection[];
  /** Pictures of the images that the capture shows. */
  readonly pictures: readonly BoxesPicture[];
}

interface Size {
  readonly rows: number;
  readonly columns: number;
}

/** Longest side of a preview. @unit px */
const PREVIEW_SIDE_MAX = 1024;

export async function readDetectionOutput(
  answer: SealedAnswer,
  job: {
    readonly instances: readonly ManifestObject[];
    readonly headerOf: (object: ManifestObject) => Promise<DicomDataset>;
  },
): Promise<DetectionResult> {
  const { instances, headerOf } = job;
  const imageSizes = await sizesOf(answer, 'image_sizes', instances.length);
  const detections = await detectionsOf(answer, instances, imageSizes);
  const previewSizes = await sizesOf(answer, 'preview_sizes', instances.length);
  const pictures: BoxesPicture[] = [];
  for (const index of shownInstances(instances, detections)) {
    const [instance, size] = [instances[index]!, imageSizes[index]!];
    const dataset = await headerOf(instance);
    if (dataset.number('Rows') !== size.rows || dataset.number('Columns') !== size.columns) {
      throw invalid('an image of another size than its header says');
    }
    const pixels = await previewOf(answer, { index, size: previewSizes[index]!, instances });
    const stored = { imageRows: size.rows, imageColumns: size.columns };
    pictures.push({ instance, dataset, pixels, ...previewSizes[index]!, ...stored });
  }
  const source = await headerOf(instances[0]!);
  return { kind: 'detection', instances, source, detections, pictures };
}

async function sizesOf(answer: SealedAnswer, name: string, images: number): Promise<Size[]> {
  const numbers = await answer.numbers(name, 'INT32', images * 2);
  if (!numbers.every((size) => Number.isInteger(size) && size > 0))
    throw invalid(`${name} is none`);
  return Array.from({ length: images }, (_, index) => ({
    rows: numbers[index * 2]!,
    columns: numbers[index * 2 + 1]!,
  }));
}

async function detectionsOf(
  answer: SealedAnswer,
  instances: readonly ManifestObject[],
  imageSizes: readonly Size[],
): Promise<Detection[]> {
  const positions = new Map<unknown, number>(
    instances.map(({ sopInstanceUid }, index) => [sopInstanceUid, index]),
  );
  const uids = answer.data('detection_instances');
  if (uids.length > DETECTIONS_MAX) throw invalid('too many detections');
  const rows = await answer.numbers('detections', 'FP32', uids.length * 5);
  return uids.map((uid, index) => {
    const position = positions.get(uid);
    if (position === undefined) throw invalid('a box on an image that was not read');
    const [x1, y1, x2, y2, score] = rows.slice(index * 5, index * 5 + 5) as Row;
    const size = imageSizes[position]!;
    if (x1 < 0 || y1 < 0 || x2 > size.columns || y2 > size.rows) {
      throw invalid('a box outside its image');
    }
    return { instance: instances[position]!, box: { x1, y1, x2, y2 }, score };
  });
}
type Row = [number, number, number, number, number];

/** One picture without its padding. */
async function previewOf(
  answer: SealedAnswer,
  picture: {
    readonly index: number;
    readonly size: Size;
    readonly instances: readonly ManifestObject[];
  },
): Promise<Uint8Array> {
  const { index, size, instances } = picture;
  const [images, height = 0, width = 0] = answer.shape('previews');
  const isSized =
    images === instances.length && size.rows <= height && size.columns <= width && height > 0;
  if (!isSized || Math.max(height, width) > PREVIEW_SIDE_MAX) throw invalid('previews do not fit');
  const length = height * width;
  const padded = await answer.bytes('previews', images * length, {
    offset: index * length,
    length,
  });
  const pixels = new Uint8Array(size.rows * size.columns);
  for (let row = 0; row < size.rows; row += 1) {
    const start = row * width;
    pixels.set(padded.subarray(start, start + size.columns), row * size.columns);
  }
  return pixels;
}
