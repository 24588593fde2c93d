/**
 * Dates of a result: back to the hospital's calendar.
 * Decides, by the table of origins, what is shifted back by the patient's offset, and that the
 * times which the hub made are told in the zone of the study: one zone holds for the whole object,
 * so the study's own date and time would be read wrongly under the hub's.
 * Invariant: whole days are added, never hours to a source date. Units: days; minutes east of UTC.
 * Source: results specification 4.1.2; PS3.3 C.12.1.1.8 (TimezoneOffsetFromUTC); PS3.5 6.2.
 */
import type { DicomDataset } from '@aifi/dicom-core';
import { MADE_DATES, MADE_PAIRS, SOURCE_DATES } from '@aifi/dicom-deidentification';
import { refuse, ok, type Result } from '@aifi/shared-kernel';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

export interface DateRules {
  /** What the patient's dates were shifted by: negative; undefined when they have none. */
  readonly offsetDays: number | undefined;
  /** Zone of the study at a time. @unit minutes east of UTC */
  readonly zoneMinutes: (atMs: number) => number;
}

/** Shifts back at any depth; refuses a date that the table does not know. */
export function restoreDates(dataset: DicomDataset, rules: DateRules): Result<void> {
  for (const { tag, vr, value } of [...dataset]) {
    if (!(value instanceof Uint8Array)) {
      for (const item of value) {
        const restored = restoreDates(item, rules);
        if (!restored.ok) return restored;
      }
      continue;
    }
    if ((vr !== 'DA' && vr !== 'DT') || dataset.strings(tag).length === 0) continue;
    if (MADE_DATES.has(tag)) continue;
    if (!SOURCE_DATES.has(tag)) return refuse('OUTPUT_INVALID', 'a date of unknown origin');
    const texts = dataset.strings(tag).map((text) => shiftedBack(text, rules.offsetDays));
    // A date that cannot be told is left out: none is better than a wrong one.
    dataset.setStrings(tag, texts.includes(undefined) ? [] : (texts as string[]), vr);
  }
  return ok(undefined);
}

const DT = /^(\d{4})(?:(\d{2})(?:(\d{2})((?:\d{2}){0,2}|\d{6}(?:\.\d{1,6})?))?)?([+-]\d{4})?$/;

/** A DA or DT before it was shifted, its precision kept; undefined when that cannot be told. */
export function shiftedBack(text: string, offsetDays: number | undefined): string | undefined {
  const match = DT.exec(text);
  if (!match || offsetDays === undefined) return undefined;
  const [, year = '', month = '', day = '', time = '', zone = ''] = match;
  const given = year + month + day;
  const candidates =
    day === '' ? partialCandidates(given, offsetDays) : [dayOf(given, -offsetDays)];
  const [only, ...others] = candidates;
  return only === undefined || others.length > 0 ? undefined : only + time + zone;
}

/**
 * A year or a month was shifted from its first day. Which one it was: the one, among those that are
 * about as far away, that gives this; two can, when a leap day lies between.
 */
function partialCandidates(given: string, offsetDays: number): string[] {
  const isYear = given.length === 4;
  const first = `${given}${isYear ? '01' : ''}01`;
  const found = new Set<string>();
  for (let days = -31 * (isYear ? 12 : 1); days <= 366; days += 1) {
    const candidate = dayOf(first, days - offsetDays)?.slice(0, given.length);
    if (!candidate) continue;
    const start = `${candidate}${isYear ? '01' : ''}01`;
    if (dayOf(start, offsetDays)?.startsWith(given)) found.add(candidate);
  }
  return [...found];
}

/** A day (YYYYMMDD) so many days later; undefined when it is no day of the calendar. */
function dayOf(text: string, days: number): string | undefined {
  const [year, month, day] = [text.slice(0, 4), text.slice(4, 6), text.slice(6, 8)].map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year!, month! - 1, day);
  if (digitsOf(date).slice(0, 8) !== text) return undefined;
  return digitsOf(new Date(date.getTime() + days * DAY_MS)).slice(0, 8);
}

/** Tells what the hub made in the zone of the study. */
export function moveToZone(dataset: DicomDataset, { zoneMinutes }: DateRules): void {
  const declared = offsetMinutes(dataset.string('TimezoneOffsetFromUTC'));
  // Without a zone nothing is known to move.
  if (declared === undefined) return;
  let zone: number | undefined;
  for (const [dateKeyword, timeKeyword] of MADE_PAIRS) {
    const [date, time] = [dataset.string(dateKeyword), dataset.string(timeKeyword)];
    const match = /^(\d{2})(\d{2})(\d{2})$/.exec(time ?? '');
    if (!date || !match) continue;
    const [hours, minutes, seconds] = match.slice(1).map(Number);
    const atMs =
      Date.UTC(Number(date.slice(0, 4)), Number(date.slice(4, 6)) - 1, Number(date.slice(6, 8))) +
      ((hours! * 60 + minutes! - declared) * 60 + seconds!) * 1_000;
    zone ??= zoneMinutes(atMs);
    const digits = digitsOf(new Date(atMs + zone * MINUTE_MS));
    dataset.setString(dateKeyword, digits.slice(0, 8)).setString(timeKeyword, digits.slice(8, 14));
  }
  if (zone !== undefined) dataset.setString('TimezoneOffsetFromUTC', zoneText(zone));
}

const digitsOf = (date: Date): string => date.toISOString().replace(/\D/g, '');

/** `+0100` as minutes east of UTC. */
export function offsetMinutes(text: string | undefined): number | undefined {
  const match = /^([+-])(\d{2})(\d{2})$/.exec(text ?? '');
  if (!match) return undefined;
  const size = Number(match[2]) * 60 + Number(match[3]);
  return match[1] === '-' ? -size : size;
}
function zoneText(minutes: number): string {
  const size = Math.abs(minutes);
  const pad = (part: number): string => String(part).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${pad(Math.floor(size / 60))}${pad(size % 60)}`;
}
