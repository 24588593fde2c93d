/**
 * Watchdog: the stack's side of the process that cleans up when the stack itself is killed.
 * Decides nothing: it tells which process groups and folders exist at this moment.
 * Invariant: what is not forgotten is ended and removed as soon as the pipe closes.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { WATCHDOG_ENTRY } from './checkout.js';

export class Watchdog {
  readonly #child: ChildProcess;

  constructor() {
    const stdio: ['pipe', 'ignore', 'ignore'] = ['pipe', 'ignore', 'ignore'];
    this.#child = spawn(process.execPath, [WATCHDOG_ENTRY], { stdio, detached: true });
    this.#child.stdin?.on('error', () => undefined);
  }

  /** Process group to end. */
  watch(pid: number): void {
    this.#tell(`+${pid}`);
  }
  forget(pid: number): void {
    this.#tell(`-${pid}`);
  }
  /** Folder to remove. */
  watchFolder(path: string): void {
    this.#tell(`/${path}`);
  }
  /** Folder over which a file system was mounted. */
  watchMount(path: string): void {
    this.#tell(`~${path}`);
  }
  /** Everything is in order: the watchdog removes the folders and ends. */
  async close(): Promise<void> {
    const ended = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()));
    this.#child.stdin?.end();
    if (this.#child.exitCode === null) await ended;
  }

  #tell(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }
}
