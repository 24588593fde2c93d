/**
 * Test phantom: a small, complete evidence context and a synthetic conformed brain.
 * For the suites of this library only; not exported. Decides values that a test can recognise: a
 * patient name that must never reach pixels, tissue as two ellipsoids, 12 source instances, an
 * oblique stack with counted labels, and radiographs with two boxes.
 * Frame of the volume: [k, j, i] uint8, 256³ at 1 mm, LIA.
 */
import { DicomDataset } from '@aifi/dicom-core';
import {
  modelManifestSchema,
  type DetectionOutput,
  type ModelManifest,
} from '@aifi/contracts-manifests';
import { jobId, sha256 } from '@aifi/shared-kernel';
import type { BoxesPicture } from './boxes-capture.js';
import type { Detection, EvidenceContext, SourceInstance } from './evidence-context.js';
import { createMinter, type Minter } from './minter.js';
import type { ConformedVolume } from './orthogonal-slices.js';
import type { SegmentationInput } from './segmentation.js';
import { slicePlane } from './slice-placement.js';

export const MR_IMAGE_STORAGE = '1.2.840.10008.5.1.4.1.1.4';
const MODEL_DIGEST = sha256('02850fb059badf07'.repeat(4));
const JOB_ID = jobId('0123456789abcdef'.repeat(2));

export const PHANTOM_MANIFEST: ModelManifest = modelManifestSchema.parse({
  schema: 'aifi.model-manifest.v1',
  product: 'meshnet-tissue',
  name: 'MeshNet tissue segmentation',
  version: '1.0.0',
  vendor: 'Brainchop research group',
  purpose: 'demonstration',
  label: 'RESEARCH MODEL, NOT FOR CLINICAL USE',
  deviceUid: '2.25.98765432109876543210',
  seriesNumberBase: 9100,
  lane: 'routine',
  artefact: { file: 'model.onnx', sha256: MODEL_DIGEST },
  intendedUse: {
    series: [{ id: 'modality', attribute: 'modality', oneOf: ['MR'], onMissing: 'deny' }],
  },
  input: {
    name: 'in',
    datatype: 'FP32',
    shape: [1, 1, 256, 256, 256],
    steps: [{ kind: 'conform', size: 256, spacingMm: 1, orientation: 'LIA' }],
  },
  output: {
    name: 'out',
    kind: 'segmentation',
    classes: [
      { value: 0, label: 'background' },
      {
        value: 1,
        label: 'white matter',
        code: { value: '389080008', scheme: 'SCT', meaning: 'White matter' },
        colour: [255, 220, 60],
      },
      {
        value: 2,
        label: 'grey matter',
        code: { value: '389081007', scheme: 'SCT', meaning: 'Gray matter' },
        colour: [60, 150, 255],
      },
    ],
  },
  timeoutMs: 120_000,
});

/** Header of a source instance as it reaches the hub: pseudonyms only. */
export function phantomSource(): DicomDataset {
  return new DicomDataset()
    .setString('SpecificCharacterSet', 'ISO_IR 192')
    .setString('SOPClassUID', MR_IMAGE_STORAGE)
    .setString('Modality', 'MR')
    .setString('Manufacturer', 'Scanner works')
    .setString('InstitutionName', 'Hospital of the source')
    .setString('PatientName', 'PSEUDO-7F3A')
    .setString('PatientID', 'PSEUDO-7F3A')
    .setString('IssuerOfPatientID', 'AIFI')
    .setString('PatientBirthDate', '19700101')
    .setString('PatientSex', 'F')
    .setString('PatientIdentityRemoved', 'YES')
    .setString('StudyInstanceUID', '2.25.1000')
    .setString('StudyDate', '20240301')
    .setString('StudyTime', '101500')
    .setString('StudyID', 'S1')
    .setString('StudyDescription', 'MR head')
    .setString('BodyPartExamined', 'HEAD');
}

export function phantomInstances(count = 12): SourceInstance[] {
  return Array.from({ length: count }, (_, index) => ({
    sopClassUid: MR_IMAGE_STORAGE,
    sopInstanceUid: `2.25.2000.${index + 1}`,
    seriesInstanceUid: '2.25.1001',
  }));
}

export function phantomContext(
  overrides: Partial<EvidenceContext> = {},
): EvidenceContext & { readonly minter: Minter } {
  const minter = createMinter(JOB_ID, MODEL_DIGEST, 0);
  return {
    source: { dataset: phantomSource(), instances: phantomInstances() },
    product: PHANTOM_MANIFEST,
    modelDigest: MODEL_DIGEST,
    jobId: JOB_ID,
    platformVersion: '0.1.0',
    language: 'en-GB',
    producedAt: new Date('2026-03-05T22:30:15Z'),
    utcOffsetMinutes: 120,
    mint: minter.mint,
    minter,
    ...overrides,
  };
}

/** A head of three nested ellipsoids: skull, grey matter (2), white matter (1); centre off-grid. */
export function phantomVolume(): ConformedVolume {
  const image = new Uint8Array(256 ** 3);
  const labels = new Uint8Array(256 ** 3);
  for (let k = 28; k < 230; k += 1) {
    for (let j = 28; j < 230; j += 1) {
      for (let i = 40; i < 216; i += 1) {
        const radius = Math.hypot((k - 128) / 95, (j - 120) / 95, (i - 128) / 80);
        const at = (k * 256 + j) * 256 + i;
        if (radius < 0.55) [image[at], labels[at]] = [200, 1];
        else if (radius < 0.8) [image[at], labels[at]] = [130, 2];
        else if (radius < 0.9) image[at] = 30;
        else if (radius < 1) image[at] = 90;
      }
    }
  }
  return { image, labels };
}

