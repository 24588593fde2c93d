/**
 * Reads the InstanceHeader of a dataset that was received.
 * Decides that an attribute that does not read is left out: missing values are judged by `select`,
 * where they have a reason code, and never make the gateway refuse an image.
 * Units: mm; frame: patient LPS (PS3.3 C.7.6.2.1.1). Invariant: no attribute of the patient.
 */
import type { DicomDataset } from '@aifi/dicom-core';
import type { InstanceHeader } from '@aifi/gateway-database';
import { AifiError } from '@aifi/shared-kernel';

/** Longest text and list kept: PS3.5 LO is 64 characters, real image types have few values. */
const TEXT_LENGTH_MAX = 256;
const VALUES_MAX = 16;

function readable<T>(read: () => T | undefined): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof AifiError && error.code === 'DICOM_MALFORMED') return undefined;
    throw error;
  }
}

export function readInstanceHeader(dataset: DicomDataset): InstanceHeader {
  const text = (keyword: string) =>
    readable(() => dataset.string(keyword)?.slice(0, TEXT_LENGTH_MAX));
  const number = (keyword: string) => readable(() => dataset.number(keyword));
  const numbers = (keyword: string, count: number) => {
    const values = readable(() => dataset.numbers(keyword));
    return values?.length === count ? values : undefined;
  };
  const imageType = readable(() => dataset.strings('ImageType').slice(0, VALUES_MAX)) ?? [];
  const header = {
    modality: text('Modality'),
    seriesDescription: text('SeriesDescription'),
    protocolName: text('ProtocolName'),
    bodyPartExamined: text('BodyPartExamined'),
    imageType: imageType.length > 0 ? imageType : undefined,
    seriesNumber: number('SeriesNumber'),
    frameOfReferenceUid: text('FrameOfReferenceUID'),
    imageOrientationPatient: numbers('ImageOrientationPatient', 6),
    imagePositionPatient: numbers('ImagePositionPatient', 3),
    sliceThicknessMm: number('SliceThickness'),
    rows: number('Rows'),
    columns: number('Columns'),
    numberOfFrames: number('NumberOfFrames'),
  };
  const present = Object.entries(header).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present) as InstanceHeader;
}
