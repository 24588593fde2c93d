/**
 * Phantoms: small generated objects of four kinds of image, of nobody.
 * Decides that suites have something to work on where no real files are: valid per IOD, noise-free
 * pixels, every transfer syntax that needs no codec. Invariant: deterministic.
 * Source: PS3.3 A.2, A.3, A.4, A.26; PS3.5 A.
 */
import { deflateRawSync } from 'node:zlib';
import {
  DicomDataset,
  encodeDataset,
  encodeFileMeta,
  encodingOf,
  isDeflated,
} from '@aifi/dicom-core';

export type PhantomKind = 'CT' | 'MR' | 'CR' | 'DX';
export interface PhantomOptions {
  /** Number of the object; equal numbers give equal objects. @default 1 */
  readonly instance?: number;
  readonly seriesNumber?: number;
  readonly studyNumber?: number;
  /** @default Explicit VR Little Endian */
  readonly transferSyntaxUid?: string;
  /** Attributes that replace or add to those of the phantom. */
  readonly change?: (dataset: DicomDataset) => void;
}

const SOP_CLASSES: Readonly<Record<PhantomKind, string>> = {
  CT: '1.2.840.10008.5.1.4.1.1.2',
  MR: '1.2.840.10008.5.1.4.1.1.4',
  CR: '1.2.840.10008.5.1.4.1.1.1',
  DX: '1.2.840.10008.5.1.4.1.1.1.1',
};
/** Root of an example organisation; the rest are numbers of the phantom. */
const ROOT = '1.2.826.0.1.3680043.9.7133.1';
const ROWS = 32;

export function phantomFile(kind: PhantomKind, options: PhantomOptions = {}): Buffer {
  const { transferSyntaxUid = '1.2.840.10008.1.2.1' } = options;
  const dataset = phantomDataset(kind, options);
  const body = encodeDataset(dataset, encodingOf(transferSyntaxUid));
  const meta = encodeFileMeta({
    sopClassUid: dataset.string('SOPClassUID')!,
    sopInstanceUid: dataset.string('SOPInstanceUID')!,
    transferSyntaxUid,
  });
  return Buffer.concat([meta, isDeflated(transferSyntaxUid) ? deflateRawSync(body) : body]);
}

export function phantomDataset(kind: PhantomKind, options: PhantomOptions = {}): DicomDataset {
  const { instance = 1, seriesNumber = 1, studyNumber = 1, change } = options;
  const dataset = new DicomDataset()
    .setStrings('ImageType', ['ORIGINAL', 'PRIMARY', ...(kind === 'CT' ? ['AXIAL'] : [])])
    .setString('SpecificCharacterSet', 'ISO_IR 100')
    .setString('SOPClassUID', SOP_CLASSES[kind])
    .setString('SOPInstanceUID', `${ROOT}.${studyNumber}.${seriesNumber}.${instance}`)
    .setString('SeriesInstanceUID', `${ROOT}.${studyNumber}.${seriesNumber}`)
    .setString('StudyInstanceUID', `${ROOT}.${studyNumber}`)
    .setString('StudyDate', '20190614')
    .setString('SeriesDate', '20190614')
    .setString('AcquisitionDate', '20190614')
    .setString('ContentDate', '20190614')
    .setString('StudyTime', '101500')
    .setString('SeriesTime', '101600')
    .setString('AcquisitionTime', '101700')
    .setString('ContentTime', '101800')
    .setString('Modality', kind)
    .setString('Manufacturer', 'ACME')
    .setString('ManufacturerModelName', 'Phantom One')
    .setString('PatientName', 'Phantom^Paula')
    .setString('PatientID', `PH-${studyNumber}`)
    .setString('PatientBirthDate', '19610403')
    .setString('PatientSex', 'F')
    .setString('PatientAge', '058Y')
    .setString('BodyPartExamined', kind === 'DX' || kind === 'CR' ? 'HAND' : 'CHEST')
    .setString('StudyID', 'S1')
    .setString('AccessionNumber', 'A100')
    .setString('ReferringPhysicianName', 'Huisarts^H')
    .setNumbers('SeriesNumber', [seriesNumber])
    .setNumbers('InstanceNumber', [instance]);
  putKind(dataset, kind, instance);
  putPixels(dataset, [studyNumber, seriesNumber, instance]);
  change?.(dataset);
  return dataset;
}