/** Voxels of the classes 1 and 2 in `phantomSeries`. */
export const PHANTOM_COUNTS = { 1: 6 * 9, 2: 4 * 4 } as const;
const [ROWS, COLUMNS] = [7, 9];

/**
 * An oblique stack of 12 slices of 7 x 9, rows and columns turned by 30 and 20 degrees: class 1 in
 * slices 2..7 (nine voxels each), class 2 in slices 5..8 (four each). 7 x 9 is no multiple of 8, so
 * frames do not begin at bytes.
 */
export function phantomSeries(): SegmentationInput {
  const labels = new Uint8Array(12 * ROWS * COLUMNS);
  const mark = (slice: number, row: number, column: number, value: number): void => {
    labels[(slice * ROWS + row) * COLUMNS + column] = value;
  };
  for (let slice = 2; slice < 8; slice += 1) {
    for (let column = 0; column < COLUMNS; column += 1) mark(slice, 1, column, 1);
  }
  for (let slice = 5; slice < 9; slice += 1) {
    for (let row = 3; row < 7; row += 1) mark(slice, row, (slice + row) % COLUMNS, 2);
  }
  const { classes } = PHANTOM_MANIFEST.output;
  const planes = Array.from({ length: 12 }, (_, slice) => slicePlane(phantomSliceHeader(slice)));
  return { labels, rows: ROWS, columns: COLUMNS, planes, classes };
}

const [COS_A, SIN_A] = [Math.cos(Math.PI / 6), Math.sin(Math.PI / 6)];
const [COS_B, SIN_B] = [Math.cos(Math.PI / 9), Math.sin(Math.PI / 9)];
/** Direction cosines of row, column and normal of the oblique stack. */
export const PHANTOM_AXES = [
  [COS_A, SIN_A, 0],
  [-SIN_A * COS_B, COS_A * COS_B, SIN_B],
  [SIN_A * SIN_B, -COS_A * SIN_B, COS_B],
] as const;

/** Header of one slice of the oblique stack, 2.5 mm apart, 0.8 x 0.5 mm pixels. */
export function phantomSliceHeader(slice: number): DicomDataset {
  const [row, column, normal] = PHANTOM_AXES;
  const position = [10, -20, 30].map((start, axis) => start + slice * 2.5 * normal[axis]!);
  return phantomSource()
    .setNumbers('Rows', [ROWS])
    .setNumbers('Columns', [COLUMNS])
    .setNumbers('ImagePositionPatient', position)
    .setNumbers('ImageOrientationPatient', [...row, ...column])
    .setNumbers('PixelSpacing', [0.8, 0.5])
    .setNumbers('SliceThickness', [3])
    .setString('FrameOfReferenceUID', '2.25.1002');
}

export const DX_IMAGE_STORAGE = '1.2.840.10008.5.1.4.1.1.1.1';
export const DETECTION_OUTPUT: DetectionOutput = {
  kind: 'detection',
  names: { boxes: 'boxes', scores: 'scores' },
  finding: { value: '125605004', scheme: 'SCT', meaning: 'Fracture of bone' },
  site: { value: '272673000', scheme: 'SCT', meaning: 'Bone' },
  label: 'fracture of bone',
  operatingPoint: { threshold: 0.5 },
  classes: [],
};
export const DETECTION_MANIFEST: ModelManifest = modelManifestSchema.parse({
  ...PHANTOM_MANIFEST,
  product: 'fracture-stand-in',
  name: 'Fracture stand-in',
  label: 'STAND-IN, NOT FOR CLINICAL USE',
  seriesNumberBase: 9200,
  input: {
    name: 'in',
    datatype: 'FP32',
    shape: [1, 1, 64, 64],
    steps: [{ kind: 'radiograph', height: 64, width: 64 }],
  },
  output: DETECTION_OUTPUT,
});

/** Radiographs of one study, each a series of its own. */
export function phantomRadiographs(count: number): SourceInstance[] {
  return Array.from({ length: count }, (_, index) => ({
    sopClassUid: DX_IMAGE_STORAGE,
    sopInstanceUid: `2.25.3000.${index + 1}`,
    seriesInstanceUid: `2.25.3001.${index + 1}`,
  }));
}

export function phantomDetectionContext(
  images: number,
  overrides: Partial<EvidenceContext> = {},
): EvidenceContext & { readonly minter: Minter } {
  const dataset = phantomSource().setString('Modality', 'DX').setString('BodyPartExamined', 'LEG');
  const source = { dataset, instances: phantomRadiographs(images) };
  return phantomContext({ product: DETECTION_MANIFEST, source, ...overrides });
}

/** Two boxes on the first radiograph, of 400 x 300 stored pixels. */
export function phantomDetections(): Detection[] {
  const [instance] = phantomRadiographs(1) as [SourceInstance];
  return [
    { instance, box: { x1: 30.5, y1: 60, x2: 90, y2: 150.25 }, score: 0.874 },
    { instance, box: { x1: 200, y1: 310, x2: 299, y2: 399 }, score: 0.61 },
  ];
}

/** A bright shaft on black, half the size of the stored image of 400 rows and 300 columns. */
export function phantomPictures(instances: readonly SourceInstance[]): BoxesPicture[] {
  const [rows, columns] = [200, 150];
  const pixels = new Uint8Array(rows * columns);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 50; column < 100; column += 1) {
      pixels[row * columns + column] = 90 + Math.round(row / 2);
    }
  }
  const dataset = phantomSource();
  const stored = { imageRows: 400, imageColumns: 300 };
  return instances.map((instance) => ({ instance, dataset, pixels, rows, columns, ...stored }));
}
