/**
 * CT objects to send: 512x512 slices of 16 bits, in Explicit VR Little Endian.
 * Decides their content (a phantom of our own: ellipses with noise) and that every sending has UIDs
 * of its own, put into the files in place: what a receiver has seen before may cost it less.
 * Units: rows x columns, uint16 stored values, HU + 1024. Source: PS3.3 A.3; PS3.10 7.1.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DicomDataset, encodePart10 } from '@aifi/dicom-core';
import { AifiError } from '@aifi/shared-kernel';

export const CT_IMAGE_STORAGE = '1.2.840.10008.5.1.4.1.1.2';
const SIZE = 512;
/** 2.25. and 38 digits: always one length, under the largest 128 bit number (PS3.5 B.2). */
const UID_DIGITS = 38;
/** Associations that may send at a time: the files lie in so many folders. */
export const FOLDERS = 4;

/** A random UID of fixed length. */
export function randomUid(): string {
  const digits = BigInt(`0x${randomBytes(16).toString('hex')}`) % 10n ** BigInt(UID_DIGITS - 1);
  return `2.25.1${String(digits).padStart(UID_DIGITS - 1, '0')}`;
}

/** Skull, brain and ventricles, with noise, of slice `index`. */
export function phantom(index: number): Buffer {
  const pixels = new Uint16Array(SIZE * SIZE);
  let noise = index + 1;
  const inside = (x: number, y: number, a: number, b: number): boolean =>
    (x / a) ** 2 + (y / b) ** 2 < 1;
  for (let row = 0; row < SIZE; row += 1) {
    for (let column = 0; column < SIZE; column += 1) {
      const [x, y] = [column - SIZE / 2, row - SIZE / 2];
      noise = (Math.imul(noise, 1_664_525) + 1_013_904_223) >>> 0;
      let value = 24;
      if (inside(x, y, 180, 220)) value = 1_900;
      if (inside(x, y, 168, 208)) value = 1_060;
      if (inside(Math.abs(x) - 30, y + (index % 16), 18, 50)) value = 1_030;
      pixels[row * SIZE + column] = value + (noise >>> 28);
    }
  }
  return Buffer.from(pixels.buffer);
}

interface Uids {
  readonly study: string;
  readonly series: string;
  readonly instance: string;
}
function ctSlice(uids: Uids, index: number): Buffer {
  const dataset = new DicomDataset()
    .setStrings('ImageType', ['ORIGINAL', 'PRIMARY', 'AXIAL'])
    .setString('SOPClassUID', CT_IMAGE_STORAGE)
    .setString('SOPInstanceUID', uids.instance)
    .setString('StudyDate', '20260101')
    .setString('StudyTime', '120000')
    .setString('AccessionNumber', 'BENCH1')
    .setString('Modality', 'CT')
    .setString('Manufacturer', 'GE MEDICAL SYSTEMS')
    .setString('StudyDescription', 'Bench')
    .setString('SeriesDescription', 'Phantom')
    .setString('BodyPartExamined', 'CHEST')
    .setString('PatientName', 'Bench^Phantom')
    .setString('PatientID', 'BENCH-1')
    .setString('StudyInstanceUID', uids.study)
    .setString('SeriesInstanceUID', uids.series)
    .setNumbers('SliceThickness', [1])
    .setNumbers('SeriesNumber', [1])
    .setNumbers('InstanceNumber', [index + 1])
    .setNumbers('ImagePositionPatient', [-125, -125, index])
    .setNumbers('ImageOrientationPatient', [1, 0, 0, 0, 1, 0])
    .setNumbers('PixelSpacing', [0.488, 0.488])
    .setNumbers('SamplesPerPixel', [1])
    .setString('PhotometricInterpretation', 'MONOCHROME2')
    .setNumbers('Rows', [SIZE])
    .setNumbers('Columns', [SIZE])
    .setNumbers('BitsAllocated', [16])
    .setNumbers('BitsStored', [12])
    .setNumbers('HighBit', [11])
    .setNumbers('PixelRepresentation', [0])
    .setNumbers('RescaleIntercept', [-1024])
    .setNumbers('RescaleSlope', [1])
    .setBytes('PixelData', phantom(index), 'OW');
  return encodePart10(dataset);
}

/** Where a text stands in a file, from one search each. */
function placesOf(file: Buffer, text: string): number[] {
  const places: number[] = [];
  for (let at = file.indexOf(text); at >= 0; at = file.indexOf(text, at + 1)) places.push(at);
  return places;
}

interface ObjectFile {
  readonly path: string;
  readonly places: { readonly [K in keyof Uids]: readonly number[] };
}
export interface SentObject {
  readonly sopInstanceUid: string;
  readonly path: string;
}

export class CtObjects {
  private constructor(
    /** One for each association of four; all of them for one. */
    readonly folders: readonly string[],
    private readonly files: readonly ObjectFile[],
    /** Of all files together. @unit bytes */
    readonly sizeBytes: number,
  ) {}

  static write(folder: string, count: number): CtObjects {
    if (count < FOLDERS) throw new AifiError('INVALID_ARGUMENT', `at least ${FOLDERS} objects`);
    const folders = Array.from({ length: FOLDERS }, (_, index) => join(folder, String(index)));
    for (const one of folders) mkdirSync(one, { recursive: true });
    let sizeBytes = 0;
    const files = Array.from({ length: count }, (_, index) => {
      const uids = { study: randomUid(), series: randomUid(), instance: randomUid() };
      const bytes = ctSlice(uids, index);
      const path = join(folders[index % FOLDERS]!, `${String(index).padStart(5, '0')}.dcm`);
      writeFileSync(path, bytes);
      sizeBytes += bytes.length;
      const places = {
        study: placesOf(bytes, uids.study),
        series: placesOf(bytes, uids.series),
        instance: placesOf(bytes, uids.instance),
      };
      return { path, places };
    });
    return new CtObjects(folders, files, sizeBytes);
  }

  get count(): number {
    return this.files.length;
  }

  /** Makes a new study of the same slices; nothing but UIDs changes. */
  renew(): readonly SentObject[] {
    const [study, series] = [randomUid(), randomUid()];
    return this.files.map(({ path, places }) => {
      const uids: Uids = { study, series, instance: randomUid() };
      const file = openSync(path, 'r+');
      for (const kind of ['study', 'series', 'instance'] as const) {
        for (const at of places[kind]) writeSync(file, uids[kind], at, 'latin1');
      }
      closeSync(file);
      return { sopInstanceUid: uids.instance, path };
    });
  }
}
