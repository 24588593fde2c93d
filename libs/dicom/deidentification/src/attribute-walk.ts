/**
 * The walk over a dataset: every attribute, at every depth, by the keep-list and by its VR.
 * Decides what becomes of each attribute. Invariants: every sequence item goes through the same
 * table; every UID that is not of the standard is remapped; every date is shifted or emptied; an
 * attribute whose VR is not the one of the standard is read as that or dropped; every kept text
 * goes through the identifier sweep; codes, numbers, times and binary values have the form that the
 * standard gives them.
 * Source: PS3.15 E.1 (action codes), E.1.1; PS3.5 6.2; pseudonymisation specification 1.2.
 */
import { DicomDataset, tagOf, unpadded, type DicomElement } from '@aifi/dicom-core';
import { AifiError, isUid, type OriginalUid } from '@aifi/shared-kernel';
import type { PseudonymousUid } from '@aifi/shared-kernel';
import type { ActionReport, ReportedAction } from './action-report.js';
import type { AttributeMemo } from './attribute-memo.js';
import { isPlausibleBinary } from './binary-values.js';
import { cleanedCodes } from './code-strings.js';
import { cleanCodedItem, isPartOfCode } from './coded-item.js';
import type { DeidentificationContext } from './deidentification-context.js';
import * as derive from './derivations.js';
import { IdentifierFound, type IdentifierSweep } from './identifier-sweep.js';
import type { Action, KeepList } from './keep-list.js';
import { decimalText, integerText, isTimeOfDay } from './number-texts.js';
import { profileCodeOf } from './profile-row.js';
import { standardElement } from './standard-element.js';
import { isOfStandard } from './standard-uids.js';
import { cleanDescriptor } from './vocabulary.js';

export interface Walk {
  readonly context: DeidentificationContext;
  readonly list: KeepList;
  /** @unit days */
  readonly offsetDays: number;
  /** Age to write; undefined when it is not known. */
  readonly age: string | undefined;
  /** Burned In Annotation will say NO. */
  readonly isExamined: boolean;
  /** Frames with functional groups: most codes and numbers have to have a value. */
  readonly isEnhanced: boolean;
  readonly uids: Map<PseudonymousUid, OriginalUid>;
  readonly sweep: Pick<IdentifierSweep, 'check' | 'isKnownNumber'>;
  /** Of the attributes of the header itself, not of items. */
  readonly memo: AttributeMemo;
  readonly report: ActionReport | undefined;
}

const TEXT_VRS = new Set(['LO', 'LT', 'SH', 'ST', 'UT']);
const NUMBER_TEXT_VRS = new Set(['DS', 'IS']);
/** Type 2 or 3 in an object without functional groups (PS3.3 C.7.3.1, C.7.6.1). */
const COUNTERS: ReadonlySet<number> = new Set(
  ['SeriesNumber', 'AcquisitionNumber', 'InstanceNumber', 'ImagesInAcquisition'].map(tagOf),
);
/** Our values where one has to stand: recognisable as ours, and of nobody. */
const DUMMY_TEXT = 'REMOVED';
const DUMMIES: Readonly<Record<string, string>> = {
  ...{ LO: DUMMY_TEXT, SH: DUMMY_TEXT, DA: '19000101', DT: '19000101000000', TM: '000000' },
};
const PATIENT_AGE = 0x00101010;
const BURNED_IN_ANNOTATION = 0x00280301;
/** `completePatientAndStudy` puts our own value in place of these. */
const OURS = new Set([0x00080005, 0x00100010, 0x00100020, 0x00200010]);

export function cleanedDataset(
  input: DicomDataset,
  walk: Walk,
  path: readonly number[],
): DicomDataset {
  const output = new DicomDataset();
  for (const received of input) {
    const action = walk.list.get(received.tag);
    const done = action ? decided(received, action, { input, output, walk, path }) : 'removed';
    walk.report?.(received.tag, path, done);
  }
  return output;
}

