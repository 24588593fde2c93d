/**
 * Test pictures: small objects with or without text in their pixels.
 * Decides what the suites of this library judge. Invented from phantoms; nobody is on them.
 */
import { DicomDataset } from '@aifi/dicom-core';
import { invariant } from '@aifi/shared-kernel';
import { phantomOf } from '../src/picture-phantoms.js';
import { inkOf, plant } from '../src/planted-text.js';

const CLASSES = {
  CT: '1.2.840.10008.5.1.4.1.1.2',
  DX: '1.2.840.10008.5.1.4.1.1.1.1',
  US: '1.2.840.10008.5.1.4.1.1.6.1',
} as const;
const PHANTOMS = { CT: 'ct', DX: 'radiograph', US: 'ultrasound' } as const;

export interface TestPicture {
  readonly kind: keyof typeof CLASSES;
  readonly text?: string;
  readonly x?: number;
  readonly y?: number;
  /** Of the text, as a part of the display range. @default 0.6 */
  readonly contrast?: number;
  readonly rows?: number;
  readonly columns?: number;
}

/** A whole object, native, 16 bits; of an ultrasound phantom 600 by 800. */
export function pictureOf(picture: TestPicture): DicomDataset {
  const { kind, text, x = 8, y = 8, contrast = 0.6 } = picture;
  const canvas = phantomOf(PHANTOMS[kind], 1);
  const look = { face: 'sans', capRows: 14, edges: 'smooth' } as const;
  if (text !== undefined) {
    const planting = { inked: inkOf(text, look), x, y, contrast, polarity: 'bright' } as const;
    invariant(plant(canvas, planting), 'the text has its contrast');
  }
  const { rows, columns, low, high, values } = canvas;
  const samples = Int16Array.from(values);
  return new DicomDataset()
    .setString('SOPClassUID', CLASSES[kind])
    .setString('SOPInstanceUID', '1.2.3.4.5')
    .setString('Modality', kind)
    .setString('Manufacturer', 'Tester Imaging')
    .setStrings('ImageType', ['ORIGINAL', 'PRIMARY', 'AXIAL'], 'CS')
    .setNumbers('SamplesPerPixel', [1])
    .setString('PhotometricInterpretation', 'MONOCHROME2')
    .setNumbers('Rows', [rows])
    .setNumbers('Columns', [columns])
    .setNumbers('BitsAllocated', [16])
    .setNumbers('BitsStored', [16])
    .setNumbers('HighBit', [15])
    .setNumbers('PixelRepresentation', [1])
    .setNumbers('WindowCenter', [(low + high) / 2])
    .setNumbers('WindowWidth', [high - low])
    .setBytes(0x7fe00010, new Uint8Array(samples.buffer), 'OW');
}
