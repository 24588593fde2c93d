/**
 * Segmentation: the labels of a product as a DICOM SEG that any viewer lays over the source series.
 * Decides the object: BINARY, one segment per coded class, frames only where a class has voxels,
 * each with its source image, all in the geometry of the input series. Invariants: every source is
 * referenced; labels outside the manifest are refused; the same input gives the same bytes.
 * Source: results specification 4.1, 4.3; PS3.3 A.51, C.8.20, C.7.6.16, C.7.6.17, C.12.2.
 */
import { DicomDataset, tagOf } from '@aifi/dicom-core';
import { AifiError } from '@aifi/shared-kernel';
import { codeItem, CODES } from './codes.js';
import { sopReference } from './content-item.js';
import {
  assertSources,
  type EvidenceContext,
  type ManifestClass,
  type SourceInstance,
} from './evidence-context.js';
import { ascii, notVerified, warnings } from './own-text.js';
import { copySourceImageFacts, resultDataset, seriesReferences } from './result-modules.js';
import { codedClasses, segmentItem } from './segment-description.js';
import {
  packedFrames,
  segmentFrames,
  type SegmentFrame,
  type SeriesLabels,
} from './segment-frames.js';
import { assertOneStack, sharedGroups, type SlicePlane } from './slice-placement.js';

export const SEGMENTATION_STORAGE = '1.2.840.10008.5.1.4.1.1.66.4';

const KIND = {
  sopClassUid: SEGMENTATION_STORAGE,
  modality: 'SEG',
  role: 'seg',
  seriesNumberOffset: 2,
  finding: 'SEG',
} as const;

export interface SegmentationInput extends SeriesLabels {
  /** Planes of the source instances, in their order. */
  readonly planes: readonly SlicePlane[];
  /** Classes of the product; those with a code become segments. */
  readonly classes: readonly ManifestClass[];
}
export interface Segmentation {
  readonly dataset: DicomDataset;
  /** Class value to segment number, for the classes that have voxels. */
  readonly segmentNumbers: ReadonlyMap<number, number>;
}

/**
 * The segmentation, its dataset for `encodePart10`; undefined when no class has a voxel, since an
 * object without frames does not exist. INVALID_ARGUMENT when labels, planes and instances do not
 * fit each other. Mints `seg`, `seg-series`, `dimensions`, `tracking` per class, and
 * `frame-of-reference` where the source has none.
 */
export function buildSegmentation(
  context: EvidenceContext,
  input: SegmentationInput,
): Segmentation | undefined {
  assertSources(context);
  const { labels, rows, columns, planes } = input;
  const slices = context.source.instances.length;
  if (planes.length !== slices || labels.length !== slices * rows * columns || slices === 0) {
    throw new AifiError('INVALID_ARGUMENT', 'labels do not have the size of the series');
  }
  const segments = codedClasses(input.classes);
  const values = segments.map(({ value }) => value);
  const known = new Set(input.classes.map(({ value }) => value));
  const frames = segmentFrames(input, values, known);
  if (frames.length === 0) return undefined;
  assertOneStack(planes, input);
  const numbers = new Map(values.map((value, index) => [value, index + 1]));
  const { product, language } = context;
  const dataset = resultDataset(context, KIND)
    .setStrings('ImageType', ['DERIVED', 'PRIMARY'])
    .setString('ContentLabel', 'AI_RESULT')
    .setString('ContentDescription', ascii(product.label, 64) || notVerified(language))
    .setString('ContentCreatorName', '')
    .setString('ImageComments', warnings(context))
    .setString('BurnedInAnnotation', 'NO')
    .setString(
      'FrameOfReferenceUID',
      planes[0]!.frameOfReferenceUid ?? context.mint('frame-of-reference', 0),
    )
    .setString('PositionReferenceIndicator', '')
    .setString('SegmentationType', 'BINARY')
    .setString('SegmentsOverlap', 'NO')
    .setItems(
      'SegmentSequence',
      segments.map((segment, index) => segmentItem(context, index + 1, segment)),
    )
    .setItems(
      'ReferencedSeriesSequence',
      seriesReferences(context.source.instances, 'ReferencedInstanceSequence'),
    );
  addDimensions(context, dataset);
  addPixels(dataset, input, frames);
  copySourceImageFacts([context.source.dataset], dataset);
  dataset
    .setNumbers('NumberOfFrames', [frames.length])
    .setItems('SharedFunctionalGroupsSequence', [sharedGroups(planes)])
    .setItems('PerFrameFunctionalGroupsSequence', frameGroups(context, planes, frames, numbers));
  const filled = new Set(frames.map(({ classValue }) => classValue));
  const segmentNumbers = new Map([...numbers].filter(([value]) => filled.has(value)));
  return { dataset, segmentNumbers };
}

