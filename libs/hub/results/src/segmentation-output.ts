/**
 * Segmentation output: labels and counts of a segmentation product.
 * Decides sizes before anything is read. Arrays conformed_image and conformed_labels are [k, j, i]
 * uint8, 256³ at 1 mm, orientation LIA; counts are voxels of 1 mm³; series_labels are [slice, row,
 * column] uint8 in the geometry of the input series. Invariant: one header in memory at a time.
 * Source: Open Inference Protocol v2; reliability specification P4.
 */
import type {
  ManifestObject,
  SegmentationOutput as ManifestOutput,
} from '@aifi/contracts-manifests';
import type { DicomDataset } from '@aifi/dicom-core';
import { slicePlane, type ConformedVolume, type SlicePlane } from '@aifi/dicom-evidence';
import { invalid, type SealedAnswer } from './sealed-answer.js';

export interface SegmentationResult {
  readonly kind: 'segmentation';
  /** Instances that the model read, in slice order. */
  readonly instances: readonly ManifestObject[];
  /** Header of the first instance. */
  readonly source: DicomDataset;
  /** Planes of the instances, in their order. */
  readonly planes: readonly SlicePlane[];
  /** Voxels per class value, index = class value. */
  readonly voxelCounts: readonly number[];
  readonly conformed: ConformedVolume;
  /** Labels in the geometry of the series. */
  readonly series: {
    readonly labels: Uint8Array;
    readonly rows: number;
    readonly columns: number;
  };
}

const CONFORMED_VOXELS = 256 ** 3;
/** Labels of one series in memory: 2,048 slices of 512 x 512. @unit bytes */
const SERIES_LABELS_BYTES_MAX = 512 * 1024 ** 2;

export async function readSegmentationOutput(
  answer: SealedAnswer,
  job: {
    readonly instances: readonly ManifestObject[];
    readonly output: ManifestOutput;
    readonly headerOf: (object: ManifestObject) => Promise<DicomDataset>;
  },
): Promise<SegmentationResult> {
  const { instances, output, headerOf } = job;
  const voxelCounts = await countsOf(answer, output);
  const series = await seriesLabels(answer, instances.length);
  const image = await answer.bytes('conformed_image', CONFORMED_VOXELS);
  const labels = await answer.bytes('conformed_labels', CONFORMED_VOXELS);
  const source = await headerOf(instances[0]!);
  const planes = [slicePlane(source)];
  for (const instance of instances.slice(1)) planes.push(slicePlane(await headerOf(instance)));
  const conformed = { image, labels };
  return { kind: 'segmentation', instances, source, planes, voxelCounts, conformed, series };
}

async function countsOf(answer: SealedAnswer, { classes }: ManifestOutput): Promise<number[]> {
  const counts = await answer.numbers('voxel_counts', 'INT64', classes.length);
  const isWhole = counts.every((count) => Number.isInteger(count) && count >= 0);
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (!isWhole || total !== CONFORMED_VOXELS) throw invalid('voxel counts do not fit the grid');
  return counts;
}

async function seriesLabels(
  answer: SealedAnswer,
  slices: number,
): Promise<SegmentationResult['series']> {
  const [n, rows = 0, columns = 0, ...more] = answer.shape('series_labels');
  const isVolume = more.length === 0 && [rows, columns].every((size) => Number.isInteger(size));
  const sizeBytes = slices * rows * columns;
  if (!isVolume || n !== slices || sizeBytes < 1 || sizeBytes > SERIES_LABELS_BYTES_MAX) {
    throw invalid('series_labels of another size');
  }
  return { labels: await answer.bytes('series_labels', sizeBytes), rows, columns };
}
