/**
 * Model manifest: what a vendor delivers beside the artefact (`models/<product>/manifest.yaml`).
 * Decides which series a product takes, how input is prepared and what comes out, without code.
 * Invariant: the artefact is named by digest; a demonstration product says so in its label.
 * Source: governance specification 4.1; architecture "Purpose".
 */
import { z } from 'zod';
import { maxStudyAgeHoursSchema, productCertificateSchema } from './certificate.js';
import { intendedUseSchema, onMissingSchema } from './intended-use.js';
import {
  laneSchema,
  productIdSchema,
  semverSchema,
  sha256Schema,
  uidSchema,
} from './primitives.js';

/** Characteristics of a patient that a product can ask for (PS3.15 option 113108). */
export const PATIENT_CHARACTERISTICS = ['age', 'sex', 'size', 'weight', 'pregnancy'] as const;

/**
 * What a product needs to be kept of a patient, and may. Signed with the rest: a gateway never
 * keeps more than its hub has agreed with the vendor. Source: PS3.15 E.3.6, E.3.7, E.3.10.
 */
export const deidentificationContractSchema = z.strictObject({
  retain: z.array(z.enum(PATIENT_CHARACTERISTICS)).default(['age', 'sex']),
  /** Images from which a face can be reconstructed, such as a head CT or MR (0028,0302). */
  recognisableVisualFeatures: z.enum(['allow', 'deny']).default('deny'),
  /** Dates are shifted by whole days, or removed altogether. */
  dates: z.enum(['shift', 'remove']).default('shift'),
});
export type DeidentificationContract = z.infer<typeof deidentificationContractSchema>;

/** Volume to 256³ at 1 mm, orientation LIA, uint8 by min..max; libs/dicom/pixels `conform`. */
const conformStep = z.strictObject({
  kind: z.literal('conform'),
  size: z.literal(256),
  spacingMm: z.literal(1),
  orientation: z.literal('LIA'),
});
/**
 * Radiograph to [height, width] uint8: decoded, MONOCHROME1 inverted, lowest..highest value of the
 * picture to 0..255, aspect kept, centred on black; libs/dicom/pixels `letterbox`.
 */
const radiographStep = z.strictObject({
  kind: z.literal('radiograph'),
  height: z.int().min(16).max(4096),
  width: z.int().min(16).max(4096),
});
const scaleStep = z.strictObject({ kind: z.literal('divide'), by: z.number().positive() });

/** CodeValue, CodingSchemeDesignator, CodeMeaning. */
const codeSchema = z.strictObject({
  value: z.string().min(1).max(16),
  scheme: z.string().min(1).max(16),
  meaning: z.string().min(1).max(64),
});
const classSchema = z.strictObject({
  value: z.int().nonnegative(),
  label: z.string().max(64),
  /** Coded finding; absent for background. */
  code: codeSchema.optional(),
  /** sRGB on the Secondary Capture. */
  colour: z.tuple([z.int(), z.int(), z.int()]).optional(),
});
export type ManifestClass = z.infer<typeof classSchema>;

/** One label per voxel: argmax over axis 1 of [batch, class, k, j, i]. */
const segmentationOutput = z.strictObject({
  kind: z.literal('segmentation'),
  name: z.string(),
  classes: z.array(classSchema).min(2),
});
export type SegmentationOutput = z.infer<typeof segmentationOutput>;

/** Boxes in the picture, one finding: boxes [n, 4] (x1, y1, x2, y2, input pixels), scores [n]. */
const detectionOutput = z.strictObject({
  kind: z.literal('detection'),
  names: z.strictObject({ boxes: z.string(), scores: z.string() }),
  finding: codeSchema,
  site: codeSchema,
  /** The finding in the words of a report. */
  label: z.string().min(1).max(64),
  /** Boxes with a lower score are never told. */
  operatingPoint: z.strictObject({ threshold: z.number().gt(0).lt(1) }),
  /** Overlap from which the lower score is dropped; absent when the graph does that itself. */
  suppression: z.strictObject({ iouMax: z.number().gt(0).lt(1) }).optional(),
  /** A detection has none; here so that readers of classes need not ask for the kind first. */
  classes: z.array(classSchema).length(0).default([]),
});
export type DetectionOutput = z.infer<typeof detectionOutput>;

export const modelManifestSchema = z.strictObject({
  schema: z.literal('aifi.model-manifest.v1'),
  product: productIdSchema,
  name: z.string().max(64),
  version: semverSchema,
  vendor: z.string().min(1).max(64),
  purpose: z.enum(['demonstration', 'clinical']),
  /** Drawn on every object, for example RESEARCH MODEL, NOT FOR CLINICAL USE. */
  label: z.string().max(64),
  /** UID of the device that contributes results; a new one whenever the model changes. */
  deviceUid: uidSchema,
  /** Fixed per product; its objects count up from here, 9900 is the status object's. */
  seriesNumberBase: z.int().min(9000).max(9889),
  lane: laneSchema,
  artefact: z.strictObject({ file: z.string().regex(/^[\w.-]+$/), sha256: sha256Schema }),
  intendedUse: intendedUseSchema,
  /** Without one the product has no way to a clinical site. */
  certificate: productCertificateSchema.optional(),
  maxStudyAgeHours: maxStudyAgeHoursSchema.optional(),
  studyAgeOnMissing: onMissingSchema.optional(),
  /** Runs only where it is asked for by name. */
  manualOnly: z.boolean().optional(),
  /** Absent: age and sex are kept, nothing with a face, dates shifted. */
  deidentification: deidentificationContractSchema.optional(),
  input: z.strictObject({
    name: z.string(),
    datatype: z.literal('FP32'),
    /** [batch, channel, k, j, i] of the conformed grid, or [batch, channel, height, width]. */
    shape: z.array(z.int()).min(4).max(5),
    steps: z.array(z.discriminatedUnion('kind', [conformStep, radiographStep, scaleStep])).min(1),
  }),
  output: z.discriminatedUnion('kind', [segmentationOutput, detectionOutput]),
  /** Whole run of one study in the worker, model loading included. @unit ms */
  timeoutMs: z.int().positive(),
});
export type ModelManifest = z.infer<typeof modelManifestSchema>;
