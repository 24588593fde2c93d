/**
 * Goal: a job returns the objects of its kind of product, each UID of them listed.
 * Method: model outputs in memory for a segmentation and a detection product; encode and look.
 */
import { describe, expect, it } from '@jest/globals';
import {
  EARLY_NEGATIVE_DETAIL,
  modelManifestSchema,
  outcomeManifestSchema,
  type ManifestObject,
  type ModelManifest,
} from '@aifi/contracts-manifests';
import { decodePart10, DicomDataset } from '@aifi/dicom-core';
import { slicePlane, type EarlyImages } from '@aifi/dicom-evidence';
import { jobId, sha256, type PseudonymousUid } from '@aifi/shared-kernel';
import type { DetectionResult } from './detection-output.js';
import { withheldEarly } from './early-negative.js';
import type { ModelOutput } from './model-output.js';
import { buildResultObjects, type ResultObjects } from './result-objects.js';
import type { SegmentationResult } from './segmentation-output.js';

const DIGEST = sha256('ab'.repeat(32));
const VOXELS = 256 ** 3;
const instances = [1, 2].map(
  (n) =>
    ({
      sopClassUid: '1.2.840.10008.5.1.4.1.1.4',
      sopInstanceUid: `2.25.10.${n}`,
      seriesInstanceUid: '2.25.11',
    }) as ManifestObject,
);
const header = (slice: number): DicomDataset =>
  new DicomDataset()
    .setString('StudyInstanceUID', '2.25.12')
    .setString('Modality', 'MR')
    .setString('FrameOfReferenceUID', '2.25.13')
    .setNumbers('Rows', [2])
    .setNumbers('Columns', [3])
    .setNumbers('ImagePositionPatient', [0, 0, slice])
    .setNumbers('ImageOrientationPatient', [1, 0, 0, 0, 1, 0])
    .setNumbers('PixelSpacing', [1, 1]);
const common = {
  schema: 'aifi.model-manifest.v1',
  product: 'a-product',
  name: 'A product',
  version: '1.0.0',
  vendor: 'Somebody',
  purpose: 'demonstration',
  label: 'RESEARCH MODEL, NOT FOR CLINICAL USE',
  deviceUid: '2.25.99',
  seriesNumberBase: 9100,
  lane: 'routine',
  artefact: { file: 'model.onnx', sha256: DIGEST },
  intendedUse: {
    series: [{ id: 'modality', attribute: 'modality', oneOf: ['MR'], onMissing: 'deny' }],
  },
  timeoutMs: 1000,
};
const code = { value: '389080008', scheme: 'SCT', meaning: 'White matter' };
const segmenting: ModelManifest = modelManifestSchema.parse({
  ...common,
  input: {
    ...{ name: 'in', datatype: 'FP32', shape: [1, 1, 256, 256, 256] },
    steps: [{ kind: 'conform', size: 256, spacingMm: 1, orientation: 'LIA' }],
  },
  output: {
    ...{ kind: 'segmentation', name: 'out' },
    classes: [
      { value: 0, label: 'background' },
      { value: 1, label: 'white', code, colour: [255, 255, 255] },
    ],
  },
});
const detecting: ModelManifest = modelManifestSchema.parse({
  ...common,
  input: {
    ...{ name: 'in', datatype: 'FP32', shape: [1, 1, 64, 64] },
    steps: [{ kind: 'radiograph', height: 64, width: 64 }],
  },
  output: {
    kind: 'detection',
    names: { boxes: 'boxes', scores: 'scores' },
    finding: { value: '125605004', scheme: 'SCT', meaning: 'Fracture of bone' },
    site: { value: '272673000', scheme: 'SCT', meaning: 'Bone' },
    label: 'fracture of bone',
    operatingPoint: { threshold: 0.5 },
  },
});
const segmentation = (labels: readonly number[]): SegmentationResult => ({
  kind: 'segmentation',
  instances,
  source: header(0),
  planes: [header(0), header(1)].map(slicePlane),
  voxelCounts: [VOXELS - 1500, 1500],
  conformed: { image: new Uint8Array(VOXELS), labels: new Uint8Array(VOXELS) },
  series: { labels: Uint8Array.from(labels), rows: 2, columns: 3 },
});
const detection = (score?: number): DetectionResult => ({
  kind: 'detection',
  instances,
  source: header(0),
  detections:
    score === undefined
      ? []
      : [{ instance: instances[1]!, box: { x1: 0, y1: 0, x2: 2, y2: 1 }, score }],
  pictures: instances.map((instance) => ({
    ...{ instance, dataset: header(0), pixels: new Uint8Array(6) },
    ...{ rows: 2, columns: 3, imageRows: 2, imageColumns: 3 },
  })),
});
const build = (product: ModelManifest, output: ModelOutput, early?: EarlyImages): ResultObjects =>
  buildResultObjects({
    early,
    jobId: jobId('0123456789abcdef'.repeat(2)),
    modelDigest: DIGEST,
    issue: 0,
    product,
    output,
    producedAt: new Date('2026-01-02T03:04:05Z'),
    platformVersion: '0.1.0',
    language: 'en-GB',
  });
