/**
 * Goal: the segmentation holds exactly the labels that were given, where the source images lie.
 * Method: an oblique phantom with counted voxels; encode, read back, unpack bits, compare.
 */
import { describe, expect, it } from '@jest/globals';
import { decodePart10, encodePart10, type DicomDataset } from '@aifi/dicom-core';
import { LIMITS } from '@aifi/shared-kernel';
import { SOURCE_INSTANCES_MAX } from './evidence-context.js';
import { dicomCielab } from './segment-description.js';
import { FRAMES_MAX } from './segment-frames.js';
import { buildSegmentation, SEGMENTATION_STORAGE, type SegmentationInput } from './segmentation.js';
import { buildVolumeReport } from './volume-report.js';
import {
  PHANTOM_AXES,
  PHANTOM_COUNTS,
  PHANTOM_MANIFEST,
  phantomContext,
  phantomInstances,
  phantomSeries,
  phantomSource,
} from './test-phantom.js';

const { labels: LABELS, rows: ROWS, columns: COLUMNS, planes: PLANES } = phantomSeries();
const build = (changes: Partial<SegmentationInput> = {}, context = phantomContext()) =>
  buildSegmentation(context, { ...phantomSeries(), ...changes });
const dataset = (): DicomDataset => build()!.dataset;

interface Frame {
  readonly segment: number;
  readonly indices: readonly number[];
  readonly sourceUid: string | undefined;
  readonly position: readonly number[];
}
function framesOf(sut: DicomDataset): Frame[] {
  return sut.items('PerFrameFunctionalGroupsSequence').map((frame) => {
    const [derivation] = frame.items('DerivationImageSequence');
    const [source] = derivation!.items('SourceImageSequence');
    return {
      segment: frame.items('SegmentIdentificationSequence')[0]!.number('ReferencedSegmentNumber')!,
      indices: frame.items('FrameContentSequence')[0]!.numbers('DimensionIndexValues'),
      sourceUid: source!.string('ReferencedSOPInstanceUID'),
      position: frame.items('PlanePositionSequence')[0]!.numbers('ImagePositionPatient'),
    };
  });
}
/** Labels as the object says them: every frame's bits, lowest first, put back into its slice. */
function unpacked(sut: DicomDataset): Uint8Array {
  const pixels = sut.bytes('PixelData')!;
  const uids = phantomInstances().map((instance) => instance.sopInstanceUid);
  const labels = new Uint8Array(LABELS.length);
  framesOf(sut).forEach(({ segment, sourceUid }, frame) => {
    const slice = uids.indexOf(sourceUid!);
    for (let at = 0; at < ROWS * COLUMNS; at += 1) {
      const bit = frame * ROWS * COLUMNS + at;
      const isSet = ((pixels[bit >> 3]! >> (bit & 7)) & 1) === 1;
      if (isSet) labels[slice * ROWS * COLUMNS + at] = segment;
    }
  });
  return labels;
}

