/**
 * t1-brain: the T1 volume of deploy/demo/data as a coronal MR series.
 * Decides the geometry: slice k, row j (towards Inferior), column i (towards Left), so that a
 * product that conforms it finds the volume it was made from, bit by bit.
 * Frame: patient LPS = RAS with x and y negated; units mm. Known answer: white 518.5 mL, grey
 * 735.2 mL. Source: PS3.3 C.7.6.2 (image plane), C.8.3.1 (MR image); deploy/demo/data/SOURCES.md.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DicomDataset, encodePart10 } from '@aifi/dicom-core';
import { plant, uidCanaries, uidSource, type DemoStudy, type StudyOptions } from './demo-study.js';
import { readNifti, type NiftiVolume } from './nifti.js';
import { plantIdentity } from './planted-identity.js';

const MR_IMAGE_STORAGE = '1.2.840.10008.5.1.4.1.1.4';
const PIXEL_DATA = 0x7fe00010;
/** The sform is float32: four decimals (0.1 µm) are what it holds, and keep a DS short. */
const round = (mm: number): number => Math.round(mm * 1e4) / 1e4 + 0;

/** Position and orientation of slice k in LPS. */
export function slicePlane(
  volume: NiftiVolume,
  k: number,
): { readonly positionMm: number[]; readonly orientation: number[]; readonly spacingMm: number[] } {
  const [x, y, z] = volume.sform;
  const toLps = (ras: readonly number[]): number[] => [-ras[0]!, -ras[1]!, ras[2]!].map(round);
  const axis = (column: number): number[] => [x[column]!, y[column]!, z[column]!];
  const length = (vector: readonly number[]): number => Math.hypot(...vector);
  const [alongColumns, alongRows] = [axis(0), axis(1)];
  const unit = (vector: readonly number[]): number[] => vector.map((v) => v / length(vector));
  return {
    positionMm: toLps([0, 1, 2].map((r) => axis(3)[r]! + k * axis(2)[r]!)),
    orientation: [...toLps(unit(alongColumns)), ...toLps(unit(alongRows))],
    // Row spacing first (PS3.3 10.7.1.3): the distance between rows runs along j.
    spacingMm: [length(alongRows), length(alongColumns)].map(round),
  };
}

/** uint8 [j, i] of slice k as uint16 little-endian: an MR image has 16 bits allocated. */
function slicePixels(volume: NiftiVolume, k: number): Buffer {
  const [columns, rows] = volume.size;
  const pixels = Buffer.alloc(columns * rows * 2);
  const start = k * columns * rows;
  for (let p = 0; p < columns * rows; p += 1) pixels[p * 2] = volume.voxels[start + p]!;
  return pixels;
}

function sliceDataset(volume: NiftiVolume, k: number): DicomDataset {
  const { positionMm, orientation, spacingMm } = slicePlane(volume, k);
  const [columns, rows] = volume.size;
  return new DicomDataset()
    .setString('SOPClassUID', MR_IMAGE_STORAGE)
    .setStrings('ImageType', ['ORIGINAL', 'PRIMARY', 'M', 'ND'])
    .setString('Modality', 'MR')
    .setString('Manufacturer', 'AIFI demonstration')
    .setString('ManufacturerModelName', 'NIfTI import')
    .setString('SoftwareVersions', '1')
    .setString('SeriesDescription', 'T1 MPRAGE cor')
    .setString('ProtocolName', 'T1 MPRAGE')
    .setString('BodyPartExamined', 'BRAIN')
    .setString('ScanningSequence', 'GR')
    .setString('SequenceVariant', 'MP')
    .setString('ScanOptions', '')
    .setString('MRAcquisitionType', '3D')
    .setString('RepetitionTime', '2300')
    .setString('EchoTime', '2.98')
    .setString('EchoTrainLength', '1')
    .setString('MagneticFieldStrength', '3')
    .setString('FlipAngle', '9')
    .setString('PatientPosition', 'HFS')
    .setString('PositionReferenceIndicator', '')
    .setString('SliceThickness', '1')
    .setString('SeriesNumber', '3')
    .setString('AcquisitionNumber', '1')
    .setNumbers('ImagePositionPatient', positionMm)
    .setNumbers('ImageOrientationPatient', orientation)
    .setNumbers('PixelSpacing', spacingMm)
    .setNumbers('SamplesPerPixel', [1])
    .setString('PhotometricInterpretation', 'MONOCHROME2')
    .setNumbers('Rows', [rows])
    .setNumbers('Columns', [columns])
    .setNumbers('BitsAllocated', [16])
    .setNumbers('BitsStored', [12])
    .setNumbers('HighBit', [11])
    .setNumbers('PixelRepresentation', [0])
    .setString('WindowCenter', '128')
    .setString('WindowWidth', '256')
    .setBytes(PIXEL_DATA, slicePixels(volume, k), 'OW');
}

/** @param dataFolder `deploy/demo/data` */
export function t1Brain(dataFolder: string, options: StudyOptions): DemoStudy {
  const { runId, uidsOf = runId, nowMs } = options;
  const name = 't1-brain';
  const volume = readNifti(readFileSync(join(dataFolder, 't1_crop.nii.gz')));
  const uid = uidSource(name, uidsOf);
  const identity = plantIdentity(name, runId);
  const instanceCount = volume.size[2];
  return {
    name,
    modality: 'MR',
    studyInstanceUid: uid('study'),
    instanceCount,
    identity,
    canaries: [...identity.canaries, ...uidCanaries(uid, instanceCount)],
    expected: [
      { product: 'meshnet-tissue', terminalState: 'RESULT_IN_PACS', code: null },
      {
        product: 'fracture-stand-in',
        terminalState: 'NOT_ELIGIBLE_LOGGED',
        code: 'OUT_OF_INTENDED_USE',
      },
    ],
    *instances() {
      for (let k = 0; k < instanceCount; k += 1) {
        const dataset = sliceDataset(volume, k);
        yield encodePart10(plant(dataset, identity, { uid, instanceNumber: k + 1, nowMs }));
      }
    },
  };
}
