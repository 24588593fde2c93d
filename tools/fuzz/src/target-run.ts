/**
 * One run of a target: a worker process that is watched, and started again after its death.
 * Decides what is a hang (the same input for a second of processor time), a crash and too much
 * memory. Invariant: no worker outlives this call.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { writeInput } from './corpus.js';
import type { Finding, FindingKind } from './finding.js';
import { readProgress } from './progress-file.js';
import {
  HANG_MS,
  ORDER_VARIABLE,
  RESIDENT_BYTES_MAX,
  type WorkerFigures,
  type WorkerMessage,
  type WorkerOrder,
} from './worker-messages.js';

/** @unit ms */
const LOOK_MS = 250;
/** Without processor time to go by, and for a worker that waits for ever. @unit ms */
const STALL_MS = 15_000;
/** A target that dies so often is not fuzzed any further. */
const DEATHS_MAX = 3;
/** Clock ticks of /proc: 100 a second on every Linux (proc(5)). @unit ms */
const TICK_MS = 10;
/** Garbage must not look like a leak; what is really held still passes the limit. */
const SMALL_HEAP = ['--max-old-space-size=320', '--max-semi-space-size=4'];

export interface TargetBudget {
  readonly seconds?: number | undefined;
  readonly executions?: number | undefined;
}
export interface TargetOrder extends TargetBudget {
  readonly target: string;
  readonly covers: readonly string[];
  readonly seed: number;
  /** The folder of this tool: hooks, entry and corpus. */
  readonly folder: string;
  /** Inputs found here, and what else a run leaves behind. */
  readonly workFolder: string;
  readonly findingsFolder: string;
}
export interface TargetResult extends WorkerFigures {
  readonly target: string;
  readonly seconds: number;
  readonly residentBytesPeak: number;
  readonly findings: readonly Finding[];
}

function proc(pid: number, file: 'stat' | 'status'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
/** User time so far; undefined where there is no /proc. @unit ms */
function userMs(pid: number): number | undefined {
  const fields = proc(pid, 'stat')
    .replace(/^.*\) /, '')
    .split(' ');
  return fields.length > 11 ? Number(fields[11]) * TICK_MS : undefined;
}
function peakBytes(pid: number): number {
  const line = /VmHWM:\s+(\d+) kB/.exec(proc(pid, 'status'));
  return line ? Number(line[1]) * 1024 : 0;
}

class WorkerRun {
  readonly findings = new Map<string, Finding>();
  #base: WorkerFigures = zero;
  #latest: WorkerFigures = zero;
  #isDone = false;
  #peak = 0;
  #deaths = 0;

  constructor(private readonly order: TargetOrder) {}

