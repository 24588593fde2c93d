/**
 * One result object: pseudonymous UIDs and modules out, the patient's current ones in.
 * Decides the fate of every UID in the object. Invariants: a UID is minted by the hub (and listed),
 * in the vault, a device's, or of the standard; any other means quarantine. Pixel bytes are copied.
 * Source: results specification 4.1.1, 4.1.2; reliability specification "UIDs that the hub mints".
 */
import {
  decodePart10,
  DicomDataset,
  elementHeader,
  encodeDataset,
  encodeFileMeta,
  encodingOf,
  UNDEFINED_LENGTH,
  type DicomElement,
  type Part10File,
} from '@aifi/dicom-core';
import { IDENTITY_KEYWORDS } from '@aifi/gateway-vault';
import { AifiError, ok, refuse, type Result } from '@aifi/shared-kernel';

/** A result is a clinical object: the markers of de-identification go (results 4.1.2). */
const DEIDENTIFICATION_TAGS = [0x00120062, 0x00120063, 0x00120064, 0x00280303] as const;
const DEVICE_UID = 0x00181002;
const CONTENT_UID = 0x0040a124;
const DEVICE_OBSERVER_UID = '121012';
const STANDARD_ROOT = '1.2.840.10008.';
const PATIENT_GROUP = 0x0010;
/** What follows pixel data is padding, or a signature that no longer holds (PS3.3 C.12.1.1.3). */
const PIXEL_DATA = 0x7fe00010;
const TEXT_VRS: ReadonlySet<string> = new Set(['LO', 'LT', 'PN', 'SH', 'ST', 'UC', 'UT']);

export interface ReidentificationPlan {
  /** The final UID for a pseudonymous one, or undefined when its origin is unknown. */
  readonly finalUid: (uid: string) => string | undefined;
  /** Patient and Study module of the current identity, byte-equal to the original. */
  readonly identity: DicomDataset;
}
export interface ReidentifiedObject {
  readonly bytes: Buffer;
  readonly sopClassUid: string;
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
}

/** The re-identified Part 10 file of one result object. */
export function reidentifyObject(
  bytes: Uint8Array,
  plan: ReidentificationPlan,
): Result<ReidentifiedObject> {
  const parsed = parsedObject(bytes);
  if (!parsed.ok) return parsed;
  const source = parsed.value;
  const mapped = mapUids(source.dataset, plan.finalUid);
  if (!mapped) return refuse('IDENTITY_MISMATCH', 'a UID of unknown origin');
  // A study UID that the hub minted, or one of another study, would pass the mapping.
  if (mapped.string('StudyInstanceUID') !== plan.identity.string('StudyInstanceUID')) {
    return refuse('IDENTITY_MISMATCH', 'a result of another study');
  }
  for (const keyword of IDENTITY_KEYWORDS) mapped.delete(keyword);
  for (const tag of DEIDENTIFICATION_TAGS) mapped.delete(tag);
  for (const { tag } of [...mapped]) {
    // No patient attribute of the hub survives: a pseudonymised age, for example, is not the age.
    if (tag >>> 16 === PATIENT_GROUP || tag > PIXEL_DATA) mapped.delete(tag);
  }
  // The original's character set will be declared: text of the hub must read the same under it.
  if (!isAscii(mapped)) return refuse('OUTPUT_INVALID', 'text of a result is not ASCII');
  for (const element of plan.identity) mapped.put(element);
  const uids = {
    sopClassUid: mapped.string('SOPClassUID') ?? '',
    seriesInstanceUid: mapped.string('SeriesInstanceUID') ?? '',
    sopInstanceUid: mapped.string('SOPInstanceUID') ?? '',
  };
  if (Object.values(uids).includes('')) return refuse('OUTPUT_INVALID', 'a result without UIDs');
  return ok({ ...uids, bytes: encoded(source, bytes, mapped) });
}

function isAscii(dataset: DicomDataset): boolean {
  return [...dataset].every(({ vr, value }) =>
    value instanceof Uint8Array
      ? !TEXT_VRS.has(vr) || value.every((byte) => byte < 0x7f && byte !== 0x1b)
      : value.every(isAscii),
  );
}

function parsedObject(bytes: Uint8Array): Result<Part10File> {
  try {
    return ok(decodePart10(bytes));
  } catch (error) {
    const { code } = AifiError.from(error);
    if (code !== 'DICOM_MALFORMED' && code !== 'LIMIT_EXCEEDED') throw error;
    return refuse('OUTPUT_INVALID', 'a result object does not parse');
  }
}

/** A copy with every UID replaced, at any depth; undefined when one has no known origin. */
function mapUids(
  dataset: DicomDataset,
  finalUid: ReidentificationPlan['finalUid'],
): DicomDataset | undefined {
  const result = new DicomDataset();
  const isDeviceItem = conceptCode(dataset) === DEVICE_OBSERVER_UID;
  for (const element of dataset) {
    const mapped = mapElement(element, isDeviceItem, finalUid);
    if (!mapped) return undefined;
    result.put(mapped);
  }
  return result;
}

function mapElement(
  element: DicomElement,
  isDeviceItem: boolean,
  finalUid: ReidentificationPlan['finalUid'],
): DicomElement | undefined {
  const { tag, vr, value } = element;
  if (!(value instanceof Uint8Array)) {
    const items = value.map((item) => mapUids(item, finalUid));
    return items.includes(undefined) ? undefined : { tag, vr, value: items as DicomDataset[] };
  }
  const isDevice = tag === DEVICE_UID || (tag === CONTENT_UID && isDeviceItem);
  if (vr !== 'UI' || isDevice || value.length === 0) return element;
  const holder = new DicomDataset().put(element);
  const uids = holder
    .strings(tag)
    .map((uid) => (uid.startsWith(STANDARD_ROOT) ? uid : finalUid(uid)));
  if (uids.includes(undefined)) return undefined;
  return holder.setStrings(tag, uids as string[], 'UI').get(tag);
}

function conceptCode(item: DicomDataset): string | undefined {
  return item.items('ConceptNameCodeSequence')[0]?.string('CodeValue');
}

function encoded(source: Part10File, bytes: Uint8Array, dataset: DicomDataset): Buffer {
  const { transferSyntaxUid } = source.meta;
  const encoding = encodingOf(transferSyntaxUid);
  const parts: Uint8Array[] = [
    encodeFileMeta({
      sopClassUid: dataset.string('SOPClassUID')!,
      sopInstanceUid: dataset.string('SOPInstanceUID')!,
      transferSyntaxUid,
    }),
    encodeDataset(dataset, encoding),
  ];
  const pixels = source.pixelData;
  if (pixels) {
    const length = pixels.encapsulated ? UNDEFINED_LENGTH : pixels.valueLength;
    const offset = source.datasetOffset + pixels.valueOffset;
    parts.push(
      elementHeader(pixels.tag, pixels.vr, length, encoding),
      bytes.subarray(offset, offset + pixels.valueLength),
    );
  }
  return Buffer.concat(parts);
}
