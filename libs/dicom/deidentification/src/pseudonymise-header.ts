/**
 * The pseudonymisation engine: a dataset in, a dataset without identity out.
 * Decides attribute by attribute from the keep-list and the VR; builds a new dataset instead of
 * editing the old one, so that what nobody decided cannot survive.
 * Invariants: pure and deterministic; every sequence item goes through the same table; every UID
 * that is not of the standard is remapped; every date is shifted or emptied.
 * Source: PS3.15 E.1.1; pseudonymisation specification 1.2.
 */
import { DicomDataset, unpadded, vrOf, type DicomElement } from '@aifi/dicom-core';
import { AifiError, isUid, ok, refuse, type OriginalUid, type Result } from '@aifi/shared-kernel';
import type { PseudonymousUid } from '@aifi/shared-kernel';
import type { DeidentificationContext, UidMap } from './deidentification-context.js';
import * as derive from './derivations.js';
import { KEEP_LISTS, type KeepList } from './keep-list.js';
import { addMarkers } from './markers.js';
import { refusalOf } from './refusals.js';
import { cleanDescriptor } from './vocabulary.js';

export interface PseudonymisedHeader {
  /** All attributes of the output but the pixel data; text is ISO_IR 192. */
  readonly dataset: DicomDataset;
  readonly uids: UidMap;
}

