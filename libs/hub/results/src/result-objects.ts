/**
 * Result objects: the DICOM objects of one job, by the kind of product.
 * Decides which objects a job returns and in which order (segmentation: SR, SC and, when a class
 * has voxels, SEG; detection: SR, SC), and refuses a report that does not pass our own check.
 * Invariants: equal inputs give equal bytes, so that a repeated try makes the same objects; every
 * UID made here is listed. Volumes in mL: voxels of 1 mm³ divided by 1000.
 * Source: results specification 4.1-4.3, 4.5; reliability specification 1 (minted UIDs).
 */
import { encodePart10, type DicomDataset } from '@aifi/dicom-core';
import {
  buildBoxesCapture,
  buildDetectionReport,
  buildSegmentation,
  buildTissueCapture,
  buildVolumeReport,
  checkReport,
  createMinter,
  type EarlyImages,
  type EvidenceContext,
  type EvidenceLanguage,
  type MintedUid,
} from '@aifi/dicom-evidence';
import type { ModelManifest, ResultRole } from '@aifi/contracts-manifests';
import { AifiError, type JobId, type Sha256 } from '@aifi/shared-kernel';
import type { DetectionResult } from './detection-output.js';
import type { ModelOutput } from './model-output.js';
import type { SegmentationResult } from './segmentation-output.js';

/** 1 mL = 1000 mm³. */
const MM3_PER_ML = 1000;

export interface ResultInput {
  readonly jobId: JobId;
  readonly modelDigest: Sha256;
  readonly issue: number;
  readonly product: ModelManifest;
  readonly output: ModelOutput;
  readonly producedAt: Date;
  readonly platformVersion: string;
  readonly language: EvidenceLanguage;
  /** The product ran while its study still arrived. */
  readonly early?: EarlyImages | undefined;
}
export interface ResultObject {
  readonly role: ResultRole;
  readonly dataset: DicomDataset;
  readonly bytes: Buffer;
}
export interface ResultObjects {
  readonly objects: readonly ResultObject[];
  readonly mintedUids: readonly MintedUid[];
}
type Built = readonly (readonly [ResultRole, DicomDataset])[];

/** Builds and checks; INVALID_ARGUMENT when the output or the report is not valid. */
export function buildResultObjects(input: ResultInput): ResultObjects {
  const { product, output } = input;
  const minter = createMinter(input.jobId, input.modelDigest, input.issue);
  const context: EvidenceContext = {
    source: { dataset: output.source, instances: output.instances },
    product,
    modelDigest: input.modelDigest,
    jobId: input.jobId,
    platformVersion: input.platformVersion,
    language: input.language,
    early: input.early,
    producedAt: input.producedAt,
    utcOffsetMinutes: -input.producedAt.getTimezoneOffset(),
    mint: minter.mint,
  };
  const built =
    output.kind === 'segmentation'
      ? segmentationObjects(context, output)
      : detectionObjects(context, output);
  const objects = built.map(([role, dataset]) => ({
    ...{ role, dataset },
    bytes: encodePart10(dataset),
  }));
  return { objects, mintedUids: minter.minted };
}

function segmentationObjects(context: EvidenceContext, output: SegmentationResult): Built {
  const { classes } = context.product.output;
  const { voxelCounts, conformed, series, planes } = output;
  const volumesMl = new Map(
    classes.map(({ value }) => [value, voxelCounts[value]! / MM3_PER_ML] as const),
  );
  const measurements = classes
    .filter((tissue) => tissue.code !== undefined)
    .map(({ value }) => ({ classValue: value, volumeMl: volumesMl.get(value)! }));
  const segmentation = buildSegmentation(context, { ...series, planes, classes });
  return [
    ['SR', checked(buildVolumeReport(context, measurements, segmentation))],
    ['SC', buildTissueCapture(context, { ...conformed, classes, volumesMl })],
    ...(segmentation ? [['SEG', segmentation.dataset] as const] : []),
  ];
}

function detectionObjects(
  context: EvidenceContext,
  { detections, pictures }: DetectionResult,
): Built {
  return [
    ['SR', checked(buildDetectionReport(context, detections))],
    ['SC', buildBoxesCapture(context, pictures, detections)],
  ];
}

function checked(report: DicomDataset): DicomDataset {
  const problems = checkReport(report);
  if (problems.length === 0) return report;
  throw new AifiError('INVALID_ARGUMENT', `the report fails its check: ${problems.join(', ')}`);
}
