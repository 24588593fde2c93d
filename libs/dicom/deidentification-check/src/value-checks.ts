/**
 * Values beside their originals: dates, UIDs and what is kept.
 * Decides that all dates of an object moved by the same whole number of days, that a UID is a new
 * one, and that what neither is a date nor in the table of the standard is what it was.
 * Source: PS3.15 E.3.6; pseudonymisation specification 1.3, 2.2 (f, g, h).
 */
import { tagOf } from '@aifi/dicom-core';
import { failed, type ObjectFinding } from './finding.js';
import { originalOf, type Place } from './object-walk.js';
import { PROFILE } from './profile-oracle.js';
import { isForeignUid, isStandardUid } from './uid-form.js';

const DAY_MS = 86_400_000;
const SHIFT_DAYS_MAX = 3650;
const DT = /^(\d{4})(\d{2})?(\d{2})?((?:\d{2}){0,2}|\d{6}(?:\.\d{1,6})?)([+-]\d{4})?$/;
const TM = /^\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?$/;
/** Our own words, or changed on purpose. */
const WRITTEN_ANEW = new Set(
  `SpecificCharacterSet PatientIdentityRemoved DeidentificationMethod BurnedInAnnotation
   RecognizableVisualFeatures LongitudinalTemporalInformationModified
   DeidentificationMethodCodeSequence ContributingEquipmentSequence`
    .split(/\s+/)
    .map(tagOf),
);
const ORIGINAL_ONLY_IF_CLEANED = /^(0028|7fe0|0008)/;

/** The day of a DA or DT value in days since 1970; undefined when it names no whole day. */
function dayOf(text: string): number | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})/.exec(text);
  if (!match) return undefined;
  const [year = 0, month = 0, day = 0] = match.slice(1).map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isReal = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return isReal ? date.getTime() / DAY_MS : undefined;
}

/** What one object tells about its set: offsets of its dates and pairs of UIDs. */
export interface Comparison {
  /** Whole days from original to output, one entry per distinct distance. @unit days */
  readonly offsetsDays: Set<number>;
  /** Original UID → UID in the output. */
  readonly uids: Map<string, string>;
}

export function* dateFindings(place: Place, seen: Comparison): Generator<ObjectFinding> {
  const { element, dataset, path } = place;
  const { vr, tag } = element;
  if (vr !== 'DA' && vr !== 'DT' && vr !== 'TM') return;
  const texts = dataset.strings(tag);
  const isValid = (text: string): boolean =>
    vr === 'TM' ? TM.test(text) : vr === 'DT' ? DT.test(text) : dayOf(text) !== undefined;
  if (!texts.every((text) => isValid(text) && (vr !== 'DA' || text.length === 8))) {
    yield failed('date.form', path);
  }
  const before = originalOf(place);
  if (texts.length === 0 || !before || vr === 'TM') return;
  const originals = place.original!.strings(tag);
  if (originals.length !== texts.length) yield failed('date.interval', path);
  for (const [index, text] of texts.entries()) {
    const [from, to] = [dayOf(originals[index] ?? ''), dayOf(text)];
    if (to === undefined && vr === 'DT') {
      if (text === originals[index] && text.length > 4) yield failed('date.interval', path);
      continue;
    }
    const offset = to! - (from ?? Number.NaN);
    const isShift = Number.isInteger(offset) && offset <= -1 && offset >= -SHIFT_DAYS_MAX;
    if (!isShift) yield failed('date.interval', path);
    else seen.offsetsDays.add(offset);
  }
}

export function* uidFindings(place: Place, seen: Comparison): Generator<ObjectFinding> {
  const { element, dataset, path } = place;
  if (element.vr !== 'UI') return;
  const texts = dataset.strings(element.tag);
  if (texts.some(isForeignUid)) yield failed('uid.form', path);
  const originals = place.original?.strings(element.tag) ?? [];
  if (!originalOf(place)) return;
  for (const [index, original] of originals.entries()) {
    const text = texts[index] ?? '';
    if (original === '' || text === '') continue;
    const known = seen.uids.get(original);
    const isSame = text === original;
    if ((known ?? text) !== text || isSame !== isStandardUid(original)) {
      yield failed('uid.mapping', path);
    }
    if (!isSame) seen.uids.set(original, text);
  }
}

/** What no row names and no VR changes is as it was, or gone. */
export function keptFinding(place: Place, isCleaned: boolean): ObjectFinding | undefined {
  const { element, dataset, path, depth } = place;
  const { tag, vr, value } = element;
  const before = originalOf(place);
  if (!before || !(value instanceof Uint8Array) || value.length === 0) return undefined;
  if (PROFILE.has(tag) || /^(UI|DA|DT)$/.test(vr)) return undefined;
  if (depth === 0 && WRITTEN_ANEW.has(tag)) return undefined;
  const hex = tag.toString(16).padStart(8, '0');
  if (isCleaned && depth === 0 && ORIGINAL_ONLY_IF_CLEANED.test(hex)) return undefined;
  if (before.vr !== vr || !(before.value instanceof Uint8Array)) {
    return failed('profile.action', path);
  }
  if (Buffer.compare(before.value, value) === 0) return undefined;
  const [from, to] = [place.original!.strings(tag), dataset.strings(tag)];
  const isSame =
    from.length === to.length && from.every((text, at) => isSameText(vr, text, to[at]!));
  return isSame ? undefined : failed('profile.action', path);
}
/** A decimal has 16 characters; of a longer one the last digits are no measure. */
const DECIMAL_MAX = 16;
const ROUNDING = 1e-9;
/** A number may be written in another way. */
function isSameText(vr: string, before: string, after: string): boolean {
  if (before === after) return true;
  const isNumber = (vr === 'DS' || vr === 'IS') && before.trim() !== '' && after.trim() !== '';
  const [from, to] = [Number(before), Number(after)];
  const isTooLong = vr === 'DS' && before.trim().length > DECIMAL_MAX;
  const room = isTooLong ? Math.abs(from) * ROUNDING : 0;
  return isNumber && Math.abs(from - to) <= room;
}