const roles = ({ objects }: ResultObjects): string[] => objects.map(({ role }) => role);
const LABELS = [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1];

/** Every UID in a dataset, at any depth. */
function* uidsOf(dataset: DicomDataset): Generator<string> {
  for (const { tag, vr, value } of dataset) {
    if (!(value instanceof Uint8Array)) for (const item of value) yield* uidsOf(item);
    else if (vr === 'UI') yield* dataset.strings(tag);
  }
}

/** Every text value in a dataset, at any depth. */
function* textsOf(dataset: DicomDataset): Generator<string> {
  for (const { tag, vr, value } of dataset) {
    if (!(value instanceof Uint8Array)) for (const item of value) yield* textsOf(item);
    else if (vr === 'UT') yield* dataset.strings(tag);
  }
}

describe(buildResultObjects.name, () => {
  it.each<[string, ModelManifest, ModelOutput, string[]]>([
    ['a segmentation', segmenting, segmentation(LABELS), ['SR', 'SC', 'SEG']],
    ['an empty segmentation', segmenting, segmentation(LABELS.map(() => 0)), ['SR', 'SC']],
    ['a detection', detecting, detection(0.9), ['SR', 'SC']],
    ['a detection of nothing', detecting, detection(), ['SR', 'SC']],
  ])('makes of %s its objects and lists every UID it made', (_name, product, output, expected) => {
    const built = build(product, output);
    expect(roles(built)).toEqual(expected);
    const minted = outcomeManifestSchema.shape.mintedUids.parse(built.mintedUids);
    const known = new Set<string>([
      ...minted.map(({ uid }) => uid),
      ...instances.flatMap((each) => [each.sopInstanceUid, each.seriesInstanceUid]),
      ...['2.25.12', '2.25.13', common.deviceUid],
    ]);
    for (const { dataset, bytes } of built.objects) {
      const own: (PseudonymousUid | string)[] = [...uidsOf(dataset)];
      expect(own.filter((uid) => !uid.startsWith('1.2.840.10008.') && !known.has(uid))).toEqual([]);
      expect(decodePart10(bytes).meta.sopInstanceUid).toBe(dataset.string('SOPInstanceUID'));
    }
    const series = built.objects.map(({ dataset }) => dataset.string('SeriesInstanceUID'));
    expect(new Set(series).size).toBe(series.length);
  });

  it('refers from the report to the segmentation', () => {
    const [report, , seg] = build(segmenting, segmentation(LABELS)).objects;
    const uid = seg!.dataset.string('SOPInstanceUID');
    expect([...uidsOf(report!.dataset)].filter((each) => each === uid)).toHaveLength(2);
  });

  it.each([
    [{ instances: 2, expected: 5 }, 'Early start: 2 of 5 images.'],
    [{ instances: 2 }, 'Early start: 2 images so far.'],
  ])('says in report, capture and segmentation of how many images it is: %j', (early, words) => {
    const [report, capture, seg] = build(segmenting, segmentation(LABELS), early).objects;
    const texts = [...textsOf(report!.dataset)];
    expect(texts.filter((text) => text.includes(words))).toHaveLength(1);
    expect(capture!.dataset.string('ImageComments')).toContain(words);
    expect(seg!.dataset.string('ImageComments')).toContain(words);
    const pixels = (of: ResultObjects): Uint8Array => of.objects[1]!.dataset.bytes('PixelData')!;
    const plain = build(segmenting, segmentation(LABELS));
    expect(pixels(plain)).not.toEqual(capture!.dataset.bytes('PixelData'));
    expect([...textsOf(plain.objects[0]!.dataset)].join()).not.toContain('Early start');
  });

  it('gives the same bytes when it is made again', () => {
    const bytes = (): Buffer =>
      Buffer.concat(build(segmenting, segmentation(LABELS)).objects.map((object) => object.bytes));
    expect(bytes().equals(bytes())).toBe(true);
  });

  it('refuses a score below the operating point and a label that is no class', () => {
    expect(() => build(detecting, detection(0.4))).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
    expect(() => build(segmenting, segmentation(LABELS.map((v) => v * 7)))).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});

describe(withheldEarly.name, () => {
  const early = { instances: 2, negativeAllowed: false };
  it('holds back a negative of an early start, and nothing else', () => {
    expect(withheldEarly({ early }, detection())).toEqual({
      code: 'INPUT_INCOMPLETE',
      detail: EARLY_NEGATIVE_DETAIL,
    });
    expect(withheldEarly({ early }, detection(0.9))).toBeUndefined();
    expect(withheldEarly({ early }, segmentation(LABELS.map(() => 0)))).toBeUndefined();
    expect(withheldEarly({}, detection())).toBeUndefined();
  });
  it('lets a negative go when the product needs no more than was there', () => {
    expect(withheldEarly({ early: { ...early, negativeAllowed: true } }, detection())).toBe(
      undefined,
    );
  });
});