function putKind(dataset: DicomDataset, kind: PhantomKind, instance: number): void {
  if (kind === 'CT' || kind === 'MR') {
    dataset
      .setString('FrameOfReferenceUID', `${ROOT}.9`)
      .setString('PositionReferenceIndicator', '')
      .setString('PatientPosition', 'HFS')
      .setNumbers('ImagePositionPatient', [0, 0, instance * 5])
      .setNumbers('ImageOrientationPatient', [1, 0, 0, 0, 1, 0])
      .setNumbers('PixelSpacing', [1, 1])
      .setNumbers('SliceThickness', [5])
      .setNumbers('AcquisitionNumber', [1]);
  }
  if (kind === 'CT') {
    dataset
      .setNumbers('KVP', [120])
      .setNumbers('RescaleIntercept', [-1024])
      .setNumbers('RescaleSlope', [1])
      .setString('RescaleType', 'HU');
  }
  if (kind === 'MR') {
    dataset
      .setString('ScanningSequence', 'SE')
      .setString('SequenceVariant', 'NONE')
      .setString('ScanOptions', '')
      .setString('MRAcquisitionType', '2D')
      .setNumbers('RepetitionTime', [500])
      .setNumbers('EchoTime', [12])
      .setNumbers('EchoTrainLength', [1]);
  }
  if (kind === 'CR') {
    dataset.setString('ViewPosition', 'PA').setString('Laterality', 'L').setNumbers('KVP', [55]);
  }
  if (kind === 'DX') putRadiograph(dataset);
}

function putRadiograph(dataset: DicomDataset): void {
  const hand = new DicomDataset()
    .setString('CodeValue', 'T-D8700')
    .setString('CodingSchemeDesignator', 'SRT')
    .setString('CodeMeaning', 'Hand');
  dataset
    .setString('PresentationIntentType', 'FOR PRESENTATION')
    .setItems('AnatomicRegionSequence', [hand])
    .setString('ImageLaterality', 'L')
    .setString('BurnedInAnnotation', 'NO')
    .setString('LossyImageCompression', '00')
    .setString('PresentationLUTShape', 'IDENTITY')
    .setString('PixelIntensityRelationship', 'LIN')
    .setNumbers('PixelIntensityRelationshipSign', [1])
    .setNumbers('RescaleIntercept', [0])
    .setNumbers('RescaleSlope', [1])
    .setString('RescaleType', 'US')
    .setNumbers('ImagerPixelSpacing', [0.15, 0.15])
    .setString('DetectorType', 'DIRECT')
    .setStrings('PatientOrientation', ['L', 'F'])
    .setNumbers('WindowCenter', [2048])
    .setNumbers('WindowWidth', [4096]);
}

/**
 * A slope; its first pixels are numbers of the object, so that no two objects share their
 * pixels.
 */
function putPixels(dataset: DicomDataset, numbers: readonly number[]): void {
  const pixels = new Uint8Array(ROWS * ROWS * 2);
  const view = new DataView(pixels.buffer);
  for (let at = 0; at < ROWS * ROWS; at += 1) {
    view.setUint16(at * 2, ((at % ROWS) * 60) % 4096, true);
  }
  numbers.forEach((number, at) => view.setUint16(at * 2, number % 4096, true));
  dataset
    .setNumbers('SamplesPerPixel', [1])
    .setString('PhotometricInterpretation', 'MONOCHROME2')
    .setNumbers('Rows', [ROWS])
    .setNumbers('Columns', [ROWS])
    .setNumbers('BitsAllocated', [16])
    .setNumbers('BitsStored', [12])
    .setNumbers('HighBit', [11])
    .setNumbers('PixelRepresentation', [0])
    .setBytes('PixelData', pixels, 'OW');
}
