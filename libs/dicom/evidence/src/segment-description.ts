/**
 * Segment description: what each segment of a segmentation stands for and what made it.
 * Decides one segment per class with a code, numbered from 1 in the order of the manifest, also for
 * a class without voxels: it was looked for. A segment carries the tracking UID of its measurement
 * in the report. Source: PS3.3 C.8.20.4 (segment description), 10.16 (algorithm identification),
 * C.10.7.1.1 (CIELab encoding); IEC 61966-2-1 (sRGB), ICC.1 (D50).
 */
import { DicomDataset } from '@aifi/dicom-core';
import { codeItem, CODES, type Code } from './codes.js';
import type { EvidenceContext, ManifestClass } from './evidence-context.js';
import { ascii } from './own-text.js';
import type { Colour } from './rgb-canvas.js';

export type CodedClass = ManifestClass & { readonly code: Code };

/** The classes that a result is about: those with a code, background excluded. */
export function codedClasses(classes: readonly ManifestClass[]): readonly CodedClass[] {
  return classes.flatMap(({ code, ...rest }) =>
    code ? [{ ...rest, code: { ...code, meaning: ascii(code.meaning, 64) } }] : [],
  );
}

/** Identifier of what is measured and segmented, equal in report and segmentation. */
export function trackingIdentifier({ product }: EvidenceContext, label: string): string {
  return ascii(`${product.product} ${label}`);
}

/** Item of the Segment Sequence; mints `tracking` of the class, as the report does. */
export function segmentItem(
  context: EvidenceContext,
  segmentNumber: number,
  { code, colour, label, value }: CodedClass,
): DicomDataset {
  const { product, modelDigest } = context;
  const algorithm = new DicomDataset()
    .setItems('AlgorithmFamilyCodeSequence', [codeItem(CODES.artificialIntelligence)])
    .setString('AlgorithmName', ascii(product.name, 64))
    .setString('AlgorithmVersion', product.version)
    .setString('AlgorithmParameters', `model sha256 ${modelDigest}`)
    .setString('AlgorithmSource', ascii(product.vendor, 64));
  const item = new DicomDataset()
    .setNumbers('SegmentNumber', [segmentNumber])
    .setString('SegmentLabel', ascii(label, 64))
    .setItems('SegmentedPropertyCategoryCodeSequence', [codeItem(CODES.anatomicalStructure)])
    .setItems('SegmentedPropertyTypeCodeSequence', [codeItem(code)])
    .setString('SegmentAlgorithmType', 'AUTOMATIC')
    .setString('SegmentAlgorithmName', ascii(product.name, 64))
    .setItems('SegmentationAlgorithmIdentificationSequence', [algorithm])
    .setString('TrackingID', trackingIdentifier(context, label))
    .setString('TrackingUID', context.mint('tracking', value));
  if (colour) item.setNumbers('RecommendedDisplayCIELabValue', dicomCielab(colour));
  return item;
}

/** sRGB to linear light, and that to XYZ under D50. */
const XYZ_D50 = [
  [0.4360747, 0.3850649, 0.1430804],
  [0.2225045, 0.7168786, 0.0606169],
  [0.0139322, 0.0971045, 0.7141733],
] as const;
const WHITE_D50 = [0.96422, 1, 0.82521] as const;

/** L*, a*, b* as 16-bit integers: 0..100 and -128..127 over 0..65535. */
export function dicomCielab(colour: Colour): readonly [number, number, number] {
  const linear = colour.map((channel) => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  const [fx, fy, fz] = XYZ_D50.map((row, axis) => {
    const sum = row.reduce((total, weight, channel) => total + weight * linear[channel]!, 0);
    const ratio = sum / WHITE_D50[axis]!;
    return ratio > (6 / 29) ** 3 ? Math.cbrt(ratio) : ratio / (3 * (6 / 29) ** 2) + 4 / 29;
  }) as [number, number, number];
  const scaled = (value: number, low: number, span: number): number =>
    Math.min(65535, Math.max(0, Math.round(((value - low) / span) * 65535)));
  return [
    scaled(116 * fy - 16, 0, 100),
    scaled(500 * (fx - fy), -128, 255),
    scaled(200 * (fy - fz), -128, 255),
  ];
}
