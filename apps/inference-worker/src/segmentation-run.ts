/**
 * Segmentation run: one series to one label per voxel.
 * Decides the order: read and judge the series, conform, scale, run, argmax, map back.
 * Shapes: input [1, 1, k, j, i] float32; output [1, class, k, j, i] float32; 256³ at 1 mm, LIA.
 * Source: worker contract.
 */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { ModelManifest, SegmentationOutput } from '@aifi/contracts-manifests';
import {
  conform,
  CONFORMED_SIZE,
  readSeriesVolume,
  resampleLabelsToSeries,
  type SeriesVolume,
} from '@aifi/dicom-pixels';
import { objectsDigest, ok, refuse, type Result } from '@aifi/shared-kernel';
import { argmaxLabels, type LabelledGrid } from './argmax.js';
import { scaledInput, type ModelWork } from './model-input.js';
import {
  CONFORMED_IMAGE_FILE,
  CONFORMED_LABELS_FILE,
  SERIES_LABELS_FILE,
  type SegmentationSuccess,
} from './run-protocol.js';

/** Runs and writes the three output files; refusals and faults as in `readSeriesVolume`. */
export async function runSegmentation(
  work: ModelWork,
  output: SegmentationOutput,
): Promise<Result<SegmentationSuccess>> {
  const series = await readSeriesVolume(work.objectPaths);
  if (!series.ok) return series;
  const sufficient = judgeSufficiency(series.value, work.manifest);
  if (!sufficient.ok) return sufficient;
  const image = conform(series.value);
  const grid = await segment(work, output, image.data);
  if (!grid.ok) return grid;
  const { labels, voxelCounts } = grid.value;
  await work.write(SERIES_LABELS_FILE, resampleLabelsToSeries(labels, series.value));
  await work.write(CONFORMED_IMAGE_FILE, image.data);
  await work.write(CONFORMED_LABELS_FILE, labels);
  const [, rows, columns] = series.value.shape;
  return ok({
    kind: 'segmentation',
    seriesInstances: [...series.value.sopInstanceUids],
    rows,
    columns,
    voxelCounts: [...voxelCounts],
    inputDigest: objectsDigest(series.value.objectDigests),
  });
}

/** The gateway asked the same before it sent; asked again of the pixels that really arrived. */
function judgeSufficiency(series: SeriesVolume, { intendedUse }: ModelManifest): Result<true> {
  if (series.sopInstanceUids.length < intendedUse.instancesMin) {
    return refuse('INPUT_INCOMPLETE', 'fewer instances than the product needs');
  }
  if (series.coverageMm < (intendedUse.coverageMinMm ?? 0)) {
    return refuse('COVERAGE_INSUFFICIENT', 'the series covers less than the product needs');
  }
  return ok(true);
}

async function segment(
  { artefact, manifest }: ModelWork,
  { name, classes }: SegmentationOutput,
  image: Uint8Array,
): Promise<Result<LabelledGrid>> {
  const { input } = manifest;
  const session = await InferenceSession.create(artefact);
  const tensor = new Tensor('float32', scaledInput(image, manifest), input.shape);
  const scores = (await session.run({ [input.name]: tensor }, [name]))[name];
  const expected = [1, classes.length, CONFORMED_SIZE, CONFORMED_SIZE, CONFORMED_SIZE];
  if (scores?.type !== 'float32' || scores.dims.join() !== expected.join()) {
    return refuse('OUTPUT_INVALID', 'output has another type or shape');
  }
  return argmaxLabels(scores.data as Float32Array, classes.length);
}
