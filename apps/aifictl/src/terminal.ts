/**
 * Terminal: what the program touches of the world.
 * Decides that everything else is pure and can be tested with made-up answers and times.
 */
export interface Terminal {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Standard output: the answer, and nothing else. */
  readonly out: (text: string) => void;
  /** Standard error: what went wrong, for people. */
  readonly error: (text: string) => void;
  readonly fetch: typeof fetch;
  /** Wall clock, milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** IANA name of the zone in which times are shown. */
  readonly timeZone: string;
}

/** Exit codes: 0 found and healthy, 1 not found or not healthy, 2 wrong use. */
export const EXIT = { ok: 0, negative: 1, usage: 2 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