function addPixels(
  dataset: DicomDataset,
  labels: SeriesLabels,
  frames: readonly SegmentFrame[],
): void {
  dataset
    .setNumbers('SamplesPerPixel', [1])
    .setString('PhotometricInterpretation', 'MONOCHROME2')
    .setNumbers('Rows', [labels.rows])
    .setNumbers('Columns', [labels.columns])
    .setNumbers('BitsAllocated', [1])
    .setNumbers('BitsStored', [1])
    .setNumbers('HighBit', [0])
    .setNumbers('PixelRepresentation', [0])
    .setString('LossyImageCompression', '00')
    .setBytes('PixelData', packedFrames(labels, frames), 'OB');
}

/** Frames are found by segment, then by position. */
function addDimensions(context: EvidenceContext, dataset: DicomDataset): void {
  const uid = context.mint('dimensions', 0);
  const dimension = (keyword: string, group: string, label: string): DicomDataset =>
    new DicomDataset()
      .setString('DimensionOrganizationUID', uid)
      .setBytes('DimensionIndexPointer', tagPointer(keyword), 'AT')
      .setBytes('FunctionalGroupPointer', tagPointer(group), 'AT')
      .setString('DimensionDescriptionLabel', label);
  dataset
    .setItems('DimensionOrganizationSequence', [
      new DicomDataset().setString('DimensionOrganizationUID', uid),
    ])
    .setItems('DimensionIndexSequence', [
      dimension('ReferencedSegmentNumber', 'SegmentIdentificationSequence', 'Segment'),
      dimension('ImagePositionPatient', 'PlanePositionSequence', 'Position'),
    ]);
}

/** Value of VR AT: group, then element, little-endian (PS3.5 6.2). */
function tagPointer(keyword: string): Uint8Array {
  const tag = tagOf(keyword);
  const view = new DataView(new ArrayBuffer(4));
  view.setUint16(0, tag >>> 16, true);
  view.setUint16(2, tag & 0xffff, true);
  return new Uint8Array(view.buffer);
}

function frameGroups(
  { source }: EvidenceContext,
  planes: readonly SlicePlane[],
  frames: readonly SegmentFrame[],
  segmentNumbers: ReadonlyMap<number, number>,
): DicomDataset[] {
  // Index values of a dimension count from 1 without gaps: only slices that have a frame.
  const used = [...new Set(frames.map(({ slice }) => slice))].sort((a, b) => a - b);
  const ranks = new Map(used.map((slice, rank) => [slice, rank + 1]));
  return frames.map(({ classValue, slice }) => {
    const segmentNumber = segmentNumbers.get(classValue)!;
    const content = new DicomDataset().setNumbers('DimensionIndexValues', [
      segmentNumber,
      ranks.get(slice)!,
    ]);
    const position = new DicomDataset().setNumbers('ImagePositionPatient', planes[slice]!.position);
    const segment = new DicomDataset().setNumbers('ReferencedSegmentNumber', [segmentNumber]);
    return new DicomDataset()
      .setItems('FrameContentSequence', [content])
      .setItems('PlanePositionSequence', [position])
      .setItems('DerivationImageSequence', [derivation(source.instances[slice]!)])
      .setItems('SegmentIdentificationSequence', [segment]);
  });
}

function derivation(instance: SourceInstance): DicomDataset {
  const image = sopReference(instance)
    .setItems('PurposeOfReferenceCodeSequence', [codeItem(CODES.sourceImage)])
    .setString('SpatialLocationsPreserved', 'YES');
  return new DicomDataset()
    .setItems('DerivationCodeSequence', [codeItem(CODES.segmentation)])
    .setItems('SourceImageSequence', [image]);
}
