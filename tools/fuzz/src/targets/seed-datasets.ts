/**
 * Valid datasets to start from: every kind of element, container and pixel data once.
 * Decides the generated part of the corpora that hold datasets. Names and numbers are made up.
 * Source: PS3.5 6.2, 7.5, 8, A.4.
 */
import { DicomDataset, encodeDataset, encodingOf } from '@aifi/dicom-core';

const SECONDARY_CAPTURE = '1.2.840.10008.5.1.4.1.1.7';

function header(): DicomDataset {
  return new DicomDataset()
    .setString('SpecificCharacterSet', 'ISO_IR 192')
    .setString('SOPClassUID', SECONDARY_CAPTURE)
    .setString('SOPInstanceUID', '2.25.3')
    .setString('StudyInstanceUID', '2.25.1')
    .setString('SeriesInstanceUID', '2.25.2')
    .setString('Modality', 'OT')
    .setString('PatientName', 'Fuzz^Case')
    .setString('PatientID', 'F-1');
}
function image(bits: number, frames = 1): DicomDataset {
  const dataset = header()
    .setNumbers('SamplesPerPixel', [1])
    .setString('PhotometricInterpretation', 'MONOCHROME2')
    .setNumbers('Rows', [4])
    .setNumbers('Columns', [4])
    .setNumbers('BitsAllocated', [bits])
    .setNumbers('BitsStored', [bits])
    .setNumbers('HighBit', [bits - 1])
    .setNumbers('PixelRepresentation', [0]);
  if (frames > 1) dataset.setNumbers('NumberOfFrames', [frames]);
  const bytes = Buffer.alloc((16 * bits * frames) / 8, 7);
  return dataset.setBytes('PixelData', bytes, bits > 8 ? 'OW' : 'OB');
}
function nested(depth: number): DicomDataset {
  const dataset = new DicomDataset().setString('CodeValue', '1').setString('CodeMeaning', 'one');
  return depth === 0 ? dataset : dataset.setItems('ConceptNameCodeSequence', [nested(depth - 1)]);
}
function everyVr(): DicomDataset {
  return header()
    .setNumbers('ImagePositionPatient', [1.5, -2, 3])
    .setNumbers(0x00189087, [1.5], 'FD')
    .setNumbers(0x00080001, [7], 'UL')
    .setNumbers(0x00186020, [-1], 'SL')
    .setNumbers(0x00280106, [-3], 'SS')
    .setBytes(0x00420011, Buffer.from('%PDF-1.4 '), 'OB')
    .setString(0x00081190, 'http://localhost/a', 'UR')
    .setString(0x00090010, 'AIFI FUZZ', 'LO')
    .setBytes(0x00091001, Buffer.from([1, 2, 3, 4]), 'UN')
    .setItems('ReferencedSeriesSequence', [nested(1), new DicomDataset(), nested(2)]);
}

const UNDEFINED = Buffer.from('ffffffff', 'hex');
/** Explicit VR Little Endian with undefined lengths and encapsulated pixel data. */
function handWritten(): Buffer[] {
  const le = encodingOf('1.2.840.10008.1.2.1');
  const start = encodeDataset(header(), le);
  const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
  const sequence = Buffer.concat([hex('40003a04 5351 0000'), UNDEFINED]);
  const item = Buffer.concat([hex('feff00e0'), UNDEFINED]);
  const [itemEnd, end] = [hex('feff0de0 00000000'), hex('feffdde0 00000000')];
  const code = hex('08000001 5348 0200 3120');
  const unknown = Buffer.concat([hex('09000110 554e 0000'), UNDEFINED]);
  const implicitCode = hex('08000001 02000000 3120');
  const pixels = Buffer.concat([hex('e07f1000 4f42 0000'), UNDEFINED]);
  const fragments = hex('feff00e0 04000000 00000000 feff00e0 04000000 ffd8ffd9');
  const frame = encodeDataset(image(8), le).subarray(0, -12 - 16);
  return [
    Buffer.concat([start, sequence, item, code, itemEnd, item, itemEnd, end]),
    Buffer.concat([hex('09001000 4c4f 0200 4120'), unknown, item, implicitCode, itemEnd, end]),
    Buffer.concat([frame, pixels, fragments, end]),
    Buffer.concat([frame, pixels, fragments, end, hex('fcfffcff 4f42 0000 02000000 0000')]),
    Buffer.concat([start, sequence, item, pixels, fragments, end, itemEnd, end]),
  ];
}

export function datasetOf(): DicomDataset {
  return image(8);
}
export function* seedDatasets(transferSyntaxUids: readonly string[]): Generator<Uint8Array> {
  for (const uid of transferSyntaxUids) {
    const datasets = [header(), image(8), image(16), image(16, 3), image(1), everyVr(), nested(30)];
    for (const dataset of datasets) yield encodeDataset(dataset, encodingOf(uid));
  }
  yield* handWritten();
}
