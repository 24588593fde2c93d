/**
 * Volume report: the volumes of a segmentation product as a Comprehensive 3D SR, TID 1500.
 * Decides the measurement groups: one per class with its volume, algorithm and sources, and, where
 * the class has voxels in a segmentation object, the segment that was measured. Values in mL, one
 * decimal. Invariant: a report without a segmentation says why.
 * Source: results specification 4.2, 4.3; PS3.16 TID 1411, 1501, 300, 320.
 */
import type { DicomDataset } from '@aifi/dicom-core';
import { AifiError } from '@aifi/shared-kernel';
import { CODES } from './codes.js';
import { coded, container, image, numeric, segment, text, uidReference } from './content-item.js';
import {
  assertSources,
  millilitres,
  type EvidenceContext,
  type SourceInstance,
  type VolumeMeasurement,
} from './evidence-context.js';
import { nothingSegmented } from './own-text.js';
import { algorithmIdentification, reportDocument, tracking } from './report-document.js';
import { codedClasses, trackingIdentifier, type CodedClass } from './segment-description.js';
import type { Segmentation } from './segmentation.js';

/** A volume of a whole class without an object that shows it. */
export const MEASUREMENT_GROUP_TEMPLATE = '1501';
/** A volume of a segment. */
export const VOLUME_GROUP_TEMPLATE = '1411';
/**
 * Most sources listed under values, all values together: 32 classes of 256 slices, about 2.7 MB.
 * Beyond it (whole-body products) the image library alone names the sources; TID 320 is optional.
 */
export const VALUE_SOURCES_MAX = 8192;

/**
 * The report as a dataset for `encodePart10`. Each measurement names a class of the manifest that
 * carries a code; INVALID_ARGUMENT when it does not, when a class comes twice, or when there is no
 * measurement. `segmentation` is undefined when no class has a voxel. Mints `sr`, `sr-series` and
 * one `tracking` per class value.
 */
export function buildVolumeReport(
  context: EvidenceContext,
  measurements: readonly VolumeMeasurement[],
  segmentation: Segmentation | undefined,
): DicomDataset {
  assertSources(context);
  const classes = new Set(measurements.map((measurement) => measurement.classValue));
  if (measurements.length === 0 || classes.size !== measurements.length) {
    throw new AifiError('INVALID_ARGUMENT', 'a report needs one measurement per class');
  }
  const { instances } = context.source;
  const isListed = instances.length * measurements.length <= VALUE_SOURCES_MAX;
  const segmented = segmentation && instanceOf(segmentation.dataset);
  const groups = measurements.map((measurement) => {
    const number = segmentation?.segmentNumbers.get(measurement.classValue);
    return measurementGroup(context, measurement, {
      sources: isListed ? instances : [],
      segment: segmented && number !== undefined ? { of: segmented, number } : undefined,
    });
  });
  const remark = text('CONTAINS', CODES.comment, nothingSegmented(context.language));
  return reportDocument(context, {
    finding: 'volumes',
    evidence: segmented ? [segmented] : [],
    groups,
    evaluations: segmented ? [] : [remark],
  });
}

function instanceOf(dataset: DicomDataset): SourceInstance {
  return {
    sopClassUid: dataset.string('SOPClassUID')!,
    sopInstanceUid: dataset.string('SOPInstanceUID')!,
    seriesInstanceUid: dataset.string('SeriesInstanceUID')!,
  };
}

interface Measured {
  readonly sources: readonly SourceInstance[];
  readonly segment: { readonly of: SourceInstance; readonly number: number } | undefined;
}

/** TID 1411 or 1501 with one TID 300; the algorithm stands under the value (not the group). */
function measurementGroup(
  context: EvidenceContext,
  { classValue, volumeMl }: VolumeMeasurement,
  { sources, segment: measured }: Measured,
): DicomDataset {
  const { code, label } = codedClass(context, classValue);
  const volume = numeric(CODES.volume, { value: millilitres(volumeMl), unit: CODES.millilitre }, [
    ...algorithmIdentification(context),
    ...sources.map((source) => image('INFERRED FROM', source, CODES.sourceOfMeasurement)),
  ]);
  // A segmentation is made from one series.
  const series = context.source.instances[0]!.seriesInstanceUid;
  const region = measured && [
    segment(CODES.referencedSegment, measured.of, measured.number),
    uidReference('CONTAINS', CODES.sourceSeries, series),
  ];
  return container(
    CODES.measurementGroup,
    [
      ...tracking(trackingIdentifier(context, label), context.mint('tracking', classValue)),
      coded('CONTAINS', CODES.finding, code),
      ...(region ?? []),
      coded('HAS CONCEPT MOD', CODES.findingSite, code),
      volume,
    ],
    region ? VOLUME_GROUP_TEMPLATE : MEASUREMENT_GROUP_TEMPLATE,
  );
}

function codedClass({ product }: EvidenceContext, value: number): CodedClass {
  const found = codedClasses(product.output.classes).find((candidate) => candidate.value === value);
  if (!found) throw new AifiError('INVALID_ARGUMENT', 'measured class has no code');
  return found;
}
