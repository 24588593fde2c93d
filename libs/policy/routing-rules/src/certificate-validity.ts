/**
 * Whether a certificate was valid at an instant.
 * Decides what a plain date means: from 00:00:00.000 of its first day until 23:59:59.999 of its
 * last, by the clock of Europe/Amsterdam, in summer as in winter time, wherever this runs.
 * Invariant: pure; the zone is that of the tz database in Node, not that of the machine.
 * Source: governance specification 4.3 (boundary vectors).
 */
import type { ProductCertificate } from '@aifi/contracts-manifests';

const ZONE = new Intl.DateTimeFormat('en-GB', {
  ...{ timeZone: 'Europe/Amsterdam', hourCycle: 'h23', year: 'numeric', month: '2-digit' },
  ...{ day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' },
});
/** @unit ms */
const DAY_MS = 86_400_000;
const PLAIN_DATE = /^\d{4}-\d{2}-\d{2}$/;

/** Inclusive at both ends. */
export function isCertificateValid(certificate: ProductCertificate, atMs: number): boolean {
  return atMs >= startMs(certificate.validFrom) && atMs <= endMs(certificate.validTo);
}

function startMs(text: string): number {
  return PLAIN_DATE.test(text) ? dayStartMs(Date.parse(text)) : Date.parse(text);
}

/** The last millisecond before the next day begins; a day of the change of time has 23 or 25 h. */
function endMs(text: string): number {
  return PLAIN_DATE.test(text) ? dayStartMs(Date.parse(text) + DAY_MS) - 1 : Date.parse(text);
}

/** Local midnight of the day whose UTC midnight is given: clocks change after it, at 01:00 UTC. */
function dayStartMs(utcMidnightMs: number): number {
  return utcMidnightMs - zoneOffsetMs(utcMidnightMs);
}

function zoneOffsetMs(atMs: number): number {
  const parts = new Map(ZONE.formatToParts(atMs).map(({ type, value }) => [type, Number(value)]));
  const [year = 0, month = 1, day = 1] = [parts.get('year'), parts.get('month'), parts.get('day')];
  const time = [parts.get('hour'), parts.get('minute'), parts.get('second')] as const;
  return Date.UTC(year, month - 1, day, time[0], time[1], time[2]) - atMs;
}
