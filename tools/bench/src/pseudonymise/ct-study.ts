/**
 * A CT study of many slices, as a scanner sends one: a full header with names, numbers, dates,
 * requests, sequences and private groups.
 * Decides the identity that is in it (made up), so that every tool has something to remove.
 * Units: rows x columns, uint16 stored values, HU + 1024. Source: PS3.3 A.3.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DicomDataset, encodePart10 } from '@aifi/dicom-core';
import { CT_IMAGE_STORAGE, phantom, randomUid } from '../receive/ct-objects.js';

const SIZE = 512;
const PRIVATE_GROUPS = [0x0009, 0x0019, 0x0021, 0x0027, 0x0043] as const;
/** A vendor's group has some dozens of short values. */
const PRIVATE_ELEMENTS = 24;
/** Different pictures; the others repeat them: making one takes longer than writing it. */
const PICTURES = 16;

function code(value: string, meaning: string): DicomDataset {
  return new DicomDataset()
    .setString('CodeValue', value)
    .setString('CodingSchemeDesignator', 'LOCAL')
    .setString('CodeMeaning', meaning);
}

function patientAndRequest(dataset: DicomDataset): DicomDataset {
  return dataset
    .setString('SpecificCharacterSet', 'ISO_IR 100')
    .setString('PatientName', 'Jansen^Wilhelmina^^Mevr.')
    .setString('PatientID', 'BENCH-0012345')
    .setString('IssuerOfPatientID', 'ZIEKENHUIS-BENCH')
    .setString('PatientBirthDate', '19610403')
    .setString('PatientSex', 'F')
    .setString('PatientAge', '064Y')
    .setString('PatientWeight', '71')
    .setString('PatientComments', 'belt met 020-5551234')
    .setString('ReferringPhysicianName', 'Visser^A')
    .setString('PerformingPhysicianName', 'Bakker^B')
    .setString('OperatorsName', 'Mulder^C')
    .setString('InstitutionName', 'Ziekenhuis Bench')
    .setString('InstitutionAddress', 'Kerkstraat 1, 1234 AB Bench')
    .setString('StationName', 'CT-KAMER-3')
    .setString('AccessionNumber', 'ACC20260101')
    .setString('StudyID', 'S-4711')
    .setItems('RequestAttributesSequence', [
      new DicomDataset()
        .setString('RequestedProcedureID', 'RP-1')
        .setString('ScheduledProcedureStepID', 'SPS-1')
        .setString('RequestedProcedureDescription', 'CT thorax dr. Visser')
        .setItems('ScheduledProtocolCodeSequence', [code('CTTHX', 'CT thorax')]),
    ])
    .setItems('ProcedureCodeSequence', [code('CTTHX', 'CT thorax')]);
}

function acquisition(dataset: DicomDataset, index: number): DicomDataset {
  return dataset
    .setStrings('ImageType', ['ORIGINAL', 'PRIMARY', 'AXIAL'])
    .setString('Modality', 'CT')
    .setString('Manufacturer', 'GE MEDICAL SYSTEMS')
    .setString('ManufacturerModelName', 'Phantom 512')
    .setString('DeviceSerialNumber', 'SN-99887')
    .setString('SoftwareVersions', '1.0')
    .setString('StudyDescription', 'CT thorax dr. Visser')
    .setString('SeriesDescription', 'Thorax 1.0')
    .setString('ProtocolName', 'Thorax')
    .setString('BodyPartExamined', 'CHEST')
    .setString('PatientPosition', 'HFS')
    .setString('StudyDate', '20260101')
    .setString('SeriesDate', '20260101')
    .setString('AcquisitionDate', '20260101')
    .setString('ContentDate', '20260101')
    .setString('StudyTime', '120000')
    .setString('AcquisitionTime', '120105.5')
    .setNumbers('KVP', [120])
    .setNumbers('XRayTubeCurrent', [240])
    .setNumbers('ExposureTime', [500])
    .setString('ConvolutionKernel', 'STANDARD')
    .setNumbers('DataCollectionDiameter', [500])
    .setNumbers('ReconstructionDiameter', [250])
    .setNumbers('GantryDetectorTilt', [0])
    .setNumbers('SliceThickness', [1])
    .setNumbers('SeriesNumber', [2])
    .setNumbers('AcquisitionNumber', [1])
    .setNumbers('InstanceNumber', [index + 1])
    .setNumbers('SliceLocation', [index])
    .setNumbers('ImagePositionPatient', [-125, -125, index])
    .setNumbers('ImageOrientationPatient', [1, 0, 0, 0, 1, 0])
    .setNumbers('PixelSpacing', [0.488, 0.488]);
}

function pixels(dataset: DicomDataset, picture: Buffer): DicomDataset {
  return dataset
    .setNumbers('SamplesPerPixel', [1])
    .setString('PhotometricInterpretation', 'MONOCHROME2')
    .setNumbers('Rows', [SIZE])
    .setNumbers('Columns', [SIZE])
    .setNumbers('BitsAllocated', [16])
    .setNumbers('BitsStored', [12])
    .setNumbers('HighBit', [11])
    .setNumbers('PixelRepresentation', [0])
    .setNumbers('WindowCenter', [40])
    .setNumbers('WindowWidth', [400])
    .setNumbers('RescaleIntercept', [-1024])
    .setNumbers('RescaleSlope', [1])
    .setBytes('PixelData', picture, 'OW');
}

function privateGroups(dataset: DicomDataset): DicomDataset {
  for (const group of PRIVATE_GROUPS) {
    dataset.setString(((group << 16) | 0x0010) >>> 0, `BENCH VENDOR ${group}`, 'LO');
    for (let element = 1; element <= PRIVATE_ELEMENTS; element += 1) {
      const tag = ((group << 16) | 0x1000 | element) >>> 0;
      dataset.setString(tag, `value ${element} of 0012345`, 'LO');
    }
  }
  return dataset;
}

/** Writes the slices as `00000.dcm`, ...; what they are long together. @unit bytes */
export function writeCtStudy(folder: string, count: number): number {
  mkdirSync(folder, { recursive: true });
  const [study, series, frame] = [randomUid(), randomUid(), randomUid()];
  const pictures = Array.from({ length: Math.min(count, PICTURES) }, (_, i) => phantom(i));
  let sizeBytes = 0;
  for (let index = 0; index < count; index += 1) {
    const dataset = new DicomDataset()
      .setString('SOPClassUID', CT_IMAGE_STORAGE)
      .setString('SOPInstanceUID', randomUid())
      .setString('StudyInstanceUID', study)
      .setString('SeriesInstanceUID', series)
      .setString('FrameOfReferenceUID', frame);
    patientAndRequest(dataset);
    acquisition(dataset, index);
    pixels(privateGroups(dataset), pictures[index % pictures.length]!);
    const bytes = encodePart10(dataset);
    writeFileSync(join(folder, `${String(index).padStart(5, '0')}.dcm`), bytes);
    sizeBytes += bytes.length;
  }
  return sizeBytes;
}
