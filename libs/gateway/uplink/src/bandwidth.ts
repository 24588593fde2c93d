/**
 * Bandwidth: how much of the hospital's line the uplink may use at which time of the day.
 * Decides the rate by local time, and keeps to it on the monotonic clock, so that a wall clock
 * that is set neither stops uploads nor lets a burst through.
 * Invariants: the first rule that fits decides; a period over midnight belongs to the day on which
 * it begins; over any time t no more than rate x t plus one chunk per stream leaves.
 * Source: generic cell rate algorithm (ITU-T I.371 A), in bytes; IANA time zones.
 */
import { z } from 'zod';

export const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;

const timeSchema = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time as 07:30');

/**
 * The hub ends an upload that holds a slot and brings less than 64 KiB in a minute. Four streams
 * share the limit and take turns by the chunk of 256 KiB: at 0.5 Mbit/s, 62,500 bytes a second,
 * a stream's turn comes every 4 x 262,144 / 62,500 = 16.8 s. With the 20 s for which a routine
 * stream stops for acute ones that is 36.8 s for four times the bytes that are asked for.
 */
export const MBIT_PER_SECOND_MIN = 0.5;

export const bandwidthRuleSchema = z
  .strictObject({
    days: z
      .array(z.enum(DAYS))
      .min(1)
      .max(7)
      .default([...DAYS]),
    from: timeSchema,
    to: timeSchema.describe('not included; at or before `from`: on the next day'),
    mbitPerSecond: z.number().min(MBIT_PER_SECOND_MIN).max(100_000),
  })
  .describe('a limit at certain hours; outside of all of them there is none');
export type BandwidthRule = z.output<typeof bandwidthRuleSchema>;

const MINUTES_PER_DAY = 24 * 60;
const minutesOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));

/** Day (0: Sunday) and minute of the day. */
export interface LocalTime {
  readonly day: number;
  readonly minute: number;
}

/** The rule in force; undefined: no limit. */
export function ruleAt(
  rules: readonly BandwidthRule[],
  { day, minute }: LocalTime,
): BandwidthRule | undefined {
  const yesterday = (day + 6) % 7;
  return rules.find(({ days, from, to }) => {
    const [begin, end] = [minutesOf(from), minutesOf(to)];
    const length = end > begin ? end - begin : end - begin + MINUTES_PER_DAY;
    const isOn = (of: number, at: number): boolean =>
      days.includes(DAYS[of]!) && at >= begin && at < begin + length;
    return isOn(day, minute) || isOn(yesterday, minute + MINUTES_PER_DAY);
  });
}

/** Local time of a zone; the formatter is made once, as that takes a millisecond. */
export function localTimeIn(timeZone: string): (atMs: number) => LocalTime {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    ...{ weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  });
  return (atMs) => {
    const parts = Object.fromEntries(
      format.formatToParts(atMs).map(({ type, value }) => [type, value]),
    );
    const day = DAYS.findIndex((name) => name === parts['weekday']?.toLowerCase());
    return { day, minute: Number(parts['hour']) * 60 + Number(parts['minute']) };
  };
}

export function isTimeZone(name: string): boolean {
  try {
    localTimeIn(name);
    return true;
  } catch {
    return false;
  }
}

/** Times at which bytes may go, at a rate that may change between two calls. */
export class ByteRate {
  #freeAtMs = Number.NEGATIVE_INFINITY;

  /** Until these bytes may go, in the order of asking. Both times monotonic. @unit ms */
  reserve(bytes: number, bytesPerSecond: number, nowMs: number): number {
    const beginsMs = Math.max(nowMs, this.#freeAtMs);
    this.#freeAtMs = beginsMs + (bytes / bytesPerSecond) * 1_000;
    return beginsMs - nowMs;
  }
}
