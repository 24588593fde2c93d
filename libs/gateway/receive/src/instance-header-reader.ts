/**
 * Reads the InstanceHeader of a dataset that was received, and what the parent has to know besides.
 * Decides that an attribute that does not read is left out: missing values are judged by `select`,
 * where they have a reason code, and never make the gateway refuse an image.
 * Units: mm; frame: patient LPS (PS3.3 C.7.6.2.1.1). Invariant: no number, date or name of the
 * patient in the header; those go to the parent beside it, which keeps none of them.
 */
import { tagOf, type DicomDataset } from '@aifi/dicom-core';
import type { InstanceHeader } from '@aifi/gateway-database';
import { AifiError } from '@aifi/shared-kernel';
import type { PatientWords } from './listener-messages.js';

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
  return values.length > 0 ? values.map((value) => value.slice(0, TEXT_LENGTH_MAX)) : undefined;
};
const sex: Read = (dataset, tag) => {
  const value = dataset.string(tag);
  return value === 'F' || value === 'M' || value === 'O' ? value : undefined;
};

/** Of two rows for one field the first that says something counts. */
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
  ['laterality', tagOf('ImageLaterality'), text],
  ['laterality', tagOf('Laterality'), text],
  ['viewPosition', tagOf('ViewPosition'), text],
  ['manufacturer', tagOf('Manufacturer'), text],
  ['manufacturerModelName', tagOf('ManufacturerModelName'), text],
  ['convolutionKernel', tagOf('ConvolutionKernel'), texts],
  ['contrastBolusAgent', tagOf('ContrastBolusAgent'), text],
  ['patientPosition', tagOf('PatientPosition'), text],
  ['imagesInAcquisition', tagOf('ImagesInAcquisition'), number],
  ['sex', tagOf('PatientSex'), sex],
];

const PATIENT: readonly (readonly [keyof PatientWords, number])[] = [
  ['patientId', tagOf('PatientID')],
  ['issuer', tagOf('IssuerOfPatientID')],
  ['accessionNumber', tagOf('AccessionNumber')],
  ['birthDate', tagOf('PatientBirthDate')],
  ['patientAge', tagOf('PatientAge')],
  ['zone', tagOf('TimezoneOffsetFromUTC')],
];
/** Date and time: the first pair with both counts, else the first date. */
const MOMENTS: readonly (readonly [number, number])[] = [
  [tagOf('StudyDate'), tagOf('StudyTime')],
  [tagOf('SeriesDate'), tagOf('SeriesTime')],
  [tagOf('AcquisitionDate'), tagOf('AcquisitionTime')],
];

const REQUEST = tagOf('RequestAttributesSequence');
const REQUESTED_CODES = tagOf('RequestedProcedureCodeSequence');
const PROCEDURE_CODES = tagOf('ProcedureCodeSequence');
const SCHEME = tagOf('CodingSchemeDesignator');
const CODES = [tagOf('CodeValue'), tagOf('LongCodeValue'), tagOf('URNCodeValue')];
const EQUIPMENT = tagOf('ContributingEquipmentSequence');
const CONTRIBUTION = tagOf('ContributionDescription');
/** What results and statuses name as maker of the platform (a test makes one of each). */
const OWN_MANUFACTURER = 'AIFI';
const OWN_CONTRIBUTION = 'AIFI ';

/** What a dataset must hold for this; the character set is how its text is read. */
export const INSTANCE_HEADER_TAGS: readonly number[] = [
  tagOf('SpecificCharacterSet'),
  ...FIELDS.map(([, tag]) => tag),
  ...PATIENT.map(([, tag]) => tag),
  ...MOMENTS.flat(),
  ...[REQUEST, REQUESTED_CODES, PROCEDURE_CODES, SCHEME, ...CODES],
  ...[EQUIPMENT, CONTRIBUTION],
];

export function readInstanceHeader(dataset: DicomDataset): InstanceHeader {
  const header: Record<string, unknown> = {};
  for (const [name, tag, read] of FIELDS) {
    const value = header[name] ?? legible(() => read(dataset, tag));
    if (value !== undefined) header[name] = value;
  }
  const codes = procedureCodes(dataset);
  if (codes.length > 0) header['procedureCodes'] = codes;
  return header as InstanceHeader;
}

/** Never for a row, a log or an error. */
export function readPatientWords(dataset: DicomDataset): PatientWords {
  const words: Record<string, string> = {};
  for (const [name, tag] of PATIENT) {
    const value = legible(() => dataset.string(tag));
    // A cut number would be the number of somebody else.
    if (value !== undefined && value.length <= TEXT_LENGTH_MAX) words[name] = value;
  }
  const moments = MOMENTS.map((pair) => pair.map((tag) => legible(() => dataset.string(tag))));
  const said = moments.find(([date, time]) => date && time) ?? moments.find(([date]) => date);
  const [date, time] = said ?? [];
  return {
    ...words,
    ...(date && { date: date.slice(0, TEXT_LENGTH_MAX) }),
    ...(time && { time: time.slice(0, TEXT_LENGTH_MAX) }),
  };
}

/** A result or status that this platform made, here or in another hospital. */
export function isOwnObject(dataset: DicomDataset): boolean {
  return dataset.items(EQUIPMENT).some((item) => {
    const maker = legible(() => item.string('Manufacturer'));
    const contribution = legible(() => item.string(CONTRIBUTION));
    return maker === OWN_MANUFACTURER && contribution?.startsWith(OWN_CONTRIBUTION) === true;
  });
}

/** That which was asked for before that which was done; each once. */
function procedureCodes(dataset: DicomDataset): string[] {
  const requested = [dataset, ...dataset.items(REQUEST)];
  const items = [
    ...requested.flatMap((each) => each.items(REQUESTED_CODES)),
    ...dataset.items(PROCEDURE_CODES),
  ];
  const codes = items.flatMap((item) => {
    const scheme = legible(() => item.string(SCHEME)) ?? '';
    const code = CODES.map((tag) => legible(() => item.string(tag))).find(Boolean);
    return code === undefined ? [] : [`${scheme}:${code}`.slice(0, TEXT_LENGTH_MAX)];
  });
  return [...new Set(codes)].slice(0, VALUES_MAX);
}

function legible<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof AifiError && error.code === 'DICOM_MALFORMED') return undefined;
    throw error;
  }
}
