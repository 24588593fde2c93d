/**
 * The two studies of the memory proof, made while they are sent.
 * Decides their shape: 5,000 small slices, and 40 slices of which one is a multi-frame of 4 GB, so
 * that the tissue product asks for both and they go all the way. Units: mm; frame: patient LPS.
 * Invariant: at most one chunk of pixels is in memory. Source: PS3.3 C.7.6.2, C.7.6.6.
 */
import { DicomDataset, encodeDataset } from '@aifi/dicom-core';
import { keyedUid } from '@aifi/shared-kernel';
import type { SentObject } from './raw-store-sender.js';

export const MR_IMAGE_STORAGE = '1.2.840.10008.5.1.4.1.1.4';
const EXPLICIT = { explicitVr: true, littleEndian: true };
/** The product asks for 120 mm of T1. @unit mm */
const EXTENT_MM = 200;
const PIXEL_CHUNK_BYTES = 1024 * 1024;

export interface LargeStudy {
  readonly name: string;
  readonly studyInstanceUid: string;
  readonly instanceCount: number;
  readonly bytes: number;
  /** How the tissue product must end for it. */
  readonly expected: string;
  /** In order, without the first `from`. */
  objects(from?: number): Iterable<SentObject>;
}
interface Shape {
  readonly rows: number;
  readonly columns: number;
  readonly frames: number;
}
interface Slice extends Shape {
  readonly study: string;
  readonly number: number;
  readonly spacingMm: number;
}

/** @param count slices of 64 x 64 */
export function manyInstances(runId: string, count: number): LargeStudy {
  const shape = { rows: 64, columns: 64, frames: 1 };
  const shapes = Array.from({ length: count }, () => shape);
  return { ...study(`${count}-instances`, runId, shapes), expected: 'RESULT_IN_PACS' };
}

/** @param frames of 2,000 x 2,000 x 16 bits: 500 are 4 GB, the most that a length can say is 536 */
export function multiFrame(runId: string, frames: number): LargeStudy {
  const small = { rows: 64, columns: 64, frames: 1 };
  const large = { rows: 2_000, columns: 2_000, frames };
  const shapes = [large, ...Array<Shape>(39).fill(small)];
  // Everything gets to the worker, which makes no volume of images that differ.
  const expected = 'NOT_ANALYSED_NOTIFIED (INPUT_INCOMPLETE)';
  return { ...study(`multi-frame-${frames}`, runId, shapes), expected };
}

function study(
  name: string,
  runId: string,
  shapes: readonly Shape[],
): Omit<LargeStudy, 'expected'> {
  const key = `${name}/${runId}`;
  const spacingMm = EXTENT_MM / shapes.length;
  return {
    name,
    studyInstanceUid: uidOf(key, 'study'),
    instanceCount: shapes.length,
    bytes: shapes.reduce((sum, shape) => sum + pixelBytes(shape), 0),
    *objects(from = 0) {
      for (const [index, shape] of shapes.entries()) {
        if (index < from) continue;
        yield object({ ...shape, study: key, number: index + 1, spacingMm });
      }
    },
  };
}

const pixelBytes = ({ rows, columns, frames }: Shape): number => rows * columns * frames * 2;
const uidOf = (...parts: readonly string[]): string =>
  keyedUid(Buffer.from('memory-bench'), ...parts);

function object(slice: Slice): SentObject {
  const sopInstanceUid = uidOf(slice.study, String(slice.number));
  return {
    sopInstanceUid,
    *chunks() {
      const length = pixelBytes(slice);
      yield encodeDataset(header(slice, sopInstanceUid), EXPLICIT);
      // (7FE0,0010) OW with a length of 32 bits: all that native pixel data can have.
      const element = Buffer.from('e07f10004f57000000000000', 'hex');
      element.writeUInt32LE(length, 8);
      yield element;
      const chunk = Buffer.alloc(Math.min(length, PIXEL_CHUNK_BYTES));
      for (let from = 0; from < length; from += chunk.length) {
        chunk.fill((from / chunk.length + slice.number) & 0x7f);
        yield chunk.subarray(0, Math.min(chunk.length, length - from));
      }
    },
  };
}

function header(slice: Slice, sopInstanceUid: string): DicomDataset {
  const { rows, columns, frames, number, spacingMm } = slice;
  const dataset = new DicomDataset()
    .setStrings('ImageType', ['ORIGINAL', 'PRIMARY', 'M', 'ND'])
    .setString('SOPClassUID', MR_IMAGE_STORAGE)
    .setString('SOPInstanceUID', sopInstanceUid)
    .setString('StudyDate', '20260101')
    .setString('StudyTime', '101500')
    .setString('AccessionNumber', 'MEMORY')
    .setString('Modality', 'MR')
    .setString('Manufacturer', 'AIFI bench')
    .setString('ReferringPhysicianName', '')
    .setString('SeriesDescription', 'T1 MPRAGE')
    .setString('PatientName', 'Memory^Bench')
    .setString('PatientID', 'MEMORY-1')
    .setString('PatientBirthDate', '19700101')
    .setString('PatientSex', 'O')
    .setString('BodyPartExamined', 'BRAIN')
    .setNumbers('SliceThickness', [spacingMm])
    .setString('PatientPosition', 'HFS')
    .setString('StudyInstanceUID', uidOf(slice.study, 'study'))
    .setString('SeriesInstanceUID', uidOf(slice.study, 'series'))
    .setString('StudyID', '1')
    .setNumbers('SeriesNumber', [1])
    .setNumbers('InstanceNumber', [number])
    .setNumbers('ImagePositionPatient', [-100, -100, number * spacingMm])
    .setNumbers('ImageOrientationPatient', [1, 0, 0, 0, 1, 0])
    .setString('FrameOfReferenceUID', uidOf(slice.study, 'frame'))
    .setNumbers('SamplesPerPixel', [1])
    .setString('PhotometricInterpretation', 'MONOCHROME2')
    .setNumbers('Rows', [rows])
    .setNumbers('Columns', [columns])
    .setNumbers('PixelSpacing', [200 / rows, 200 / columns])
    .setNumbers('BitsAllocated', [16])
    .setNumbers('BitsStored', [12])
    .setNumbers('HighBit', [11])
    .setNumbers('PixelRepresentation', [0]);
  return frames > 1 ? dataset.setNumbers('NumberOfFrames', [frames]) : dataset;
}
