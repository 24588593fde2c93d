/**
 * Times of HL7: what a clock in the hospital showed, as milliseconds.
 * Decides that a time without an offset is one of the hospital's time zone, and that a date which
 * the calendar does not have is refused.
 * Source: HL7 v2 chapter 2A (DTM, TS): YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ].
 */
import { refuse, type Place } from './hl7-refusal.js';

const DTM =
  /^(\d{4})(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:\.(\d{1,4}))?)?)?)?)?)?([+-]\d{4})?$/;
const MINUTE_MS = 60_000;
/** Clocks are never changed twice in that time. */
const HALF_DAY_MS = 720 * MINUTE_MS;

/** Offset of a time zone at a moment. @unit ms */
function offsetMs(zone: string, atMs: number): number {
  const parts = formatOf(zone).formatToParts(atMs);
  const of = (type: string): number => Number(parts.find((part) => part.type === type)!.value);
  const shown = Date.UTC(
    of('year'),
    of('month') - 1,
    ...[of('day'), of('hour'), of('minute'), of('second')],
  );
  return shown - Math.floor(atMs / 1_000) * 1_000;
}
const formats = new Map<string, Intl.DateTimeFormat>();
function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known) return known;
  const two = '2-digit';
  const made = new Intl.DateTimeFormat('en-GB', {
    ...{ timeZone: zone, hourCycle: 'h23', calendar: 'iso8601', numberingSystem: 'latn' },
    ...{ year: 'numeric', month: two, day: two, hour: two, minute: two, second: two },
  });
  formats.set(zone, made);
  return made;
}

/** @param zone IANA name of the hospital's time zone */
export function timeOf(text: string, zone: string, place: Place): number {
  const match = DTM.exec(text);
  if (!match) return refuse(102, place);
  const [, year, month = '01', day = '01', hour = '00', minute = '00', second = '00'] = match;
  const [fraction = '0', offset] = match.slice(7);
  if (!isDate(`${year}${month}${day}`) || Number(hour) > 23) refuse(102, place);
  if (Number(minute) > 59 || Number(second) > 59) refuse(102, place);
  const ms = Math.floor(Number(`0.${fraction}`) * 1_000);
  const local = Date.UTC(
    Number(year),
    Number(month) - 1,
    ...[Number(day), Number(hour), Number(minute), Number(second), ms],
  );
  const at = offset === undefined ? ofZone(local, zone) : local - minutesOf(offset) * MINUTE_MS;
  // Before 1970 nothing is said by HL7.
  return at >= 0 ? at : refuse(102, place);
}
/** The hour that a change of clocks repeats is its first; the one it leaves out is moved on. */
function ofZone(local: number, zone: string): number {
  const before = local - offsetMs(zone, local - HALF_DAY_MS);
  const offset = offsetMs(zone, before);
  const after = local - offset;
  return before !== after && offsetMs(zone, after) === offset ? after : before;
}
function minutesOf(offset: string): number {
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(3));
  return offset.startsWith('-') ? -minutes : minutes;
}

/** True for a day of the calendar, YYYYMMDD. */
export function isDate(text: string): boolean {
  if (!/^\d{8}$/.test(text)) return false;
  const [year, month, day] = [text.slice(0, 4), text.slice(4, 6), text.slice(6)].map(Number);
  const date = new Date(Date.UTC(year!, month! - 1, day));
  // Years below 100 are those of another century to Date.
  return year! >= 100 && date.getUTCMonth() === month! - 1 && date.getUTCDate() === day;
}