/** As the memo has it, or anew. */
function decided(
  received: DicomElement,
  action: Action,
  around: Omit<Step, 'element'>,
): ReportedAction {
  const { input, output, walk, path } = around;
  const { memo, sweep } = walk;
  if (path.length > 0 || !memo.isFor(received)) return decidedAnew(received, action, around);
  const before = memo.find(received);
  if (before) {
    for (const text of before.texts) sweep.check(text, received.tag);
    if (before.output) output.put(before.output);
    return before.done;
  }
  const texts: string[] = [];
  const listening: Walk['sweep'] = {
    check: (text, tag) => {
      sweep.check(text, tag);
      texts.push(text);
    },
    isKnownNumber: (text, tag) => sweep.isKnownNumber(text, tag),
  };
  const listened = { ...walk, sweep: listening };
  const done = decidedAnew(received, action, { input, output, path, walk: listened });
  memo.keep({ received, done, output: output.get(received.tag), texts });
  return done;
}

function decidedAnew(
  received: DicomElement,
  action: Action,
  around: Omit<Step, 'element'>,
): ReportedAction {
  const element = standardElement(received, around.input);
  return element ? carryOut(action, { ...around, element }) : 'removed';
}

interface Step {
  readonly element: DicomElement;
  readonly input: DicomDataset;
  readonly output: DicomDataset;
  readonly walk: Walk;
  readonly path: readonly number[];
}

function carryOut(action: Action, step: Step): ReportedAction {
  const { element, output } = step;
  if (action === 'Z') return emptied(output, element);
  if (action === 'D') return substituted(step);
  if (action === 'C') return described(step);
  return kept(step);
}

function emptied(output: DicomDataset, { tag, vr }: DicomElement): 'emptied' {
  output.put({ tag, vr, value: vr === 'SQ' ? [] : new Uint8Array(0) });
  return 'emptied';
}

function substituted({ element: { tag, vr }, output, walk, path }: Step): ReportedAction {
  if (tag === PATIENT_AGE) return path.length === 0 && walk.age ? 'replaced' : 'removed';
  // The value of a nested one would be that of another object: it goes.
  if (OURS.has(tag)) return path.length === 0 ? 'replaced' : 'removed';
  if (tag === BURNED_IN_ANNOTATION) {
    return path.length === 0 && walk.isExamined ? 'replaced' : 'removed';
  }
  const dummy = DUMMIES[vr];
  if (dummy === undefined) return 'removed';
  output.setString(tag, dummy, vr);
  return 'replaced';
}

function described({ element, input, output }: Step): ReportedAction {
  const text = cleanDescriptor(textsOf(element, input).join(' '));
  if (text !== '') output.setString(element.tag, text, element.vr);
  // PS3.15 Table E.1-1: what may not be absent stays, without a value.
  else if (profileCodeOf(element.tag).startsWith('Z')) return emptied(output, element);
  else return 'removed';
  return 'cleaned';
}

function kept(step: Step): ReportedAction {
  const { element, input, output, walk, path } = step;
  const { tag, vr, value } = element;
  if (!(value instanceof Uint8Array)) {
    const inner = [...path, tag];
    output.setItems(
      tag,
      value.map((item) => cleanCodedItem(cleanedDataset(item, walk, inner))),
    );
    return 'kept';
  }
  // A code outside of an item is one of nothing.
  if (path.length === 0 && isPartOfCode(tag)) return 'removed';
  if (vr === 'UI') return remappedAll(step);
  if (vr === 'DA' || vr === 'DT') {
    const shift = vr === 'DA' ? derive.shiftDate : derive.shiftDateTime;
    const shifted = textsOf(element, input).map((text) => shift(text, walk.offsetDays));
    // One invalid value empties all: half a list of dates would change its meaning.
    if (!shifted.every((text) => text !== undefined)) return emptied(output, element);
    output.setStrings(tag, shifted, vr);
    return 'shifted';
  }
  if (vr === 'TM') {
    const times = textsOf(element, input);
    if (!times.every(isTimeOfDay)) return emptied(output, element);
    output.setStrings(tag, times, vr);
    return 'kept';
  }
  if (TEXT_VRS.has(vr)) {
    const texts = textsOf(element, input);
    for (const text of texts) walk.sweep.check(text, tag);
    output.setStrings(tag, texts, vr);
    return 'kept';
  }
  if (vr === 'CS') return keptCode(element, walk, output);
  if (NUMBER_TEXT_VRS.has(vr)) return keptNumber(element, walk, output);
  if (!isPlausibleBinary(element, input)) return 'removed';
  output.put(element);
  return 'kept';
}

