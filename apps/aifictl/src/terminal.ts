/**
 * Terminal: what the program touches of the world.
 * Decides that everything else is pure and can be tested with made-up answers and times.
 */
import type { TokenStore } from './tokens.js';

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
  /** A new idempotency key. */
  readonly newKey: () => string;
  /** Sign-ins of this user on this machine. */
  readonly tokens: TokenStore;
  readonly files: {
    /** Throws when there is none. */
    readText(path: string): string;
    /** Throws when there is none. */
    readBytes(path: string): Uint8Array;
    /** Lines of a file that may be larger than memory. */
    lines(path: string): AsyncIterable<string>;
    /** Readable by this user only; replaces what is there. Resolves with its size. @unit bytes */
    write(path: string, content: AsyncIterable<Uint8Array>): Promise<number>;
  };
}

/** Exit codes: 0 found and healthy, 1 not found or not healthy, 2 wrong use. */
export const EXIT = { ok: 0, negative: 1, usage: 2 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
