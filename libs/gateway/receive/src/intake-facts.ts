/**
 * IntakeFacts: from what an image says of its patient to what the database may know.
 * Decides the age at the study, its moment by the hospital's clock, and the keys by which order and
 * objection are found. Invariants: pure; of the words themselves nothing is left in the result; a
 * date without a time is the end of that day, so that a study of last night is never too old.
 * Source: governance specification 4.3; PS3.3 C.12.1.1.8 (offset); PS3.5 6.2 (DA, TM).
 */
import type { InstanceHeader } from '@aifi/gateway-database';
import { ageAtStudy } from '@aifi/policy-routing-rules';
import { accessionKeyOf, patientKeyOf, type KeyRing } from '@aifi/shared-site-keys';
import type { PatientWords } from './listener-messages.js';

export const DEFAULT_TIME_ZONE = 'Europe/Amsterdam';
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** PS3.5 6.2: an offset from UTC is within these. @unit min */
const [OFFSET_MIN, OFFSET_MAX] = [-12 * 60, 14 * 60];

export type IntakeFacts = Pick<
  InstanceHeader,
  'age' | 'acquiredAtMs' | 'patientKey' | 'accessionKey'
>;
export type ReadIntakeFacts = (patient: PatientWords) => IntakeFacts;

/** For the images of one hospital: its keys, and the zone of its clocks. */
export function intakeFactsIn(keys: KeyRing, timeZone = DEFAULT_TIME_ZONE): ReadIntakeFacts {
  const offsetAt = zoneOffset(timeZone);
  return ({ patientId = '', issuer = '', accessionNumber = '', ...dates }) => {
    const { birthDate, patientAge, date, time, zone } = dates;
    const patientKey = patientKeyOf(keys, { patientId, issuer });
    const accessionKey = accessionKeyOf(keys, accessionNumber);
    const localMs = momentOf(date, time);
    const declared = minutesOf(zone);
    return {
      age: ageAtStudy({ birthDate, studyDate: date, patientAge }),
      ...(localMs !== undefined && {
        acquiredAtMs:
          declared === undefined ? inZone(localMs, offsetAt) : localMs - declared * MINUTE_MS,
      }),
      ...(patientKey !== undefined && { patientKey }),
      ...(accessionKey !== undefined && { accessionKey }),
    };
  };
}

/** As if it were in UTC; undefined for what is no date. */
function momentOf(date = '', time = ''): number | undefined {
  const day = /^(\d{4})\.?(\d{2})\.?(\d{2})$/.exec(date);
  if (!day) return undefined;
  const [, year, month, dayOfMonth] = day;
  const midnightMs = Date.parse(`${year}-${month}-${dayOfMonth}T00:00:00Z`);
  if (Number.isNaN(midnightMs) || new Date(midnightMs).getUTCDate() !== Number(dayOfMonth)) {
    return undefined;
  }
  const clock = /^([01]\d|2[0-3])(?::?([0-5]\d)(?::?([0-5]\d|60))?)?/.exec(time);
  if (!clock) return midnightMs + DAY_MS - 1000;
  const [, hours, minutes = '0', seconds = '0'] = clock;
  return midnightMs + ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
}

/** Of `+0100` and the like. */
function minutesOf(zone = ''): number | undefined {
  const match = /^([+-])(\d{2})([0-5]\d)$/.exec(zone);
  if (!match) return undefined;
  const minutes = (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3]));
  return minutes < OFFSET_MIN || minutes > OFFSET_MAX ? undefined : minutes;
}

/** The moment at which clocks there showed this; of two (end of summer time) the earlier. */
function inZone(localMs: number, offsetAt: (atMs: number) => number): number {
  const early = localMs - offsetAt(localMs - DAY_MS);
  return early + offsetAt(early) === localMs ? early : localMs - offsetAt(early);
}

/** What clocks of the zone are ahead of UTC at a moment. @unit ms */
function zoneOffset(timeZone: string): (atMs: number) => number {
  const format = new Intl.DateTimeFormat('en', {
    ...{ timeZone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric' },
    ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
  });
  return (atMs) => {
    const parts = new Map(
      format.formatToParts(atMs).map(({ type, value }) => [type, Number(value)]),
    );
    const of = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
    const shown = Date.UTC(
      ...([of('year'), of('month') - 1, of('day')] as const),
      ...([of('hour'), of('minute'), of('second')] as const),
    );
    return shown - Math.floor(atMs / 1000) * 1000;
  };
}
