/**
 * Loop phantoms: small objects of ultrasound, angiography and fluoroscopy, of nobody.
 * Decides that every kept attribute of these classes that an object has as a rule is there, native
 * or as RLE of literal runs, and that the objects of one kind are one series.
 * Source: PS3.3 A.6, A.7, A.14, A.16, C.8.5, C.8.7; PS3.5 annex G.
 */
import { DicomDataset, isEncapsulated } from '@aifi/dicom-core';
import { phantomFile } from '../src/phantom.js';

export const LOOP_KINDS = ['US', 'US loop', 'XA', 'RF'] as const;
export type LoopKind = (typeof LOOP_KINDS)[number];
export interface LoopOptions {
  /** @default 1 */
  readonly instance?: number;
  /** Native, or RLE Lossless. @default Explicit VR Little Endian */
  readonly transferSyntaxUid?: string;
  readonly change?: (dataset: DicomDataset) => unknown;
}

const CLASSES: Readonly<Record<LoopKind, string>> = {
  US: '1.2.840.10008.5.1.4.1.1.6.1',
  'US loop': '1.2.840.10008.5.1.4.1.1.3.1',
  XA: '1.2.840.10008.5.1.4.1.1.12.1',
  RF: '1.2.840.10008.5.1.4.1.1.12.2',
};
const RADIOGRAPH_ONLY = ['ViewPosition', 'Laterality', 'KVP'];
const ROWS = 16;
const FRAMES = 3;

export function loopPhantom(kind: LoopKind, options: LoopOptions = {}): Buffer {
  const { instance = 1, transferSyntaxUid = '1.2.840.10008.1.2.1', change } = options;
  const number = LOOP_KINDS.indexOf(kind) + 1;
  const isCompressed = isEncapsulated(transferSyntaxUid);
  let pixels: Uint8Array = new Uint8Array(0);
  const file = phantomFile('CR', {
    ...{ instance, transferSyntaxUid, seriesNumber: number, studyNumber: number },
    change: (dataset) => {
      putLoop(dataset, kind, instance);
      const native = dataset.bytes('PixelData')!;
      if (isCompressed) {
        dataset.delete('PixelData');
        pixels = encapsulated(native, framesOf(kind), dataset.number('BitsAllocated')! / 8);
      }
      change?.(dataset);
    },
  });
  return isCompressed ? Buffer.concat([file, pixels]) : file;
}

function putLoop(dataset: DicomDataset, kind: LoopKind, instance: number): void {
  for (const keyword of RADIOGRAPH_ONLY) dataset.delete(keyword);
  dataset
    .setString('SOPClassUID', CLASSES[kind])
    .setString('Modality', kind.slice(0, 2))
    .setString('BodyPartExamined', 'ABDOMEN')
    .setString('LossyImageCompression', '00')
    .setStrings('PatientOrientation', ['L', 'F']);
  if (kind.startsWith('US')) putUltrasound(dataset);
  else putFluoroscopy(dataset, kind);
  if (framesOf(kind) > 1) {
    dataset
      .setNumbers('NumberOfFrames', [framesOf(kind)])
      .setNumbers('FrameTime', [40])
      // Frame Time, group and element.
      .setBytes('FrameIncrementPointer', Uint8Array.of(0x18, 0, 0x63, 0x10), 'AT')
      .setNumbers('RecommendedDisplayFrameRate', [25])
      .setNumbers('CineRate', [25]);
  }
  putPixels(dataset, kind, instance);
}
const framesOf = (kind: LoopKind): number => (kind === 'US' ? 1 : FRAMES);

function putUltrasound(dataset: DicomDataset): void {
  const region = new DicomDataset()
    .setNumbers('RegionSpatialFormat', [1])
    .setNumbers('RegionDataType', [1])
    .setNumbers('RegionFlags', [2])
    .setNumbers('RegionLocationMinX0', [1])
    .setNumbers('RegionLocationMinY0', [1])
    .setNumbers('RegionLocationMaxX1', [14])
    .setNumbers('RegionLocationMaxY1', [14])
    .setNumbers('PhysicalUnitsXDirection', [3])
    .setNumbers('PhysicalUnitsYDirection', [3])
    .setNumbers('PhysicalDeltaX', [0.05])
    .setNumbers('PhysicalDeltaY', [0.05])
    .setNumbers('TransducerFrequency', [3500])
    .setNumbers('NumberOfTableEntries', [2])
    .setNumbers('TableOfPixelValues', [0, 255])
    .setNumbers('TableOfParameterValues', [0, 1.5]);
  dataset
    .setStrings('ImageType', ['ORIGINAL', 'PRIMARY', 'ABDOMINAL', '0001'])
    .setItems('SequenceOfUltrasoundRegions', [region])
    .setString('TransducerType', 'CURVED LINEAR')
    .setNumbers('DepthOfScanField', [120])
    .setNumbers('MechanicalIndex', [0.9])
    .setNumbers('UltrasoundColorDataPresent', [0])
    .setNumbers('StageNumber', [1])
    .setNumbers('NumberOfStages', [1])
    .setNumbers('RWaveTimeVector', [20, 860]);
}

