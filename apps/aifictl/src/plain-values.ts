/**
 * Plain values: times, sizes, digests and counts as people read them.
 * Decides that a time without a date is one of the day of reference, in the reader's own zone.
 */

/** Formats times near one moment. */
export class Times {
  readonly #format: Intl.DateTimeFormat;
  readonly #day: string;

  constructor(
    readonly timeZone: string,
    referenceMs: number,
  ) {
    this.#format = new Intl.DateTimeFormat('en-CA', {
      ...{ timeZone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit' },
      ...{ hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3 },
    });
    this.#day = this.#parts(referenceMs).day;
  }

  /** `10:22:31.007`, or with the date before it on another day than that of reference. */
  exact(atMs: number): string {
    const { day, time, fraction } = this.#parts(atMs);
    return `${this.#prefix(day)}${time}.${fraction}`;
  }
  /** `10:22:31` */
  toSecond(atMs: number): string {
    const { day, time } = this.#parts(atMs);
    return `${this.#prefix(day)}${time}`;
  }
  /** `2026-11-20 10:22:31` */
  dated(atMs: number): string {
    const { day, time } = this.#parts(atMs);
    return `${day} ${time}`;
  }

  #prefix(day: string): string {
    return day === this.#day ? '' : `${day} `;
  }
  #parts(atMs: number): { day: string; time: string; fraction: string } {
    const parts = this.#format.formatToParts(atMs);
    const of = (type: string): string => parts.find((part) => part.type === type)?.value ?? '';
    return {
      day: `${of('year')}-${of('month')}-${of('day')}`,
      time: `${of('hour')}:${of('minute')}:${of('second')}`,
      fraction: of('fractionalSecond'),
    };
  }
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** `11.2 MB`, with factors of 1000. */
export function size(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1_000 && unit < UNITS.length - 1) [value, unit] = [value / 1_000, unit + 1];
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

/** `1 object`, `2 objects`. */
export function count(n: number, noun: string): string {
  return `${n} ${n === 1 ? noun : noun.replace(/y$/, 'ie') + 's'}`;
}

/** The first 12 digits of a digest: enough to compare by eye; the whole is in the JSON. */
export function shortDigest(sha256: string): string {
  return sha256.slice(0, 12);
}

/** DIMSE status as in the standard: `A700`. */
export function dimse(status: number): string {
  return status.toString(16).toUpperCase().padStart(4, '0');
}

/** Lines as columns of equal width. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  }
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  );
}
