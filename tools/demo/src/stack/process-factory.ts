/**
 * ProcessFactory: configuration file, log file and command line of each process of a stack.
 * Decides their places below the run folder: `<name>.json` and `<name>.log`.
 * Invariant: apps run on the Node that runs the stack, from compiled code.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { appEntry } from './checkout.js';
import { hasReadyLine, ManagedProcess, type ProcessOrder } from './managed-process.js';
import type { Watchdog } from './watchdog.js';

/** How a task of maintenance ended, and what it said. */
export interface TaskEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly error: string;
}
/** Longest task: a backup or a restore of a small gateway. @unit ms */
const TASK_MS_MAX = 60_000;

export class ProcessFactory {
  /** Every process made so far, in the order of making. */
  readonly made: ManagedProcess[] = [];

  constructor(
    private readonly runFolder: string,
    private readonly watchdog: Watchdog,
    /** PATH, for example; a user's AIFI_ variables would override the configuration files. */
    private readonly environment: Readonly<Record<string, string>>,
    /** More of it for a process by name: a key log, for example. */
    private readonly extraOf: (name: string) => Readonly<Record<string, string>> = () => ({}),
  ) {
    mkdirSync(join(runFolder, 'logs'), { recursive: true, mode: 0o700 });
  }

  /** A process of ours: one JSON configuration file, up at its `ready` line. */
  app(app: string, name: string, config: object): ManagedProcess {
    const configFile = this.#configFile(name);
    writeFileSync(configFile, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
    return this.#make({
      name,
      command: process.execPath,
      arguments: ['--disable-warning=ExperimentalWarning', appEntry(app)],
      environment: {
        ...this.environment,
        AIFI_CONFIG_FILE: configFile,
        ...this.extraOf(name),
      },
      isReady: hasReadyLine,
    });
  }

  /** A process that others wrote; `environment` holds what it needs besides. */
  foreign(
    order: Omit<ProcessOrder, 'logFile' | 'environment'>,
    environment: Readonly<Record<string, string>> = {},
  ): ManagedProcess {
    return this.#make({ ...order, environment: { ...this.environment, ...environment } });
  }

  /** Runs an app with arguments, with the configuration file of a process of this run. */
  async task(
    app: string,
    name: string,
    words: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<TaskEnd> {
    const child = spawn(process.execPath, [appEntry(app), ...words], {
      ...{ stdio: ['ignore', 'pipe', 'pipe'], timeout: TASK_MS_MAX, killSignal: 'SIGKILL' },
      env: {
        ...{ ...this.environment, ...this.extraOf(name), ...environment },
        AIFI_CONFIG_FILE: this.#configFile(name),
      },
    });
    let [out, error] = ['', ''];
    child.stdout.on('data', (chunk) => (out += String(chunk)));
    child.stderr.on('data', (chunk) => (error += String(chunk)));
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    return { code, signal, out, error };
  }

  #configFile(name: string): string {
    return join(this.runFolder, `${name}.json`);
  }

  #make(order: Omit<ProcessOrder, 'logFile'>): ManagedProcess {
    const logFile = join(this.runFolder, 'logs', `${order.name}.log`);
    const made = new ManagedProcess({ ...order, logFile }, this.watchdog);
    this.made.push(made);
    return made;
  }
}
