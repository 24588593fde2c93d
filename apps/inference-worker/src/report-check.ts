/**
 * Report check: what the parent believes of a child's report.
 * Decides that a report fits the model's kind of output, its own numbers and the files that were
 * written, or is OUTPUT_INVALID: the child executes a vendor's file.
 * Source: reliability specification F16.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelManifest, SegmentationOutput } from '@aifi/contracts-manifests';
import { CONFORMED_SIZE } from '@aifi/dicom-pixels';
import { ok, refuse, type Result } from '@aifi/shared-kernel';
import {
  CONFORMED_IMAGE_FILE,
  CONFORMED_LABELS_FILE,
  previewFrameOf,
  PREVIEWS_FILE,
  runReportSchema,
  SERIES_LABELS_FILE,
  type DetectionSuccess,
  type RunSuccess,
  type SegmentationSuccess,
} from './run-protocol.js';

const GRID = CONFORMED_SIZE ** 3;

/** The checked report, the child's own refusal, or OUTPUT_INVALID. */
export async function judgeReport(
  report: unknown,
  outputFolder: string,
  { output }: ModelManifest,
): Promise<Result<RunSuccess>> {
  const parsed = runReportSchema.safeParse(report);
  if (!parsed.success) return refuse('OUTPUT_INVALID', 'the report does not fit its schema');
  const { data } = parsed;
  if (data.kind === 'refusal') return refuse(data.code);
  const isSound =
    output.kind === 'segmentation'
      ? data.kind === output.kind && countsAddUp(data, output)
      : data.kind === output.kind && boxesLieInside(data, output.operatingPoint.threshold);
  if (!isSound) return refuse('OUTPUT_INVALID', 'the report does not fit the model or itself');
  for (const { name, sizeBytes } of filesOf(data)) {
    const found = await stat(join(outputFolder, name)).catch(() => undefined);
    if (!found?.isFile() || found.size !== sizeBytes) {
      return refuse('OUTPUT_INVALID', 'an output file has another size');
    }
  }
  return ok(data);
}

export interface OutputFile {
  /** In the output folder. */
  readonly name: string;
  /** Of uint8. */
  readonly shape: readonly number[];
  readonly sizeBytes: number;
}

/** The files that such a run writes, in the order of the answer. */
export function filesOf(run: RunSuccess): OutputFile[] {
  const file = (name: string, shape: readonly number[]): OutputFile => ({
    name,
    shape,
    sizeBytes: shape.reduce((a, b) => a * b, 1),
  });
  if (run.kind === 'detection') {
    return [file(PREVIEWS_FILE, [run.images.length, ...previewFrameOf(run)])];
  }
  const grid = [CONFORMED_SIZE, CONFORMED_SIZE, CONFORMED_SIZE];
  return [
    file(SERIES_LABELS_FILE, [run.seriesInstances.length, run.rows, run.columns]),
    file(CONFORMED_IMAGE_FILE, grid),
    file(CONFORMED_LABELS_FILE, grid),
  ];
}

function countsAddUp(
  { voxelCounts }: SegmentationSuccess,
  { classes }: SegmentationOutput,
): boolean {
  const counted = voxelCounts.reduce((sum, count) => sum + count, 0);
  return voxelCounts.length === classes.length && counted === GRID;
}

function boxesLieInside({ images, detections }: DetectionSuccess, threshold: number): boolean {
  return detections.every(({ image, box: [x1, y1, x2, y2], score }) => {
    const { rows = 0, columns = 0 } = images[image] ?? {};
    const isInside = x1 >= 0 && x1 < x2 && x2 <= columns && y1 >= 0 && y1 < y2 && y2 <= rows;
    return isInside && score >= threshold;
  });
}
