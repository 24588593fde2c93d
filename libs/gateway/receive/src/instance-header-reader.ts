/**
 * Reads the InstanceHeader of a dataset that was received.
 * Decides that an attribute that does not read is left out: missing values are judged by `select`,
 * where they have a reason code, and never make the gateway refuse an image.
 * Units: mm; frame: patient LPS (PS3.3 C.7.6.2.1.1). Invariant: no attribute of the patient.
 */
import { tagOf, type DicomDataset } from '@aifi/dicom-core';
import type { InstanceHeader } from '@aifi/gateway-database';
import { AifiError } from '@aifi/shared-kernel';

/** Longest text and list kept: PS3.5 LO is 64 characters, real image types have few values. */
const TEXT_LENGTH_MAX = 256;
const VALUES_MAX = 16;

type Read = (dataset: DicomDataset, tag: number) => InstanceHeader[keyof InstanceHeader];

const text: Read = (dataset, tag) => dataset.string(tag)?.slice(0, TEXT_LENGTH_MAX);
const number: Read = (dataset, tag) => dataset.number(tag);
const numbers =
  (count: number): Read =>
  (dataset, tag) => {
    const values = dataset.numbers(tag);
    return values.length === count ? values : undefined;
  };
const texts: Read = (dataset, tag) => {
  const values = dataset.strings(tag).slice(0, VALUES_MAX);
  return values.length > 0 ? values : undefined;
};

const FIELDS: readonly (readonly [keyof InstanceHeader, number, Read])[] = [
  ['modality', tagOf('Modality'), text],
  ['seriesDescription', tagOf('SeriesDescription'), text],
  ['protocolName', tagOf('ProtocolName'), text],
  ['bodyPartExamined', tagOf('BodyPartExamined'), text],
  ['imageType', tagOf('ImageType'), texts],
  ['seriesNumber', tagOf('SeriesNumber'), number],
  ['frameOfReferenceUid', tagOf('FrameOfReferenceUID'), text],
  ['imageOrientationPatient', tagOf('ImageOrientationPatient'), numbers(6)],
  ['imagePositionPatient', tagOf('ImagePositionPatient'), numbers(3)],
  ['sliceThicknessMm', tagOf('SliceThickness'), number],
  ['rows', tagOf('Rows'), number],
  ['columns', tagOf('Columns'), number],
  ['numberOfFrames', tagOf('NumberOfFrames'), number],
];
/** What a dataset must hold for this; the character set is how its text is read. */
export const INSTANCE_HEADER_TAGS: readonly number[] = [
  tagOf('SpecificCharacterSet'),
  ...FIELDS.map(([, tag]) => tag),
];

export function readInstanceHeader(dataset: DicomDataset): InstanceHeader {
  const header: Record<string, unknown> = {};
  for (const [name, tag, read] of FIELDS) {
    try {
      const value = read(dataset, tag);
      if (value !== undefined) header[name] = value;
    } catch (error) {
      if (!(error instanceof AifiError && error.code === 'DICOM_MALFORMED')) throw error;
    }
  }
  return header as InstanceHeader;
}