/** Text values of an element as the standard reads it, in the character set of its dataset. */
function textsOf(element: DicomElement, input: DicomDataset): string[] {
  const { tag } = element;
  if (input.get(tag) === element) return input.strings(tag);
  const holder = new DicomDataset();
  holder.inheritCharacterSets(input);
  return holder.put(element).strings(tag);
}

function asciiText(value: Uint8Array): string {
  for (let at = 0; at < value.length; at += 1) {
    if (value[at]! > 0x7e) throw new AifiError('DICOM_MALFORMED', 'a code string is not ASCII');
  }
  const { buffer, byteOffset, byteLength } = value;
  return unpadded(Buffer.from(buffer, byteOffset, byteLength).toString('latin1'));
}

/** Code strings as they are, if they are codes (PS3.5 6.2). */
function keptCode(element: DicomElement, walk: Walk, output: DicomDataset): ReportedAction {
  const { tag, vr, value } = element;
  const codes = asciiText(value as Uint8Array).split('\\');
  const cleaned = cleanedCodes(tag, codes, walk.isEnhanced);
  if (cleaned === undefined) throw new IdentifierFound(tag);
  for (const code of cleaned) walk.sweep.check(code, tag);
  if (cleaned === codes) {
    output.put(element);
    return 'kept';
  }
  if (cleaned.every((code) => code === '')) return emptied(output, element);
  output.setStrings(tag, cleaned, vr);
  return cleaned.join('\\') === codes.join('\\') ? 'kept' : 'cleaned';
}

function keptNumber(element: DicomElement, walk: Walk, output: DicomDataset): ReportedAction {
  const { tag, vr, value } = element;
  const received = asciiText(value as Uint8Array).split('\\');
  const written = received.map(vr === 'IS' ? integerText : decimalText);
  const texts = written.filter((text) => text !== undefined);
  if (texts.length < received.length) return emptied(output, element);
  if (texts.some((text) => walk.sweep.isKnownNumber(text, tag))) {
    // A count may be empty; a measure may not, and an image with a wrong one is worse than none.
    if (walk.isEnhanced || !COUNTERS.has(tag)) throw new IdentifierFound(tag);
    return emptied(output, element);
  }
  const isSame = texts.every((text, i) => text === received[i]);
  if (isSame) output.put(element);
  else output.setStrings(tag, texts, vr);
  return isSame ? 'kept' : 'cleaned';
}
function remappedAll({ element, input, output, walk }: Step): ReportedAction {
  const uids = textsOf(element, input);
  const { tag } = element;
  const mapped = uids.map((uid) => (isOfStandard(tag, uid) ? uid : remapped(uid, walk)));
  output.setStrings(element.tag, mapped, 'UI');
  return mapped.every((uid, i) => uid === uids[i]) ? 'kept' : 'remapped';
}

function remapped(uid: string, walk: Walk): string {
  if (!isUid(uid)) return '';
  const pseudonym = derive.pseudonymousUidOf(uid, walk.context);
  walk.uids.set(pseudonym, uid as OriginalUid);
  return pseudonym;
}