describe('buildSegmentation', () => {
  it('is a binary segmentation whose bits are the labels', () => {
    const { dataset: header, pixelData } = decodePart10(encodePart10(dataset()));
    expect(header.string('SOPClassUID')).toBe(SEGMENTATION_STORAGE);
    expect(header.string('Modality')).toBe('SEG');
    expect(header.string('SegmentationType')).toBe('BINARY');
    expect(header.number('BitsAllocated')).toBe(1);
    expect(header.number('NumberOfFrames')).toBe(6 + 4);
    // 630 bits, padded to whole bytes and to an even length.
    expect(pixelData?.valueLength).toBe(80);
    expect(pixelData?.vr).toBe('OB');
    expect(unpacked(dataset())).toEqual(LABELS);
    const counts = [1, 2].map((value) => LABELS.filter((label) => label === value).length);
    expect(counts).toEqual([PHANTOM_COUNTS[1], PHANTOM_COUNTS[2]]);
  });

  it('has no frame for a slice without voxels, and counts positions without gaps', () => {
    const frames = framesOf(dataset());
    expect(frames.map(({ indices }) => indices)).toEqual([
      ...[1, 2, 3, 4, 5, 6].map((rank) => [1, rank]),
      ...[4, 5, 6, 7].map((rank) => [2, rank]),
    ]);
    expect(frames.map(({ segment }) => segment)).toEqual([1, 1, 1, 1, 1, 1, 2, 2, 2, 2]);
    expect(frames.slice(0, 2).map(({ sourceUid }) => sourceUid)).toEqual([
      '2.25.2000.3',
      '2.25.2000.4',
    ]);
  });

  it('lies where its source images lie', () => {
    const sut = dataset();
    expect(sut.string('FrameOfReferenceUID')).toBe('2.25.1002');
    for (const [index, { position }] of framesOf(sut).slice(0, 6).entries()) {
      const expected = [10, -20, 30].map(
        (x, axis) => x + (index + 2) * 2.5 * PHANTOM_AXES[2][axis]!,
      );
      expected.forEach((value, axis) => expect(position[axis]).toBeCloseTo(value, 9));
    }
    const [shared] = sut.items('SharedFunctionalGroupsSequence');
    const [measures] = shared!.items('PixelMeasuresSequence');
    expect(measures!.numbers('PixelSpacing')).toEqual([0.8, 0.5]);
    expect(measures!.number('SliceThickness')).toBe(3);
    expect(measures!.number('SpacingBetweenSlices')).toBe(2.5);
    const [plane] = shared!.items('PlaneOrientationSequence');
    expect(plane!.numbers('ImageOrientationPatient')).toEqual(PLANES[0]!.orientation);
  });

  it('takes the distance of slices for a thickness that is missing', () => {
    const planes = PLANES.map((plane) => ({ ...plane, sliceThicknessMm: undefined }));
    const [shared] = build({ planes })!.dataset.items('SharedFunctionalGroupsSequence');
    expect(shared!.items('PixelMeasuresSequence')[0]!.number('SliceThickness')).toBe(2.5);
  });

  it('says no distance of slices that are unevenly spaced', () => {
    const planes = PLANES.map((plane, slice) =>
      slice < 11 ? plane : { ...plane, position: [10, -20, 90] },
    );
    const [shared] = build({ planes })!.dataset.items('SharedFunctionalGroupsSequence');
    const [measures] = shared!.items('PixelMeasuresSequence');
    expect(measures!.has('SpacingBetweenSlices')).toBe(false);
  });

  it('makes a frame of reference where the source has none', () => {
    const context = phantomContext();
    const planes = PLANES.map((plane) => ({ ...plane, frameOfReferenceUid: undefined }));
    const uid = build({ planes }, context)!.dataset.string('FrameOfReferenceUID');
    expect(context.minter.minted.find(({ uid: minted }) => minted === uid)?.role).toBe(
      'frame-of-reference',
    );
  });

  it('references all source images, also those without a frame', () => {
    const [series, none] = dataset().items('ReferencedSeriesSequence');
    expect(none).toBeUndefined();
    expect(series!.string('SeriesInstanceUID')).toBe('2.25.1001');
    const uids = series!
      .items('ReferencedInstanceSequence')
      .map((item) => item.string('ReferencedSOPInstanceUID'));
    expect(uids).toEqual(phantomInstances().map((instance) => instance.sopInstanceUid));
  });

  it('describes each segment with code, colour and algorithm', () => {
    const segments = dataset().items('SegmentSequence');
    expect(segments.map((segment) => segment.number('SegmentNumber'))).toEqual([1, 2]);
    expect(segments.map((segment) => segment.string('SegmentLabel'))).toEqual([
      'white matter',
      'grey matter',
    ]);
    const [white] = segments;
    expect(white!.string('SegmentAlgorithmType')).toBe('AUTOMATIC');
    expect(white!.string('SegmentAlgorithmName')).toBe(PHANTOM_MANIFEST.name);
    const [type] = white!.items('SegmentedPropertyTypeCodeSequence');
    expect(type!.string('CodeValue')).toBe('389080008');
    const [category] = white!.items('SegmentedPropertyCategoryCodeSequence');
    expect(category!.string('CodeValue')).toBe('123037004');
    const [algorithm] = white!.items('SegmentationAlgorithmIdentificationSequence');
    expect(algorithm!.string('AlgorithmVersion')).toBe('1.0.0');
    expect(white!.numbers('RecommendedDisplayCIELabValue')).toHaveLength(3);
  });

  it('shares the tracking of each class with the report', () => {
    const context = phantomContext();
    const segmentation = build({}, context);
    buildVolumeReport(context, [{ classValue: 2, volumeMl: 1 }], segmentation);
    const { minted } = context.minter;
    expect(minted.filter(({ role }) => role === 'tracking')).toHaveLength(2);
    const grey = segmentation!.dataset.items('SegmentSequence')[1]!;
    expect(grey.string('TrackingUID')).toBe(context.mint('tracking', 2));
  });

  it('says the job, the label and no diagnosis in its header', () => {
    const sut = dataset();
    const [algorithm] = sut.items('ContributingEquipmentSequence');
    expect(algorithm!.string('ContributionDescription')).toBe(`AIFI job ${phantomContext().jobId}`);
    expect(sut.string('ContentDescription')).toBe(PHANTOM_MANIFEST.label);
    expect(sut.string('SeriesDescription')).toBe(
      'AI meshnet-tissue SEG - RESEARCH MODEL, NOT FOR CLINICAL USE',
    );
    expect(sut.number('SeriesNumber')).toBe(PHANTOM_MANIFEST.seriesNumberBase + 2);
  });

  it('still describes a class without voxels', () => {
    const sut = build({ labels: LABELS.map((value) => (value === 1 ? 0 : value)) })!;
    expect(sut.dataset.items('SegmentSequence')).toHaveLength(2);
    expect(sut.dataset.number('NumberOfFrames')).toBe(4);
    expect([...sut.segmentNumbers]).toEqual([[2, 2]]);
  });

  it('is nothing at all when no class has a voxel', () => {
    expect(build({ labels: new Uint8Array(LABELS.length) })).toBeUndefined();
  });

  it('gives the same bytes for the same input', () => {
    expect(encodePart10(dataset()).equals(encodePart10(dataset()))).toBe(true);
  });

  it.each<[string, Partial<SegmentationInput>]>([
    ['a label that is no class', { labels: LABELS.map((value) => (value === 2 ? 3 : value)) }],
    ['labels of another size', { labels: LABELS.subarray(1) }],
    ['images of another size', { rows: COLUMNS, columns: ROWS }],
    ['fewer planes than instances', { planes: PLANES.slice(1) }],
    [
      'a slice that is turned',
      {
        planes: PLANES.map((plane, slice) =>
          slice === 3 ? { ...plane, orientation: [1, 0, 0, 0, 1, 0] } : plane,
        ),
      },
    ],
    [
      'a slice without position',
      { planes: PLANES.map((plane, slice) => (slice === 3 ? { ...plane, position: [] } : plane)) },
    ],
    [
      'a slice of another frame of reference',
      {
        planes: PLANES.map((plane, slice) =>
          slice === 3 ? { ...plane, frameOfReferenceUid: '2.25.9' } : plane,
        ),
      },
    ],
  ])('refuses %s', (_name, changes) => {
    expect(() => build(changes)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  it('stays within the header limits at its largest, and refuses more', () => {
    const largest = phantomContext({
      source: { dataset: phantomSource(), instances: phantomInstances(SOURCE_INSTANCES_MAX) },
    });
    const perSlice = FRAMES_MAX / SOURCE_INSTANCES_MAX;
    const classes = Array.from({ length: perSlice + 2 }, (_, value) => ({
      ...PHANTOM_MANIFEST.output.classes[value === 0 ? 0 : 1]!,
      value,
    }));
    const plane = { ...PLANES[0]!, rows: 1, columns: perSlice + 1 };
    const planes = Array.from({ length: SOURCE_INSTANCES_MAX }, () => plane);
    const labels = new Uint8Array(SOURCE_INSTANCES_MAX * (perSlice + 1)).map(
      (_, at) => at % (perSlice + 1),
    );
    const input = { labels, rows: 1, columns: perSlice + 1, planes, classes };
    const sut = buildSegmentation(largest, input)!;
    expect(sut.dataset.number('NumberOfFrames')).toBe(FRAMES_MAX);
    const sizeBytes = encodePart10(sut.dataset).length;
    expect(sizeBytes).toBeLessThan(LIMITS.headerBytesMax);
    const more = labels.map((_, at) => (at % (perSlice + 1)) + 1);
    expect(() => buildSegmentation(largest, { ...input, labels: more })).toThrow(
      expect.objectContaining({ code: 'LIMIT_EXCEEDED' }),
    );
  });
});

describe('dicomCielab', () => {
  it.each([
    // L* a* b* under D50 by published sRGB tables: white 100 0 0, black 0 0 0, red 54.3 80.8 69.9.
    [
      [255, 255, 255],
      [100, 0, 0],
    ],
    [
      [0, 0, 0],
      [0, 0, 0],
    ],
    [
      [255, 0, 0],
      [54.3, 80.8, 69.9],
    ],
  ] as const)('encodes %j', (colour, [l, a, b]) => {
    const [dl, da, db] = dicomCielab(colour);
    expect(Math.abs((dl / 65535) * 100 - l)).toBeLessThan(0.05);
    expect(Math.abs((da / 65535) * 255 - 128 - a)).toBeLessThan(0.05);
    expect(Math.abs((db / 65535) * 255 - 128 - b)).toBeLessThan(0.05);
  });
});
