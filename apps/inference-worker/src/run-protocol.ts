/**
 * Run protocol: the two messages between the worker and the child that runs one model once.
 * Decides what the parent believes of a child: the child executes a vendor's file, so its answer is
 * checked like anything from outside. Bulk data goes through files in the output folder.
 * Shapes, all uint8: series_labels.bin [n, rows, columns]; conformed_*.bin [k, j, i], 256³;
 * previews.bin [images, h, w].
 */
import { z } from 'zod';
import { reasonCodeSchema, sha256Schema } from '@aifi/contracts-manifests';
import { isUid, LIMITS } from '@aifi/shared-kernel';

/** Parent → child. */
export const runOrderSchema = z.strictObject({
  packageFolder: z.string(),
  /** SHA-256 that the requester expects of the artefact. */
  modelDigest: sha256Schema,
  objectPaths: z.array(z.string()),
  outputFolder: z.string(),
});
export type RunOrder = z.infer<typeof runOrderSchema>;

const count = z.int().nonnegative();
const side = z.int().min(1).max(65_535);
const sopInstanceUid = z.string().refine(isUid);
const segmentationSuccessSchema = z.strictObject({
  kind: z.literal('segmentation'),
  /** SOP Instance UID per slice, in slice order. */
  seriesInstances: z.array(sopInstanceUid).min(1).max(LIMITS.instancesPerStudyMax),
  rows: side,
  columns: side,
  /** Per class, on the conformed grid: voxels, which are mm³. */
  voxelCounts: z.array(count).min(2).max(256),
  /** Digest over the objects as the child read them (guard C6). */
  inputDigest: sha256Schema,
});
export type SegmentationSuccess = z.infer<typeof segmentationSuccessSchema>;

/** Radiographs in one run: a trauma series has fewer than twenty. */
export const RADIOGRAPHS_MAX = 64;
/** Longest side of a preview: enough for a Secondary Capture on any screen. @unit pixels */
export const PREVIEW_SIDE_MAX = 1024;
/** More findings than these in one run are no findings. */
export const DETECTIONS_MAX = 1024;

const previewSide = z.int().min(1).max(PREVIEW_SIDE_MAX);
const detectionSchema = z.strictObject({
  /** Index in `images`. */
  image: count,
  /** x1, y1, x2, y2 in pixels of the stored image, (0, 0) the corner of its first pixel. */
  box: z.tuple([z.number(), z.number(), z.number(), z.number()]),
  score: z.number().min(0).max(1),
});
export type Detection = z.infer<typeof detectionSchema>;

const detectionSuccessSchema = z.strictObject({
  kind: z.literal('detection'),
  /** Every image that was read, in the order of the objects. */
  images: z
    .array(
      z.strictObject({
        sopInstanceUid,
        rows: side,
        columns: side,
        previewRows: previewSide,
        previewColumns: previewSide,
      }),
    )
    .min(1)
    .max(RADIOGRAPHS_MAX),
  detections: z.array(detectionSchema).max(DETECTIONS_MAX),
  inputDigest: sha256Schema,
});
export type DetectionSuccess = z.infer<typeof detectionSuccessSchema>;
export type RunSuccess = SegmentationSuccess | DetectionSuccess;

/** Child → parent, once. */
export const runReportSchema = z.discriminatedUnion('kind', [
  segmentationSuccessSchema,
  detectionSuccessSchema,
  z.strictObject({ kind: z.literal('refusal'), code: reasonCodeSchema }),
]);
export type RunReport = z.infer<typeof runReportSchema>;

/** Size that all previews of a run are padded to: [h, w]. */
export function previewFrameOf({ images }: DetectionSuccess): [number, number] {
  return [
    Math.max(...images.map((image) => image.previewRows)),
    Math.max(...images.map((image) => image.previewColumns)),
  ];
}

export const SERIES_LABELS_FILE = 'series_labels.bin';
export const CONFORMED_IMAGE_FILE = 'conformed_image.bin';
export const CONFORMED_LABELS_FILE = 'conformed_labels.bin';
export const PREVIEWS_FILE = 'previews.bin';
