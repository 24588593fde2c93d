/**
 * Phantom images: small objects of any kind of pixels, as Part 10 files.
 * Decides the attributes that every one has; a test changes those it is about.
 */
import { writeFileSync } from 'node:fs';
import { DicomDataset, encodePart10, EXPLICIT_VR_LITTLE_ENDIAN } from '@aifi/dicom-core';

export interface Phantom {
  readonly rows: number;
  readonly columns: number;
  readonly bits?: number;
  readonly stored?: number;
  readonly signed?: boolean;
  readonly samples?: number;
  readonly photometric?: string;
  readonly frames?: number;
  readonly change?: (dataset: DicomDataset) => unknown;
  readonly transferSyntaxUid?: string;
}

export function headerOf(phantom: Phantom): DicomDataset {
  const { bits = 8, stored = bits, samples = 1, photometric = 'MONOCHROME2', frames } = phantom;
  const dataset = new DicomDataset()
    .setString('SOPClassUID', '1.2.840.10008.5.1.4.1.1.7')
    .setString('SOPInstanceUID', '1.2.3')
    .setNumbers('SamplesPerPixel', [samples])
    .setString('PhotometricInterpretation', photometric)
    .setNumbers('Rows', [phantom.rows])
    .setNumbers('Columns', [phantom.columns])
    .setNumbers('BitsAllocated', [bits])
    .setNumbers('BitsStored', [stored])
    .setNumbers('HighBit', [stored - 1])
    .setNumbers('PixelRepresentation', [phantom.signed ? 1 : 0]);
  if (samples === 3) dataset.setNumbers('PlanarConfiguration', [0]);
  if (frames !== undefined) dataset.setNumbers('NumberOfFrames', [frames]);
  phantom.change?.(dataset);
  return dataset;
}

/** Native pixels: samples of 8 or 16 bits, or bytes of 1-bit ones. */
export function nativeFile(path: string, phantom: Phantom, pixels: ArrayLike<number>): string {
  const { bits = 8, transferSyntaxUid = EXPLICIT_VR_LITTLE_ENDIAN } = phantom;
  const bytes =
    bits > 8 ? new Uint8Array(Uint16Array.from(pixels).buffer) : Uint8Array.from(pixels);
  const dataset = headerOf(phantom).setBytes('PixelData', bytes, bits > 8 ? 'OW' : 'OB');
  writeFileSync(path, encodePart10(dataset, transferSyntaxUid));
  return path;
}

/** Encapsulated pixels: the offset table, then the fragments. */
export function encapsulatedFile(
  path: string,
  phantom: Phantom & { readonly transferSyntaxUid: string },
  table: Uint8Array,
  fragments: readonly Uint8Array[],
): string {
  const item = (value: Uint8Array): Buffer => {
    const header = Buffer.from('feff00e000000000', 'hex');
    header.writeUInt32LE(value.length + (value.length % 2), 4);
    return Buffer.concat([header, value, Buffer.alloc(value.length % 2)]);
  };
  writeFileSync(
    path,
    Buffer.concat([
      encodePart10(headerOf(phantom), phantom.transferSyntaxUid),
      Buffer.from('e07f10004f420000ffffffff', 'hex'),
      ...[table, ...fragments].map(item),
      Buffer.from('feffdde000000000', 'hex'),
    ]),
  );
  return path;
}

export const offsetTable = (...offsets: number[]): Uint8Array =>
  new Uint8Array(Uint32Array.from(offsets).buffer);
