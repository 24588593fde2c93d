/**
 * Patient's age at the study, from the real dates, before they are shifted.
 * Decides what a model may know of the age: months below 20 years (bone age needs them), years
 * from there, capped at 90, because older people are few. Invariants: a birth date that is a
 * placeholder, no day of the calendar or after the study gives an unknown age, never a number, also
 * where the console has made one of it: the declared age counts only where there is no birth date.
 * Source: pseudonymisation specification 1.3; PS3.5 6.2 (AS); HIPAA 164.514(b)(2)(i)(C) (90 years).
 */
import type { DicomDataset } from '@aifi/dicom-core';
import { calendarDay } from './derivations.js';
import { PLACEHOLDER_BIRTH_DATES } from './placeholder-dates.table.js';

/** Below this the age is given in months. @unit years */
const MONTHS_BELOW_YEARS = 20;
/** @unit years */
const YEARS_MAX = 90;
/** Average month of the Gregorian calendar. @unit days */
const MONTH_DAYS = 30.436875;
const placeholders: ReadonlySet<string> = new Set(PLACEHOLDER_BIRTH_DATES);

/** The age as AS, or undefined when it is not known. */
export function ageOf(
  input: DicomDataset,
  sitePlaceholders: readonly string[] = [],
): string | undefined {
  const birth = input.string('PatientBirthDate');
  if (birth === undefined) return declaredAge(input.string('PatientAge') ?? '');
  if (placeholders.has(birth) || sitePlaceholders.includes(birth)) return undefined;
  return ageBetween(birth, input.string('StudyDate') ?? '');
}

/** Whole months and years from one DA to another; undefined when either is no date. */
function ageBetween(birth: string, study: string): string | undefined {
  const [from, to] = [calendarDay(birth), calendarDay(study)];
  if (!from || !to) return undefined;
  const months = (to.year - from.year) * 12 + (to.month - from.month) - (to.day < from.day ? 1 : 0);
  const isAfter = birth > study;
  return isAfter ? undefined : written(Math.max(0, months));
}

function written(months: number): string {
  const years = Math.floor(months / 12);
  const [count, unit] =
    years < MONTHS_BELOW_YEARS ? [months, 'M'] : [Math.min(years, YEARS_MAX), 'Y'];
  return `${String(count).padStart(3, '0')}${unit}`;
}

/** What the console wrote, under the same rules. `000Y` is what it writes for an unknown age. */
function declaredAge(text: string): string | undefined {
  const match = /^(\d{3})([DWMY])$/.exec(text);
  if (!match || text === '000Y') return undefined;
  const count = Number(match[1]);
  if (match[2] === 'M') return written(count);
  if (match[2] === 'D') return written(Math.floor(count / MONTH_DAYS));
  if (match[2] === 'W') return written(Math.floor((count * 7) / MONTH_DAYS));
  // Years have no months to give: they stay years.
  return `${String(Math.min(count, YEARS_MAX)).padStart(3, '0')}Y`;
}
