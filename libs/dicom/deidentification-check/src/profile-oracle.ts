/**
 * The second oracle: what Table E.1-1 allows an attribute to hold, read without the engine.
 * Decides per element of an output, from the row of the standard and the options that the output
 * itself claims. Invariant: a row whose action is not lifted by a claimed option holds nothing, or
 * a value that is known to be nobody's. Source: PS3.15 E.1, E.3; specification 2.2 (h).
 */
import { tagOf } from '@aifi/dicom-core';
import { CONFIDENTIALITY_PROFILE } from '@aifi/dicom-deidentification';
import { isCleanDescriptor } from './descriptor-words.js';
import { failed, type ObjectFinding } from './finding.js';
import type { Place } from './object-walk.js';
import { isForeignUid } from './uid-form.js';

export type PatientCharacteristic = 'age' | 'sex' | 'size' | 'weight' | 'pregnancy';

export interface ProfileRow {
  readonly action: string;
  readonly isDescriptor: boolean;
  readonly isDate: boolean;
  readonly isPatientCharacteristic: boolean;
}
/** Rows of single attributes; repeating groups and private attributes have checks of their own. */
export const PROFILE: ReadonlyMap<number, ProfileRow> = new Map(
  CONFIDENTIALITY_PROFILE.filter(([hex]) => /^[0-9A-F]{8}$/.test(hex)).map(
    ([hex, , action, options]): [number, ProfileRow] => [
      Number.parseInt(hex, 16),
      {
        action,
        isDescriptor: options.includes('descriptors=C'),
        isDate: options.includes('modifiedDates=C'),
        isPatientCharacteristic: options.includes('patient=K'),
      },
    ],
  ),
);

/** What an output claims, and what the reader of the report knows of its product. */
export interface Claims {
  /** Code values of De-identification Method Code Sequence. */
  readonly codes: ReadonlySet<string>;
  readonly retain: ReadonlySet<PatientCharacteristic>;
}

const CHARACTERISTICS: ReadonlyMap<number, readonly [PatientCharacteristic, RegExp]> = new Map([
  [tagOf('PatientAge'), ['age', /^(0[0-8]\dY|090Y|[0-2]\d\dM|\d{3}[DW])$/]],
  [tagOf('PatientSex'), ['sex', /^[MFO]$/]],
  [tagOf('PatientSize'), ['size', /^\d?(\.\d+)?$|^\d\.?$/]],
  [tagOf('PatientWeight'), ['weight', /^\d{1,3}(\.\d*)?$/]],
  [tagOf('PregnancyStatus'), ['pregnancy', /^[1-4]$/]],
]);
const PATIENT_NAMES = new Set(['PatientName', 'PatientID'].map(tagOf));
const STUDY_ID = tagOf('StudyID');
/** Patient ID of an output: code of the site, then 128 bits in base32. */
export const PATIENT_PSEUDONYM = /^[A-Z0-9][A-Z0-9-]{0,31}-[0-9A-HJKMNP-TV-Z]{26}$/;
export const STUDY_ID_PSEUDONYM = /^[0-9A-HJKMNP-TV-Z]{16}$/;
/** Dummies that say nothing of anybody, for attributes that may not be empty (action D). */
const DUMMIES = new Set(['ANONYMIZED', 'NONE', 'PSEUDONYMISED', 'REMOVED', 'UNKNOWN', '0']);

/** The finding of one element of the output, or undefined when the table allows it. */
export function profileFinding(place: Place, claims: Claims): ObjectFinding | undefined {
  const { element, dataset, path, depth } = place;
  const row = PROFILE.get(element.tag);
  if (!row || element.value.length === 0) return undefined;
  if (!(element.value instanceof Uint8Array)) {
    // Action U on a sequence: kept for its UIDs, which are looked at one by one.
    return row.action.includes('U') ? undefined : failed('profile.action', path);
  }
  const texts = dataset.strings(element.tag);
  if (PATIENT_NAMES.has(element.tag) || element.tag === STUDY_ID) {
    const form = element.tag === STUDY_ID ? STUDY_ID_PSEUDONYM : PATIENT_PSEUDONYM;
    const isOurs = depth === 0 && texts.length === 1 && form.test(texts[0]!);
    return isOurs ? undefined : failed('profile.pseudonym', path);
  }
  if (element.vr === 'UI') {
    return texts.some(isForeignUid) ? failed('uid.form', path) : undefined;
  }
  if (isLifted(place, row, claims)) return undefined;
  if (row.isDescriptor && claims.codes.has('113105')) {
    const isClean = /^(SH|LO|ST|LT|UT|UC|CS)$/.test(element.vr) && texts.every(isCleanDescriptor);
    return isClean ? undefined : failed('profile.descriptor', path);
  }
  const isDummy = row.action.includes('D') && texts.every((text) => DUMMIES.has(text));
  return isDummy ? undefined : failed('profile.action', path);
}

/**
 * Dates and times that images need: of study, series, acquisition, image and frame. The option
 * allows more rows, but nobody needs to know when a patient was admitted or a device calibrated.
 */
const DATES_OF_IMAGES = new Set(
  `StudyDate StudyTime SeriesDate SeriesTime AcquisitionDate AcquisitionTime ContentDate ContentTime
   AcquisitionDateTime FrameAcquisitionDateTime FrameReferenceDateTime`
    .split(/\s+/)
    .map(tagOf),
);

/**
 * Whether an option that the output claims lets this value stay (dates: their shift is
 * checked).
 */
function isLifted({ element, dataset }: Place, row: ProfileRow, claims: Claims): boolean {
  if (row.isDate && claims.codes.has('113107') && DATES_OF_IMAGES.has(element.tag)) return true;
  const characteristic = CHARACTERISTICS.get(element.tag);
  if (!row.isPatientCharacteristic || !characteristic || !claims.codes.has('113108')) return false;
  const [name, form] = characteristic;
  const texts = element.vr === 'US' ? dataset.numbers(element.tag) : dataset.strings(element.tag);
  const text = texts.join('\\');
  return claims.retain.has(name) && form.test(text);
}
