/**
 * Keyed derivations: pseudonyms, UIDs and the date offset of a patient.
 * Decides how identity becomes a pseudonym that only the holder of the key can link back.
 * Invariants: deterministic; two hospitals never share an output; a date keeps its distance to
 * every other date of the same patient. Units: days; dates are DICOM DA or DT text.
 * Source: pseudonymisation specification 1.3; PS3.5 6.2 (DA, DT); RFC 2104.
 */
import type { DicomDataset } from '@aifi/dicom-core';
import { hmacSha256, keyedUid, type PseudonymousUid } from '@aifi/shared-kernel';
import type { DeidentificationContext } from './deidentification-context.js';

// Crockford base32: no I, L, O, U, so that a pseudonym can be read aloud.
const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** Longest shift back. @unit days */
const SHIFT_DAYS_MAX = 3650;
const DAY_MS = 86_400_000;

/**
 * Derivations of the last headers by key: the slices of a series share all UIDs but one, and HMACs
 * cost more than the rest of a header. Bounded: what is full starts anew.
 */
const remembered = new WeakMap<Uint8Array, Map<string, string>>();
const REMEMBERED_MAX = 512;

function once(key: Uint8Array, what: string, derive: () => string): string {
  let known = remembered.get(key);
  if (!known) remembered.set(key, (known = new Map()));
  const answer = known.get(what);
  if (answer !== undefined) return answer;
  const fresh = derive();
  if (known.size >= REMEMBERED_MAX) known.clear();
  known.set(what, fresh);
  return fresh;
}

/** 128 bits as 26 characters of base32. */
function base32(bytes: Uint8Array): string {
  let value = BigInt(`0x${Buffer.from(bytes.subarray(0, 16)).toString('hex')}`);
  let text = '';
  for (let i = 0; i < 26; i += 1) {
    text = CROCKFORD[Number(value & 31n)]! + text;
    value >>= 5n;
  }
  return text;
}

/** One spelling per patient identifier: NFC, one space, upper case. */
function normalised(text: string): string {
  return text.normalize('NFC').trim().replace(/\s+/g, ' ').toUpperCase();
}

/** `issuer|id` of the dataset, normalised; undefined without a Patient ID. */
export function patientKey(dataset: DicomDataset): string | undefined {
  const id = normalised(dataset.string('PatientID') ?? '');
  if (id === '') return undefined;
  return `${normalised(dataset.string('IssuerOfPatientID') ?? '')}|${id}`;
}

/** Patient ID and name of the pseudonymised object: `<site code>-<26 characters>`. */
export function patientPseudonym(patient: string, context: DeidentificationContext): string {
  const { pid } = context.keys;
  const pseudonym = once(pid, `pid\0${patient}`, () => base32(hmacSha256(pid, patient)));
  return `${context.siteCode}-${pseudonym}`;
}

/** Study ID (SH, 16 characters): never empty, because some PACS merge studies without one. */
export function studyIdPseudonym(studyUid: string, context: DeidentificationContext): string {
  const { uid } = context.keys;
  return once(uid, `study-id\0${studyUid}`, () =>
    base32(hmacSha256(uid, 'study-id', studyUid)).slice(0, 16),
  );
}

export function pseudonymousUidOf(uid: string, context: DeidentificationContext): PseudonymousUid {
  const key = context.keys.uid;
  return once(key, `uid\0${uid}`, () => keyedUid(key, 'uid', uid)) as PseudonymousUid;
}

/** UID of an instance whose pixels are no longer the received ones: other regions, another UID. */
export function cleanedInstanceUid(
  uid: string,
  regionsSha256: string,
  context: DeidentificationContext,
): PseudonymousUid {
  return keyedUid(context.keys.uid, 'uid', uid, 'cleaned', regionsSha256) as PseudonymousUid;
}

/** Offset of all dates of this patient: a whole number from -3650 to -1, never 0. @unit days */
export function dateOffsetDays(patient: string, context: DeidentificationContext): number {
  const { date } = context.keys;
  const offset = (): number => -1 - (hmacSha256(date, patient).readUInt32BE(0) % SHIFT_DAYS_MAX);
  return Number(once(date, `date\0${patient}`, () => String(offset())));
}

/** Year, month and day of a DA; undefined when it is no day of the calendar. */
export function calendarDay(
  date: string,
): { readonly year: number; readonly month: number; readonly day: number } | undefined {
  const match = DA.exec(date);
  if (!match) return undefined;
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number];
  return isReal(dayOf(year, month, day), month, day) && year >= 1
    ? { year, month, day }
    : undefined;
}

const DA = /^(\d{4})(\d{2})(\d{2})$/;

function dayOf(year: number, month: number, day: number): Date {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date;
}
const isReal = (date: Date, month: number, day: number): boolean =>
  date.getUTCMonth() === month - 1 && date.getUTCDate() === day;

/** Shifts year, month and day; undefined when they are no day of the calendar. */
function shiftedDay(parts: readonly number[], offsetDays: number): string | undefined {
  const [year = 0, month = 1, day = 1] = parts;
  const date = dayOf(year, month, day);
  if (!isReal(date, month, day) || year < 1) return undefined;
  const shifted = new Date(date.getTime() + offsetDays * DAY_MS);
  if (shifted.getUTCFullYear() < 1) return undefined;
  const pad = (value: number, width: number): string => String(value).padStart(width, '0');
  return (
    pad(shifted.getUTCFullYear(), 4) +
    pad(shifted.getUTCMonth() + 1, 2) +
    pad(shifted.getUTCDate(), 2)
  );
}

/** A DA value shifted; undefined when it is not a valid date. */
export function shiftDate(date: string, offsetDays: number): string | undefined {
  const match = DA.exec(date);
  return match ? shiftedDay(match.slice(1).map(Number), offsetDays) : undefined;
}

const DT =
  /^(\d{4})(?:(\d{2})(?:(\d{2})((?:\d{2}){0,2}|\d{6}(?:\.\d{1,6})?))?)?([+-](?:0\d|1[0-4])\d{2})?$/;

/** A DT value shifted, its precision kept; undefined when it is not a valid date and time. */
export function shiftDateTime(dateTime: string, offsetDays: number): string | undefined {
  const match = DT.exec(dateTime);
  if (!match) return undefined;
  const given = match.slice(1, 4).filter((part) => part !== undefined);
  const shifted = shiftedDay(given.map(Number), offsetDays);
  if (shifted === undefined) return undefined;
  const precision = [0, 4, 6, 8][given.length];
  return shifted.slice(0, precision) + (match[4] ?? '') + (match[5] ?? '');
}
