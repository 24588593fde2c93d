/**
 * One result object: pseudonymous UIDs, dates and modules out, the patient's own in.
 * Decides the order: UIDs, dates, modules, then the check of the bytes that will be sent. Pixel
 * bytes are copied. Results are small (reports, captures of a megapixel, one bit a voxel), so that
 * an object is held whole: the check reads all of it anyway.
 * Invariants: equal object, plan and identity give equal bytes; a new identity changes nothing but
 * the identity. Source: results specification 4.1; reliability specification P6.
 */
import {
  decodePart10,
  DicomDataset,
  elementHeader,
  encodeDataset,
  encodeFileMeta,
  encodingOf,
  UNDEFINED_LENGTH,
  type Part10File,
} from '@aifi/dicom-core';
import {
  DEIDENTIFICATION_TAGS,
  DEIDENTIFYING_EQUIPMENT,
  IDENTITY_KEYWORDS,
  LAST_TAG_OF_A_RESULT,
  PATIENT_GROUP,
} from '@aifi/dicom-deidentification';
import { AifiError, ok, refuse, type Result } from '@aifi/shared-kernel';
import { mapUids, type FinalUid } from './map-uids.js';
import { checkContent, checkObject, pseudonymsOf, TYPE_2 } from './result-check.js';
import { moveToZone, restoreDates, type DateRules } from './result-dates.js';
import { transcodeText } from './result-text.js';

const TEXT_DOES_NOT_FIT = refuse(
  'OUTPUT_INVALID',
  'text of a result does not fit the character set of the study',
);

export interface ReidentificationPlan {
  readonly finalUid: FinalUid;
  /** True for every UID that only the hub may see. */
  readonly isPseudonymous: (uid: string) => boolean;
  readonly dates: DateRules;
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
  const { characterSets } = mapped;
  for (const tag of DEIDENTIFICATION_TAGS) mapped.delete(tag);
  dropDeidentifier(mapped);
  replaceIdentity(mapped, plan.identity);
  // Its dates are true already.
  const made = withoutIdentity(mapped);
  const restored = restoreDates(made, plan.dates);
  if (!restored.ok) return restored;
  moveToZone(made, plan.dates);
  // The original's character set is declared: text of the hub must read the same under it.
  if (!transcodeText(made, characterSets, plan.identity.characterSets)) return TEXT_DOES_NOT_FIT;
  for (const element of made) mapped.put(element);
  const uids = {
    sopClassUid: mapped.string('SOPClassUID') ?? '',
    seriesInstanceUid: mapped.string('SeriesInstanceUID') ?? '',
    sopInstanceUid: mapped.string('SOPInstanceUID') ?? '',
  };
  if (Object.values(uids).includes('')) return refuse('OUTPUT_INVALID', 'a result without UIDs');
  const object = { dataset: mapped, bytes: encoded(source, bytes, mapped) };
  const pseudonyms = pseudonymsOf(source.dataset);
  const checked = checkObject(object, pseudonyms, plan.isPseudonymous);
  if (!checked.ok) return checked;
  const content = checkContent(mapped);
  return content.ok ? ok({ ...uids, bytes: object.bytes }) : content;
}

/**
 * The same object with another identity: what a merge or a correction makes of a result, or of a
 * status object, that waits. Gives the very bytes that re-identification with that identity gives;
 * what it says was checked when it was made.
 */
export function withIdentity(bytes: Uint8Array, identity: DicomDataset): Result<Buffer> {
  const parsed = parsedObject(bytes);
  if (!parsed.ok) return parsed;
  const { dataset } = parsed.value;
  if (dataset.string('StudyInstanceUID') !== identity.string('StudyInstanceUID')) {
    return refuse('IDENTITY_MISMATCH', 'an identity of another study');
  }
  const { characterSets } = dataset;
  replaceIdentity(dataset, identity);
  const made = withoutIdentity(dataset);
  if (!transcodeText(made, characterSets, identity.characterSets)) return TEXT_DOES_NOT_FIT;
  for (const element of made) dataset.put(element);
  const anew = encoded(parsed.value, bytes, dataset);
  const checked = checkObject({ dataset, bytes: anew }, [], () => false);
  return checked.ok ? ok(anew) : checked;
}

/** No patient attribute of before survives: a pseudonymised age, for example, is not the age. */
function replaceIdentity(dataset: DicomDataset, identity: DicomDataset): void {
  for (const keyword of IDENTITY_KEYWORDS) dataset.delete(keyword);
  for (const { tag } of [...dataset]) {
    if (tag >>> 16 === PATIENT_GROUP || tag > LAST_TAG_OF_A_RESULT) dataset.delete(tag);
  }
  for (const keyword of TYPE_2) dataset.setString(keyword, '');
  for (const element of identity) dataset.put(element);
}

function withoutIdentity(dataset: DicomDataset): DicomDataset {
  const copy = new DicomDataset();
  for (const element of dataset) copy.put(element);
  for (const keyword of IDENTITY_KEYWORDS) copy.delete(keyword);
  return copy;
}

/** The gateway that took the identity out had no part in the result. */
function dropDeidentifier(dataset: DicomDataset): void {
  const items = dataset.items('ContributingEquipmentSequence');
  const others = items.filter((item) => {
    const [purpose] = item.items('PurposeOfReferenceCodeSequence');
    return purpose?.string('CodeValue') !== DEIDENTIFYING_EQUIPMENT;
  });
  if (others.length < items.length) dataset.setItems('ContributingEquipmentSequence', others);
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

function encoded(source: Part10File, bytes: Uint8Array, dataset: DicomDataset): Buffer {
  const { transferSyntaxUid } = source.meta;
  const encoding = encodingOf(transferSyntaxUid);
  const parts: Uint8Array[] = [
    encodeFileMeta({
      sopClassUid: dataset.string('SOPClassUID') ?? '',
      sopInstanceUid: dataset.string('SOPInstanceUID') ?? '',
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
