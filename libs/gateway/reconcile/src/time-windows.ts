/**
 * Time windows: the last day in spans that a C-FIND can ask for.
 * Decides that a span lies within one day and one hour of the hospital's own time, as Study Date
 * and Study Time are matched apart (PS3.4 C.2.2.2.5; combined matching is optional).
 * Invariants: spans cover the whole time without a gap; pure. Source: PS3.5 6.2 (DA, TM).
 */
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** [fromMs, toMs), within one hour of one day. */
export interface TimeWindow {
  readonly fromMs: number;
  readonly toMs: number;
}
/** Minutes by which the hospital's time is before UTC at that moment. */
export type ZoneMinutes = (atMs: number) => number;
/** The zone of this process: gateway and PACS stand in the same hospital. */
export const ownZone: ZoneMinutes = (atMs) => -new Date(atMs).getTimezoneOffset();

/** Oldest first; both ends are cut to minutes, the first down and the last up. */
export function hoursBetween(fromMs: number, toMs: number): TimeWindow[] {
  const windows: TimeWindow[] = [];
  const endMs = Math.ceil(toMs / MINUTE_MS) * MINUTE_MS;
  for (let atMs = Math.floor(fromMs / MINUTE_MS) * MINUTE_MS; atMs < endMs;) {
    // Zones are whole quarters of an hour, so an hour of UTC may hold two local ones: then the
    // digits still rise within it, but for midnight, at which it is cut below.
    const nextMs = Math.min(endMs, (Math.floor(atMs / HOUR_MS) + 1) * HOUR_MS);
    windows.push({ fromMs: atMs, toMs: nextMs });
    atMs = nextMs;
  }
  return windows;
}

/** Two halves at a whole minute; undefined when it is a minute already. */
export function halvesOf({ fromMs, toMs }: TimeWindow): [TimeWindow, TimeWindow] | undefined {
  const middleMs = Math.floor((fromMs + toMs) / 2 / MINUTE_MS) * MINUTE_MS;
  if (middleMs <= fromMs) return undefined;
  return [
    { fromMs, toMs: middleMs },
    { fromMs: middleMs, toMs },
  ];
}

/** Values of Study Date and Study Time that match the window; two pairs where midnight is in it. */
export function queryValues(
  { fromMs, toMs }: TimeWindow,
  zone: ZoneMinutes,
): { readonly date: string; readonly time: string }[] {
  const from = localParts(fromMs, zone);
  const last = localParts(toMs - 1, zone);
  if (from.date === last.date && from.time <= last.time) {
    return [{ date: from.date, time: `${from.time}-${last.time}.999999` }];
  }
  // Midnight, or the hour that a clock change repeats: both days are asked for, nothing is missed.
  return [
    { date: from.date, time: `${from.time}-235959.999999` },
    { date: last.date, time: `000000-${last.time}.999999` },
  ];
}

/** The moment that a PACS means; undefined where it gives no date or one that is none. */
export function momentOf(date: string, time: string, zone: ZoneMinutes): number | undefined {
  const day = /^(\d{4})(\d{2})(\d{2})$/.exec(date.trim());
  if (!day) return undefined;
  const clock = /^(\d{2})(\d{2})?(\d{2})?/.exec(time.trim()) ?? [];
  const [hour, minute, second] = [clock[1], clock[2], clock[3]].map((part) => Number(part ?? 0));
  const asUtc = Date.UTC(Number(day[1]), Number(day[2]) - 1, Number(day[3]), hour, minute, second);
  return asUtc - zone(asUtc) * MINUTE_MS;
}

function localParts(atMs: number, zone: ZoneMinutes): { date: string; time: string } {
  const [date = '', time = ''] = new Date(atMs + zone(atMs) * MINUTE_MS)
    .toISOString()
    .replaceAll(/[-:]/g, '')
    .split(/[T.]/);
  return { date, time };
}