function putFluoroscopy(dataset: DicomDataset, kind: LoopKind): void {
  const mask = new DicomDataset()
    .setString('MaskOperation', 'AVG_SUB')
    .setNumbers('ApplicableFrameRange', [2, 3])
    .setNumbers('MaskFrameNumbers', [1])
    .setNumbers('ContrastFrameAveraging', [1])
    .setNumbers('MaskSubPixelShift', [0, 0.5]);
  dataset
    .setStrings('ImageType', ['ORIGINAL', 'PRIMARY', ...(kind === 'XA' ? ['SINGLE PLANE'] : [])])
    .setString('PixelIntensityRelationship', 'LIN')
    .setString('RadiationSetting', 'GR')
    .setString('RadiationMode', 'PULSED')
    .setNumbers('KVP', [72])
    .setNumbers('XRayTubeCurrent', [300])
    .setNumbers('ExposureTime', [40])
    .setNumbers('AveragePulseWidth', [8])
    .setNumbers('IntensifierSize', [230])
    .setStrings('ShutterShape', ['RECTANGULAR'])
    .setNumbers('ShutterLeftVerticalEdge', [1])
    .setNumbers('ShutterRightVerticalEdge', [16])
    .setNumbers('ShutterUpperHorizontalEdge', [1])
    .setNumbers('ShutterLowerHorizontalEdge', [16])
    .setString('TableMotion', 'STATIC')
    .setString('RecommendedViewingMode', 'SUB')
    .setItems('MaskSubtractionSequence', [mask]);
  if (kind === 'XA') {
    dataset
      .setString('PositionerMotion', 'STATIC')
      .setNumbers('PositionerPrimaryAngle', [30])
      .setNumbers('PositionerSecondaryAngle', [-20])
      .setNumbers('DistanceSourceToDetector', [1000]);
  } else dataset.setNumbers('ColumnAngulation', [10]);
}

/** A slope that goes on from frame to frame; the first pixel is the number of the object. */
function putPixels(dataset: DicomDataset, kind: LoopKind, instance: number): void {
  const count = ROWS * ROWS * framesOf(kind);
  const isByte = kind.startsWith('US');
  const values = Array.from({ length: count }, (_, at) => (at * 3) % (isByte ? 256 : 1024));
  values[0] = instance;
  const [bitsAllocated, bitsStored] = isByte ? [8, 8] : [16, 10];
  const pixels = isByte ? Uint8Array.from(values) : new Uint8Array(Uint16Array.from(values).buffer);
  dataset
    .setNumbers('SamplesPerPixel', [1])
    .setString('PhotometricInterpretation', 'MONOCHROME2')
    .setNumbers('Rows', [ROWS])
    .setNumbers('Columns', [ROWS])
    .setNumbers('BitsAllocated', [bitsAllocated!])
    .setNumbers('BitsStored', [bitsStored!])
    .setNumbers('HighBit', [bitsStored! - 1])
    .setNumbers('PixelRepresentation', [0])
    .setBytes('PixelData', pixels, isByte ? 'OB' : 'OW');
}

/** Pixel Data of RLE frames behind an empty offset table. */
function encapsulated(pixels: Uint8Array, frames: number, width: number): Buffer {
  const size = pixels.length / frames;
  const items = Array.from({ length: frames }, (_, at) =>
    item(rleOf(pixels.subarray(at * size, (at + 1) * size), width)),
  );
  return Buffer.concat([
    Buffer.from('e07f10004f420000ffffffff', 'hex'),
    item(Buffer.alloc(0)),
    ...items,
    Buffer.from('feffdde000000000', 'hex'),
  ]);
}
function item(value: Buffer): Buffer {
  const header = Buffer.from('feff00e000000000', 'hex');
  header.writeUInt32LE(value.length, 4);
  return Buffer.concat([header, value]);
}
/** One segment for each byte of a sample, the highest first; a row is one literal run. */
function rleOf(frame: Uint8Array, width: number): Buffer {
  const segments = Array.from({ length: width }, (_, at) => {
    const plane = frame.filter((_byte, index) => index % width === width - 1 - at);
    const rows = Array.from({ length: ROWS }, (_row, y) => [
      Buffer.of(ROWS - 1),
      plane.subarray(y * ROWS, (y + 1) * ROWS),
    ]);
    return Buffer.concat(rows.flat());
  });
  const header = Buffer.alloc(64);
  header.writeUInt32LE(segments.length, 0);
  let offset = header.length;
  for (const [at, segment] of segments.entries()) {
    header.writeUInt32LE(offset, 4 + at * 4);
    offset += segment.length;
  }
  return Buffer.concat([header, ...segments]);
}
