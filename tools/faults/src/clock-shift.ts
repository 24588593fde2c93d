/**
 * ClockShift: the wall clock of some processes, moved while they run.
 * Decides that only the wall clock moves: monotonic time is left alone, as by an administrator or a
 * bad time server, so timers go on. Invariants: what the library leaves in shared memory when its
 * process is killed is removed by `sweep`; without the library nothing is shifted.
 * Source: libfaketime 0.9.10, README (FAKETIME_TIMESTAMP_FILE, FAKETIME_DONT_FAKE_MONOTONIC).
 */
import { readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findFaketime } from '../../../deploy/services/faketime/install.mjs';
import { sendSignal } from './process-signals.js';

/** The file is looked at so often. @unit s */
const CACHE_S = 1;
/** Where the kernel shows POSIX shared memory, and what the library calls its own. */
const SHARED_MEMORY = '/dev/shm';
const LIBRARY_FILE = /^(?:faketime_shm|sem\.faketime_sem)_(\d+)$/;

export class ClockShift {
  readonly #file: string;
  #offsetMs = 0;

  private constructor(
    private readonly library: string,
    folder: string,
    name: string,
  ) {
    this.#file = join(folder, `clock-${name}`);
    this.set(0);
  }

  /** Undefined where libfaketime is not installed. */
  static in(folder: string, name: string): ClockShift | undefined {
    const library = findFaketime();
    return library === undefined ? undefined : new ClockShift(library, folder, name);
  }

  /** What a process is started with; its children inherit it. */
  get environment(): Readonly<Record<string, string>> {
    return {
      LD_PRELOAD: this.library,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      FAKETIME_CACHE_DURATION: String(CACHE_S),
      // The times of files are those of the disk.
      NO_FAKE_STAT: '1',
    };
  }
  /** Removes what the library left of processes that have ended. */
  static sweep(): void {
    for (const name of readdirSync(SHARED_MEMORY)) {
      const pid = Number(LIBRARY_FILE.exec(name)?.[1]);
      if (pid > 0 && !sendSignal(pid, 0)) rmSync(join(SHARED_MEMORY, name), { force: true });
    }
  }

  /** What the clock is ahead by; negative: behind. @unit ms */
  get offsetMs(): number {
    return this.#offsetMs;
  }
  /** Holds within seconds, for running processes as well. */
  set(offsetMs: number): void {
    const text = `${offsetMs < 0 ? '' : '+'}${(offsetMs / 1_000).toFixed(3)}\n`;
    // A half-written offset would be another time.
    writeFileSync(`${this.#file}.new`, text, { mode: 0o600 });
    renameSync(`${this.#file}.new`, this.#file);
    this.#offsetMs = offsetMs;
  }
}