  async run(signal: AbortSignal): Promise<TargetResult> {
    const started = performance.now();
    const elapsed = (): number => (performance.now() - started) / 1_000;
    while (!this.#isDone && !signal.aborted && this.#deaths < DEATHS_MAX) {
      const { seconds, executions } = this.order;
      await this.#life(signal, {
        seconds: seconds === undefined ? undefined : Math.max(0, seconds - elapsed()),
        executions: executions === undefined ? undefined : executions - this.#base.executions,
      });
    }
    if (this.#peak > RESIDENT_BYTES_MAX) {
      const signature = 'peak of resident memory over its limit';
      this.#add({ kind: 'memory', signature, detail: signature, path: '' });
    }
    return {
      ...this.#latest,
      executions: this.#base.executions,
      target: this.order.target,
      seconds: elapsed(),
      residentBytesPeak: this.#peak,
      findings: [...this.findings.values()],
    };
  }

  #add(finding: Finding): void {
    const key = `${finding.kind} ${finding.signature}`;
    if (!this.findings.has(key)) this.findings.set(key, finding);
  }
  /** The input in hand of a worker that hangs or is gone. */
  #addFromProgress(kind: FindingKind, signature: string, progressPath: string): void {
    const input = readProgress(progressPath)?.input ?? new Uint8Array(0);
    const path = writeInput(this.order.findingsFolder, input);
    writeFileSync(`${path}.txt`, `${kind}\n${signature}\n`);
    this.#add({ kind, signature, detail: signature, path });
  }
  async #life(signal: AbortSignal, budget: TargetBudget): Promise<void> {
    const { folder, target, covers, seed, workFolder, findingsFolder } = this.order;
    const progressPath = join(workFolder, 'progress');
    const order: WorkerOrder = {
      ...budget,
      target,
      seed: seed + this.#deaths,
      corpusFolder: join(folder, 'corpus', target),
      workFolder,
      findingsFolder,
      progressPath,
    };
    mkdirSync(workFolder, { recursive: true });
    writeFileSync(progressPath, '');
    const load = join(folder, 'load.mjs');
    const child = fork(join(folder, 'src', 'worker-main.ts'), [], {
      execArgv: [...SMALL_HEAP, '--expose-gc', '--conditions=aifi-source', '--import', load],
      env: {
        ...process.env,
        AIFI_FUZZ_COVERS: covers.join(','),
        [ORDER_VARIABLE]: JSON.stringify(order),
      },
    });
    const stop = (): void => void child.kill('SIGKILL');
    signal.addEventListener('abort', stop, { once: true });
    child.on('message', (message: WorkerMessage) => this.#hear(message));
    const exited = once(child, 'exit') as Promise<[number | null, string | null]>;
    const ended = new AbortController();
    const watching = this.#watch(child, progressPath, ended.signal);
    const [code, signalName] = await exited;
    ended.abort();
    const wasHanging = await watching;
    signal.removeEventListener('abort', stop);
    // Of a worker that died the file knows more than its last message.
    const executions = Math.max(
      this.#latest.executions,
      readProgress(progressPath)?.executions ?? 0,
    );
    this.#base = { ...this.#latest, executions: this.#base.executions + executions };
    this.#latest = { ...this.#latest, executions: 0 };
    if (this.#isDone || signal.aborted) return;
    this.#deaths += 1;
    // Exit code 3 has told of its finding.
    if (wasHanging) this.#addFromProgress('hang', 'longer than a second', progressPath);
    else if (code !== 3) {
      this.#addFromProgress('crash', `worker ended with ${code ?? signalName}`, progressPath);
    }
  }

  #hear(message: WorkerMessage): void {
    if (message.kind === 'finding') {
      const { finding: kind, signature, detail, path } = message;
      this.#add({ kind, signature, detail, path });
      return;
    }
    this.#latest = message.figures;
    if (message.kind === 'done') this.#isDone = true;
  }

  /** Kills a worker that stays on one input; true when it did. */
  async #watch(child: ChildProcess, progressPath: string, ended: AbortSignal): Promise<boolean> {
    let since = { executions: 0, wallMs: performance.now(), userMs: 0 };
    while (!ended.aborted) {
      await pause(LOOK_MS, undefined, { signal: ended }).catch(() => undefined);
      const pid = child.pid ?? 0;
      this.#peak = Math.max(this.#peak, peakBytes(pid));
      const executions = readProgress(progressPath)?.executions ?? 0;
      const now = { executions, wallMs: performance.now(), userMs: userMs(pid) ?? 0 };
      // Before the first execution the worker is still loading.
      if (executions === 0 || executions !== since.executions) {
        since = now;
        continue;
      }
      const isBusy = now.userMs - since.userMs > HANG_MS;
      if (isBusy || now.wallMs - since.wallMs > STALL_MS) {
        if (ended.aborted || this.#isDone) return false;
        child.kill('SIGKILL');
        return true;
      }
    }
    return false;
  }
}

const zero: WorkerFigures = {
  executions: 0,
  corpusInputs: 0,
  coverageReached: 0,
  coverageTotal: 0,
};

export function runTarget(order: TargetOrder, signal: AbortSignal): Promise<TargetResult> {
  return new WorkerRun(order).run(signal);
}
