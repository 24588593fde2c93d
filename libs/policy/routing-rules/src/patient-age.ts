/**
 * Age of a patient on the day of the study, from birth date and age tag.
 * Decides which of the two counts: the birth date, unless it stands for "unknown"; then the tag,
 * unless that was computed from it. Someone born on 29 February is a year older on 1 March of a
 * common year. Invariants: pure; what comes out holds no day, so that no birth date can be worked
 * out from it; contradiction is told, never resolved.
 * Source: PS3.5 6.2 (AS, DA); governance specification 4.3 (boundary vectors).
 */
import type { AgeFact } from './facts.js';

export interface AgeSources {
  /** (0010,0030), DA. */
  readonly birthDate?: string | undefined;
  /** (0008,0020), DA. */
  readonly studyDate?: string | undefined;
  /** (0010,1010), AS. */
  readonly patientAge?: string | undefined;
}

interface Day {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}
interface AgeTag {
  readonly count: number;
  readonly unit: 'D' | 'W' | 'M' | 'Y';
}
interface Age {
  readonly years: number;
  readonly months: number;
  readonly days: number;
}

/** @unit ms */
const DAY_MS = 86_400_000;
/** Mean of the Gregorian calendar. @unit days */
const YEAR_DAYS = 365.2425;
/** Nobody has become older than 122; more says that a date stands for "unknown". @unit years */
const YEARS_MAX = 125;
/** Days that systems write for "no date": zero of OLE and Excel, and of SQL Server. */
const ZERO_DAYS = new Set(['1899-12-30', '1899-12-31', '1900-01-01']);
/** Systems round an age up or to the nearest, and compute it when a study is planned. */
const ROUNDING = 1;

export function ageAtStudy({ birthDate, studyDate, patientAge }: AgeSources): AgeFact {
  const study = dayOf(studyDate);
  const birth = dayOf(birthDate);
  const tag = tagOf(patientAge);
  if (!birth) return tag ? ageOfTag(tag, study) : { kind: 'missing' };
  if (isZeroDay(birth)) return ageBesidePlaceholder(tag, birth, study);
  // A birth date is no age without the day of the study.
  if (!study) return tag ? ageOfTag(tag, study) : { kind: 'missing' };
  const age = between(birth, study);
  if (age.days < 0 || age.years > YEARS_MAX) return ageBesidePlaceholder(tag, birth, study);
  if (tag && !agrees(tag, age)) return { kind: 'contradiction' };
  return { kind: 'known', years: age.years, months: age.months, from: 'birth-date' };
}

/** The tag counts when it says another age than the placeholder would give. */
function ageBesidePlaceholder(
  tag: AgeTag | undefined,
  birth: Day,
  study: Day | undefined,
): AgeFact {
  const isOwn = tag && study && !agrees(tag, between(birth, study));
  return isOwn ? ageOfTag(tag, study) : { kind: 'placeholder' };
}

function ageOfTag({ count, unit }: AgeTag, study: Day | undefined): AgeFact {
  const known = (years: number, months?: number): AgeFact => {
    if (years > YEARS_MAX) return { kind: 'missing' };
    return { kind: 'known', years, ...(months !== undefined && { months }), from: 'patient-age' };
  };
  if (unit === 'Y') return known(count);
  if (unit === 'M') return known(Math.floor(count / 12), count);
  const days = unit === 'W' ? count * 7 : count;
  if (!study) return known(Math.floor(days / YEAR_DAYS));
  const age = between(dayBefore(study, days), study);
  // Of weeks up to six more days may have passed: the month is known when they make no difference.
  const oldest = unit === 'W' ? between(dayBefore(study, days + 6), study) : age;
  return known(age.years, oldest.months === age.months ? age.months : undefined);
}

function agrees({ count, unit }: AgeTag, { years, months, days }: Age): boolean {
  const found = { Y: years, M: months, W: Math.floor(days / 7), D: days }[unit];
  return Math.abs(found - count) <= ROUNDING;
}

/** Completed years and months, and days, from one day to another. */
function between(from: Day, to: Day): Age {
  const isBeforeDay = to.day < from.day;
  const months = (to.year - from.year) * 12 + to.month - from.month - (isBeforeDay ? 1 : 0);
  const days = (utcOf(to) - utcOf(from)) / DAY_MS;
  return { years: Math.floor(months / 12), months, days };
}

function dayBefore(day: Day, days: number): Day {
  const date = new Date(utcOf(day) - days * DAY_MS);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
  };
}

function utcOf({ year, month, day }: Day): number {
  return Date.parse(isoOf({ year, month, day }));
}

function isoOf({ year, month, day }: Day): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
}

function isZeroDay(day: Day): boolean {
  return ZERO_DAYS.has(isoOf(day)) || day.year < 1850 || day.year === 9999;
}

/** DA, also with the full stops of ACR-NEMA; undefined for what is no day of the calendar. */
function dayOf(text = ''): Day | undefined {
  const match = /^(\d{4})\.?(\d{2})\.?(\d{2})$/.exec(text.trim());
  if (!match) return undefined;
  const day = { year: Number(match[1]), month: Number(match[2]), day: Number(match[3]) };
  const ms = utcOf(day);
  return !Number.isNaN(ms) && new Date(ms).getUTCDate() === day.day ? day : undefined;
}

/** AS; one that lacks its leading zeros can mean nothing else. */
function tagOf(text = ''): AgeTag | undefined {
  const match = /^(\d{1,3})([DWMY])$/.exec(text.trim());
  return match ? { count: Number(match[1]), unit: match[2] as AgeTag['unit'] } : undefined;
}
