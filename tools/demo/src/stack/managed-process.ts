/**
 * ManagedProcess: one child process of the stack, known by its pid.
 * Decides when it counts as up, how it is killed and started again, and that it ends whole: it
 * leads a process group of its own, so that Ctrl-C in the terminal reaches only who stops things in
 * order.
 * Invariants: output goes to a file, never to the terminal; nothing is ended by name.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { AifiError, systemClock } from '@aifi/shared-kernel';
import type { Watchdog } from './watchdog.js';

export interface ProcessOrder {
  readonly name: string;
  readonly command: string;
  readonly arguments: readonly string[];
  /** The whole environment of the child. */
  readonly environment: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** Sees the output since this start; polled until true. */
  readonly isReady: (output: string) => boolean | Promise<boolean>;
}

export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** initdb, migrations and models on a slow machine with two cores. @unit ms */
const START_MS_MAX = 120_000;
const POLL_MS = 50;
/** A hub stops PostgreSQL with a checkpoint, a gateway finishes its commit. @unit ms */
const STOP_MS_MAX = 20_000;
const TAIL_LINES = 15;

/** True when the JSON log of an app says that it is up. */
export function hasReadyLine(output: string): boolean {
  return /"msg":"ready"/.test(output);
}

export class ManagedProcess {
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  /** Leaders of groups that may still have members: a killed process can leave children. */
  readonly #leaders = new Set<number>();

  constructor(
    private readonly order: ProcessOrder,
    private readonly watchdog: Watchdog,
  ) {}

  get name(): string {
    return this.order.name;
  }
  get logFile(): string {
    return this.order.logFile;
  }
  get pid(): number | undefined {
    return this.#child?.pid;
  }
  get isRunning(): boolean {
    return this.#child !== undefined && !hasEnded(this.#child);
  }
  /** How the last one ended; undefined while one runs, or before the first. */
  get end(): ProcessEnd | undefined {
    const child = this.#child;
    return child && hasEnded(child)
      ? { code: child.exitCode, signal: child.signalCode }
      : undefined;
  }
  /** Resolves when the process has ended, however. */
  get exited(): Promise<void> {
    return this.#exited;
  }

  /** Starts and waits until ready; `environment` holds for this start only (crash points). */
  async start(environment: Readonly<Record<string, string>> = {}): Promise<void> {
    const { command, logFile } = this.order;
    const offset = existsSync(logFile) ? statSync(logFile).size : 0;
    const log = openSync(logFile, 'a', 0o600);
    const child = spawn(command, [...this.order.arguments], {
      // An open pipe as standard input: its end tells the child that its parent is gone.
      stdio: ['pipe', log, log],
      env: { ...this.order.environment, ...environment },
      detached: true,
    });
    closeSync(log);
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      child.once('exit', () => resolve());
      child.once('error', () => resolve());
    });
    this.#forgetEmptyGroups();
    if (child.pid !== undefined) {
      this.#leaders.add(child.pid);
      this.watchdog.watch(child.pid);
    }
    await this.#untilReady(child, offset);
  }

  /** As a power cut would: SIGKILL to this one process; its children must notice by themselves. */
  async kill9(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#exited;
  }

  /** SIGTERM, then SIGKILL for whatever of its group is left. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child && !hasEnded(child)) {
      child.kill('SIGTERM');
      // One that was frozen by a fault hears it only then.
      child.kill('SIGCONT');
      const patience = new AbortController();
      await Promise.race([this.#exited, systemClock.sleep(STOP_MS_MAX, patience.signal)]);
      patience.abort();
    }
    for (const leader of this.#leaders) signalGroup(leader, 'SIGKILL');
    await this.#exited;
    this.#forgetEmptyGroups();
    this.#child = undefined;
  }

  /** Last lines of the output, for a report about what went wrong. */
  tail(): string {
    const text = existsSync(this.logFile) ? readFileSync(this.logFile, 'utf8') : '';
    return text.trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
  }

  /** A pid without a group may be given to a stranger: it must never be signalled again. */
  #forgetEmptyGroups(): void {
    for (const leader of this.#leaders) {
      if (signalGroup(leader, 0)) continue;
      this.#leaders.delete(leader);
      this.watchdog.forget(leader);
    }
  }

  async #untilReady(child: ChildProcess, offset: number): Promise<void> {
    const until = systemClock.monotonicMs() + START_MS_MAX;
    for (;;) {
      const output = textFrom(this.logFile, offset);
      if (await this.order.isReady(output)) return;
      if (hasEnded(child) || child.pid === undefined) {
        throw new AifiError('PEER_UNAVAILABLE', `${this.name} ended at start:\n${this.tail()}`);
      }
      if (systemClock.monotonicMs() > until) {
        throw new AifiError('DEADLINE_EXCEEDED', `${this.name} is not ready:\n${this.tail()}`);
      }
      await systemClock.sleep(POLL_MS);
    }
  }
}

/** A log grows for as long as a run lasts: only what this start wrote is read. */
function textFrom(path: string, offset: number): string {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(Math.max(0, statSync(path).size - offset));
    return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, offset)).toString('utf8');
  } finally {
    closeSync(file);
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** False when no process of the group is left. */
export function signalGroup(leader: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-leader, signal);
    return true;
  } catch {
    return false;
  }
}
