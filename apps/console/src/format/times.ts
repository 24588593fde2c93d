/**
 * Times, durations, sizes, numbers and digests as a person reads them, per language.
 * Decides local time (of the browser) and binary units. Pure: the present is a parameter.
 * Invariant: a short form never stands alone where the exact value matters; see parts/.
 */
import type { Language } from '../words/words.js';

const LOCALES: Readonly<Record<Language, string>> = { nl: 'nl-NL', en: 'en-GB' };
const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export class Formats {
  readonly #exact: Intl.DateTimeFormat;
  readonly #clock: Intl.DateTimeFormat;
  readonly #hour: Intl.DateTimeFormat;
  readonly #date: Intl.DateTimeFormat;
  readonly #relative: Intl.RelativeTimeFormat;
  readonly #number: Intl.NumberFormat;

  /** `timeZone` undefined: that of the browser. */
  constructor(
    readonly language: Language,
    timeZone?: string,
  ) {
    const locale = LOCALES[language];
    const zone = timeZone === undefined ? {} : { timeZone };
    const time = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', ...zone } as const;
    const day = { day: 'numeric', month: 'short', year: 'numeric' } as const;
    this.#exact = new Intl.DateTimeFormat(locale, { ...day, ...time, second: '2-digit' });
    this.#clock = new Intl.DateTimeFormat(locale, time);
    this.#hour = new Intl.DateTimeFormat(locale, { weekday: 'short', ...time });
    this.#date = new Intl.DateTimeFormat(locale, { ...day, timeZone: 'UTC' });
    this.#relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' });
    this.#number = new Intl.NumberFormat(locale);
  }

  /** `21 Nov 2026, 09:04:11` */
  exact(atMs: number): string {
    return this.#exact.format(atMs);
  }
  /** `09:04` */
  clock(atMs: number): string {
    return this.#clock.format(atMs);
  }
  /** `Sat 09:00` */
  hour(atMs: number): string {
    return this.#hour.format(atMs);
  }
  number(value: number): string {
    return this.#number.format(value);
  }
  /** `3 min. ago`; `in 2 hr.` */
  relative(atMs: number, nowMs: number): string {
    const agoMs = nowMs - atMs;
    const size = Math.abs(agoMs);
    const steps: readonly (readonly [number, number, Intl.RelativeTimeFormatUnit])[] = [
      [MINUTE_MS, SECOND_MS, 'second'],
      [HOUR_MS, MINUTE_MS, 'minute'],
      [2 * DAY_MS, HOUR_MS, 'hour'],
      [Infinity, DAY_MS, 'day'],
    ];
    const [, unitMs, unit] = steps.find(([limit]) => size < limit)!;
    return this.#relative.format(-Math.trunc(agoMs / unitMs), unit);
  }
  /** `340 ms`, `2.4 s`, `3 min 5 s`, `2 h 10 min`, `4 d 2 h` */
  duration(ms: number): string {
    const size = Math.max(0, ms);
    if (size < SECOND_MS) return `${Math.round(size)} ms`;
    if (size < MINUTE_MS) return `${this.#number.format(Math.round(size / 100) / 10)} s`;
    const seconds = Math.floor(size / SECOND_MS);
    const hourWord = this.language === 'nl' ? 'u' : 'h';
    if (size < HOUR_MS) return pair(seconds, [60, 'min'], [1, 's']);
    if (size < DAY_MS) return pair(seconds, [3_600, hourWord], [60, 'min']);
    return pair(seconds, [86_400, 'd'], [3_600, hourWord]);
  }
  /** Binary units: `1.4 MiB`. @unit bytes */
  size(bytes: number): string {
    const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
    let value = bytes;
    let unit = 0;
    while (value >= 1024 && unit < units.length - 1) {
      value /= 1024;
      unit += 1;
    }
    const rounded = unit === 0 ? value : Math.round(value * 10) / 10;
    return `${this.#number.format(rounded)} ${units[unit]}`;
  }
  /** A date of DICOM, YYYYMMDD; as it is when it is none. */
  dicomDate(value: string): string {
    const match = /^(\d{4})(\d{2})(\d{2})$/.exec(value);
    if (!match) return value;
    return this.#date.format(Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3])));
  }
}

type Unit = readonly [seconds: number, word: string];
function pair(seconds: number, [large, largeWord]: Unit, [small, smallWord]: Unit): string {
  const rest = Math.floor((seconds % large) / small);
  const first = `${Math.floor(seconds / large)} ${largeWord}`;
  return rest === 0 ? first : `${first} ${rest} ${smallWord}`;
}

/** `4:05`, for what runs out. */
export function countdown(leftMs: number): string {
  const seconds = Math.max(0, Math.ceil(leftMs / SECOND_MS));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** Start of the local day. */
export function startOfDay(nowMs: number): number {
  const day = new Date(nowMs);
  day.setHours(0, 0, 0, 0);
  return day.getTime();
}

/** First twelve characters: enough to compare by eye; whole values are for copying. */
export const shortDigest = (digest: string): string =>
  digest.length > 14 ? `${digest.slice(0, 12)}…` : digest;

/** A UID by its end, where UIDs of one root differ. */
export const shortUid = (uid: string): string =>
  uid.length > 22 ? `${uid.slice(0, 5)}…${uid.slice(-12)}` : uid;
