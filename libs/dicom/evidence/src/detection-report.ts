/**
 * Detection report: the boxes of a detection product as a Comprehensive 3D SR, TID 1500.
 * Decides one planar group per box, one evaluation of the study (present or absent) with the images
 * that were read, and the scope in words: no finding is also a result. Coordinates are column\row
 * of the stored image, 0\0 the top left corner of the top left pixel. Invariant: what is evaluated
 * as present has a group, what is absent has none.
 * Source: results specification 4.2, 4.3; PS3.3 C.18.6; PS3.16 TID 1410, 300, 320.
 */
import type { DicomDataset } from '@aifi/dicom-core';
import { AifiError } from '@aifi/shared-kernel';
import { CODES, type Code } from './codes.js';
import { coded, container, image, numeric, polyline, text } from './content-item.js';
import { detectionOutput, type Detection, type EvidenceContext } from './evidence-context.js';
import { ascii, searchScope } from './own-text.js';
import { algorithmIdentification, reportDocument, tracking } from './report-document.js';
import { trackingIdentifier } from './segment-description.js';

export const PLANAR_GROUP_TEMPLATE = '1410';
/** Boxes of one report: more are a product gone wrong, and no reader looks at them. */
export const DETECTIONS_MAX = 1024;

/**
 * The report as a dataset for `encodePart10`. Refuses with INVALID_ARGUMENT a box that is none,
 * that lies on an image that was not read, or whose score is below the operating point, and with
 * LIMIT_EXCEEDED more boxes than DETECTIONS_MAX. Mints `sr`, `sr-series` and `tracking` per box.
 */
export function buildDetectionReport(
  context: EvidenceContext,
  detections: readonly Detection[],
): DicomDataset {
  const { finding, label, operatingPoint } = detectionOutput(context);
  assertDetections(context, detections);
  const { instances } = context.source;
  const isPresent = detections.length > 0;
  const evaluation = coded(
    'CONTAINS',
    plain(finding),
    isPresent ? CODES.present : CODES.absent,
    instances.map((instance) => image('INFERRED FROM', instance)),
  );
  const scope = searchScope(
    {
      label,
      images: instances.length,
      threshold: operatingPoint.threshold,
      found: detections.length,
    },
    context.language,
  );
  return reportDocument(context, {
    finding: 'findings',
    evidence: [],
    groups: detections.map((detection, index) => planarGroup(context, detection, index)),
    evaluations: [evaluation, text('CONTAINS', CODES.comment, scope)],
  });
}

/** Refuses boxes that cannot be shown or that the operating point excludes. */
export function assertDetections(context: EvidenceContext, detections: readonly Detection[]): void {
  const { threshold } = detectionOutput(context).operatingPoint;
  const known = new Set(context.source.instances.map(({ sopInstanceUid }) => sopInstanceUid));
  if (detections.length > DETECTIONS_MAX) {
    throw new AifiError('LIMIT_EXCEEDED', 'too many detections for one report');
  }
  for (const { instance, box, score } of detections) {
    const isBox = 0 <= box.x1 && box.x1 < box.x2 && 0 <= box.y1 && box.y1 < box.y2;
    const isFinite = Number.isFinite(box.x2) && Number.isFinite(box.y2);
    // A threshold is a double, a score a float: the same number may differ in its last digits.
    const isScore = score <= 1 && score >= Math.fround(threshold);
    if (!isBox || !isFinite || !isScore || !known.has(instance.sopInstanceUid)) {
      throw new AifiError('INVALID_ARGUMENT', 'a detection that cannot be reported');
    }
  }
}

/** TID 1410 with one TID 300: a closed rectangle, the certainty, the algorithm below it. */
function planarGroup(
  context: EvidenceContext,
  { instance, box, score }: Detection,
  index: number,
): DicomDataset {
  const { finding, site, label, operatingPoint } = detectionOutput(context);
  const { x1, y1, x2, y2 } = box;
  const corners = [
    [x1, y1],
    [x2, y1],
    [x2, y2],
    [x1, y2],
    [x1, y1],
  ] as const;
  const certainty = numeric(
    CODES.certainty,
    { value: percentage(score), unit: CODES.percent },
    algorithmIdentification(context, operatingPoint.threshold),
  );
  const identifier = trackingIdentifier(context, `${label} ${index + 1}`);
  return container(
    CODES.measurementGroup,
    [
      ...tracking(identifier, context.mint('tracking', index)),
      coded('CONTAINS', CODES.finding, plain(finding)),
      polyline(CODES.imageRegion, corners, instance),
      coded('HAS CONCEPT MOD', CODES.findingSite, plain(site)),
      certainty,
    ],
    PLANAR_GROUP_TEMPLATE,
  );
}

const plain = (code: Code): Code => ({ ...code, meaning: ascii(code.meaning, 64) });

/** A score in percent with one decimal, without the unit. */
export function percentage(score: number): string {
  return (score * 100).toFixed(1);
}
