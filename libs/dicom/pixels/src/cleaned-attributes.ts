/**
 * Cleaned attributes: how an object describes pixels that were blacked out and written again.
 * Decides what changes with them, and what may not be lost: an image that was compressed with loss
 * once says so for ever, also when its transfer syntax does no longer.
 * Source: PS3.3 C.7.6.3.1 (Image Pixel), C.7.6.1.1.5 (Lossy Image Compression), C.7.6.3.1.8.
 */
import { DicomDataset, isEncapsulated, tagOf } from '@aifi/dicom-core';
import { isLossless, type OpenedImage } from './frame-reader.js';

/** Derived from the received pixel data, so untrue of new ones. */
const REMOVED_KEYWORDS = [
  ...['ExtendedOffsetTable', 'ExtendedOffsetTableLengths', 'PixelDataProviderURL'],
  ...['SmallestImagePixelValue', 'LargestImagePixelValue'],
  ...['SmallestPixelValueInSeries', 'LargestPixelValueInSeries'],
];
/** Smallest and largest value in plane: retired, without a keyword in the dictionary. */
const RETIRED = [0x00280110, 0x00280111];
/** Names of PS3.3 C.7.6.1.1.5.1, by the part of the transfer syntax that tells the standard. */
const LOSSY_METHODS: readonly (readonly [RegExp, string])[] = [
  [/\.4\.5\d$/, 'ISO_10918_1'],
  [/\.4\.81$/, 'ISO_14495_1'],
  [/\.4\.91$/, 'ISO_15444_1'],
  [/\.4\.203$/, 'ISO_15444_15'],
];

export function removedTags(): number[] {
  return [...REMOVED_KEYWORDS.map((keyword) => tagOf(keyword)), ...RETIRED];
}

export function cleanedAttributes(opened: OpenedImage): DicomDataset {
  const { image, reader, dataset } = opened;
  const attributes = new DicomDataset()
    .setNumbers('Rows', [image.rows])
    .setNumbers('Columns', [image.columns])
    .setNumbers('SamplesPerPixel', [image.samplesPerPixel])
    .setString('PhotometricInterpretation', reader.photometricInterpretation)
    .setNumbers('BitsAllocated', [image.bitsAllocated])
    .setNumbers('BitsStored', [image.bitsStored])
    .setNumbers('HighBit', [image.bitsStored - 1])
    .setNumbers('PixelRepresentation', [image.signed ? 1 : 0]);
  if (image.samplesPerPixel === 3) attributes.setNumbers('PlanarConfiguration', [0]);
  if (dataset.has('NumberOfFrames')) attributes.setNumbers('NumberOfFrames', [image.frames]);
  putLossyHistory(attributes, opened);
  return attributes;
}

/** Left as received where it says so already. */
function putLossyHistory(attributes: DicomDataset, opened: OpenedImage): void {
  const { dataset, transferSyntaxUid, image, valueLength } = opened;
  if (isLossless(transferSyntaxUid) || !isEncapsulated(transferSyntaxUid)) return;
  const told = dataset.string('LossyImageCompression');
  // JPEG-LS and JPEG 2000 may have lost nothing in these syntaxes: a "00" is believed there.
  if (told === '01' || (told === '00' && !/\.4\.5\d$/.test(transferSyntaxUid))) return;
  const method = LOSSY_METHODS.find(([syntax]) => syntax.test(transferSyntaxUid))?.[1];
  const { rows, columns, samplesPerPixel, bitsAllocated, frames } = image;
  const native = (rows * columns * samplesPerPixel * bitsAllocated * frames) / 8;
  const ratio = Math.round((native / valueLength) * 100) / 100;
  attributes
    .setString('LossyImageCompression', '01')
    .setNumbers('LossyImageCompressionRatio', [ratio])
    .setString('LossyImageCompressionMethod', method ?? '');
}