/** UIDs of the standard itself: SOP classes, transfer syntaxes, well-known frames (PS3.6 A). */
const WELL_KNOWN_ROOT = '1.2.840.10008.';
const TEXT_VRS = new Set(['LO', 'LT', 'SH', 'ST', 'UT']);
const CODE_STRING_VRS = new Set(['CS', 'DS', 'IS']);
const BINARY_VRS = new Set('AT FL FD SL SS UL US OB OD OF OL OV OW'.split(' '));
// PS3.5 6.2, DS and IS: one number, or nothing. Phone numbers and record numbers do not pass.
const NUMERIC_TEXT = /^ *([+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)? *$/;
/** DS has 16, IS 12; a long gap would keep the pattern busy for minutes. @unit characters */
const NUMERIC_LENGTH_MAX = 64;
// PS3.5 6.2, TM: hours, then minutes, seconds, fraction.
const TIME = /^\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?$/;

interface Walk {
  readonly context: DeidentificationContext;
  readonly list: KeepList;
  readonly offsetDays: number;
  readonly pseudonym: string;
  readonly studyId: string;
  readonly uids: Map<PseudonymousUid, OriginalUid>;
}

/**
 * Pseudonymises the header of one instance.
 * Refuses QUARANTINED_IDENTIFIER or QUARANTINED_PIXELS; never throws for what a sender may send.
 */
export function pseudonymiseHeader(
  dataset: DicomDataset,
  context: DeidentificationContext,
): Result<PseudonymisedHeader> {
  try {
    const refusal = refusalOf(dataset);
    if (refusal) return refusal;
    const patient = derive.patientKey(dataset)!;
    const walk: Walk = {
      context,
      list: KEEP_LISTS.get(dataset.string('SOPClassUID')!)!,
      offsetDays: derive.dateOffsetDays(patient, context),
      pseudonym: derive.patientPseudonym(patient, context),
      studyId: derive.studyIdPseudonym(dataset.string('StudyInstanceUID')!, context),
      uids: new Map(),
    };
    const output = cleaned(dataset, walk);
    completePatientAndStudy(output, walk);
    addMarkers(output);
    return ok({ dataset: output, uids: walk.uids });
  } catch (error) {
    if (AifiError.from(error).code !== 'DICOM_MALFORMED') throw error;
    return refuse('QUARANTINED_IDENTIFIER', 'a kept attribute does not decode');
  }
}

/** Attributes that every output has, whether or not the input had them. */
function completePatientAndStudy(output: DicomDataset, walk: Walk): void {
  output
    .setString('SpecificCharacterSet', 'ISO_IR 192')
    .setString('PatientName', walk.pseudonym)
    .setString('PatientID', walk.pseudonym)
    .setString('StudyID', walk.studyId);
  for (const keyword of ['PatientBirthDate', 'AccessionNumber', 'ReferringPhysicianName']) {
    output.setString(keyword, '');
  }
}

function cleaned(input: DicomDataset, walk: Walk): DicomDataset {
  const output = new DicomDataset();
  for (const element of input) {
    const action = walk.list.get(element.tag);
    if (action === undefined || !hasStandardVr(element)) continue;
    if (action === 'Z') emptied(output, element);
    else if (action === 'D') substituted(output, element, input);
    else if (action === 'C') described(output, element, input);
    else kept(output, element, input, walk);
  }
  return output;
}

/** A kept attribute has the VR of the dictionary: a date declared as text would pass unshifted. */
function hasStandardVr({ tag, vr }: DicomElement): boolean {
  const standard = vrOf(tag);
  if (standard === vr) return true;
  // PS3.6 leaves these open ("US or SS", "OB or OW").
  return (standard === 'US' && vr === 'SS') || (standard === 'OW' && (vr === 'US' || vr === 'OB'));
}

function emptied(output: DicomDataset, { tag, vr }: DicomElement): void {
  output.put({ tag, vr, value: vr === 'SQ' ? [] : new Uint8Array(0) });
}

/**
 * Action D below the top level removes; at the top `completePatientAndStudy` puts our own value.
 */
function substituted(output: DicomDataset, { tag, vr }: DicomElement, input: DicomDataset): void {
  if (vr !== 'AS') return;
  const age = /^(\d{3})([DWMY])$/.exec(input.string(tag) ?? '');
  if (!age) return;
  // Ages over 90 years are rare enough to identify.
  const isOld = age[2] === 'Y' && Number(age[1]) > 90;
  output.setString(tag, isOld ? '090Y' : age[0]);
}

function described(output: DicomDataset, element: DicomElement, input: DicomDataset): void {
  const text = cleanDescriptor(input.strings(element.tag).join(' '));
  if (text !== '') output.setString(element.tag, text);
}

function kept(output: DicomDataset, element: DicomElement, input: DicomDataset, walk: Walk): void {
  const { tag, vr, value } = element;
  if (!(value instanceof Uint8Array)) {
    output.setItems(
      tag,
      value.map((item) => cleaned(item, walk)),
    );
  } else if (vr === 'UI') {
    output.setStrings(
      tag,
      input.strings(tag).map((uid) => remapped(uid, walk)),
      vr,
    );
  } else if (vr === 'DA' || vr === 'DT') {
    const shift = vr === 'DA' ? derive.shiftDate : derive.shiftDateTime;
    const shifted = input.strings(tag).map((text) => shift(text, walk.offsetDays));
    // One invalid value empties all: half a list of dates would change its meaning.
    output.setStrings(tag, shifted.every((text) => text !== undefined) ? shifted : [], vr);
  } else if (vr === 'TM') {
    const times = input.strings(tag);
    output.setStrings(tag, times.every((text) => TIME.test(text)) ? times : [], vr);
  } else if (TEXT_VRS.has(vr)) {
    output.setStrings(tag, input.strings(tag), vr);
  } else if (CODE_STRING_VRS.has(vr)) {
    output.put({ tag, vr, value: codeString(value, vr) });
  } else if (BINARY_VRS.has(vr)) {
    output.put(element);
  }
}

/** Code and number strings as they are, if they are of the default repertoire (PS3.5 6.2). */
function codeString(value: Uint8Array, vr: string): Uint8Array {
  if (value.some((byte) => byte > 0x7e)) {
    throw new AifiError('DICOM_MALFORMED', 'a code string is not ASCII');
  }
  if (vr === 'CS') return value;
  const texts = unpadded(Buffer.from(value).toString('latin1')).split('\\');
  return texts.every((text) => text.length <= NUMERIC_LENGTH_MAX && NUMERIC_TEXT.test(text))
    ? value
    : new Uint8Array(0);
}

function remapped(uid: string, walk: Walk): string {
  if (uid.startsWith(WELL_KNOWN_ROOT) || !isUid(uid)) return isUid(uid) ? uid : '';
  const pseudonym = derive.pseudonymousUidOf(uid, walk.context);
  walk.uids.set(pseudonym, uid as OriginalUid);
  return pseudonym;
}
