/**
 * TextDetector: the text detector's process, seen from the gate.
 * Decides how long a picture may take, how many may wait, and when a process that fails is not
 * started again for a while. Invariants: every fault, time-out and overflow rejects with
 * PEER_UNAVAILABLE and never answers "nothing found"; the process is gone when `close` resolves.
 * Source: pseudonymisation specification 1.5 (its own process, one adapter, fail closed).
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { AifiError, processEntry, type Clock } from '@aifi/shared-kernel';
import type { Plane } from './components.js';
import { readAnswerSchema, type DetectedWord } from './text-detector-messages.js';

export interface TextDetector {
  /** Words in the plane; rejects when the detector is not available. */
  readonly read: (plane: Plane) => Promise<readonly DetectedWord[]>;
  readonly close: () => Promise<void>;
}
export interface TextDetectorOptions {
  readonly clock: Clock;
  /** Of one picture, starting included. @unit ms @default 30000 */
  readonly timeoutMs?: number;
  /** Entry of the process; another one in tests. */
  readonly entry?: string;
}

/** Callers wait for their turn; there is one stage, so more is a fault. */
const WAITING_MAX = 16;
/** A larger picture is cut into pieces by the caller. @unit pixels */
export const READ_PIXELS_MAX = 2 ** 24;
/** A process that died this often in a row is left alone for a while. */
const FAULTS_MAX = 3;
const REST_MS = 60_000;
const TIMEOUT_MS = 30_000;
/** JavaScript of the child; the engine's own memory is outside and watched there. @unit MiB */
const OLD_SPACE_MB = 256;

export function createTextDetector(options: TextDetectorOptions): TextDetector {
  const detector = new ProcessTextDetector(options);
  return { read: (plane) => detector.read(plane), close: () => detector.close() };
}

class ProcessTextDetector {
  #child: ChildProcess | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #lastId = 0;
  #faults = 0;
  #restUntilMs = 0;
  readonly #closed = new AbortController();

  constructor(private readonly options: TextDetectorOptions) {}

  read(plane: Plane): Promise<readonly DetectedWord[]> {
    if (this.#closed.signal.aborted || this.#waiting >= WAITING_MAX) return Promise.reject(fault());
    if (plane.rows * plane.columns > READ_PIXELS_MAX) return Promise.reject(fault());
    this.#waiting += 1;
    const answer = this.#turn.then(() => this.#readNow(plane));
    this.#turn = answer.catch(() => undefined).finally(() => (this.#waiting -= 1));
    return answer;
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#kill();
    await this.#turn;
    await this.#kill();
  }

  async #readNow(plane: Plane): Promise<readonly DetectedWord[]> {
    const { clock, timeoutMs = TIMEOUT_MS } = this.options;
    if (this.#closed.signal.aborted || clock.monotonicMs() < this.#restUntilMs) throw fault();
    const child = (this.#child ??= this.#start());
    const done = new AbortController();
    try {
      const words = await Promise.race([
        this.#ask(child, plane, done.signal),
        clock.sleep(timeoutMs, done.signal).then(() => undefined),
        once(this.#closed.signal, 'abort', { signal: done.signal }).then(() => undefined),
      ]);
      if (!words) throw fault();
      this.#faults = 0;
      return words;
    } catch {
      // Whatever it was doing, the next picture gets a fresh process.
      await this.#kill();
      this.#faults += 1;
      if (this.#faults >= FAULTS_MAX) {
        this.#faults = 0;
        this.#restUntilMs = clock.monotonicMs() + REST_MS;
      }
      throw fault();
    } finally {
      done.abort();
    }
  }

  #start(): ChildProcess {
    const entry = this.options.entry ?? processEntry(import.meta.url, 'text-detector-main');
    const child = fork(entry, [], {
      execArgv: [`--max-old-space-size=${OLD_SPACE_MB}`],
      serialization: 'advanced',
      // It needs no secret of the gateway.
      env: {},
      // Its standard error could quote what it read.
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    child.on('error', () => undefined);
    return child;
  }

  /** Undefined when the process ended or said something that is no answer. */
  #ask(
    child: ChildProcess,
    plane: Plane,
    signal: AbortSignal,
  ): Promise<readonly DetectedWord[] | undefined> {
    const id = (this.#lastId += 1);
    return new Promise((resolve) => {
      const onMessage = (raw: unknown): void => {
        const parsed = readAnswerSchema.safeParse(raw);
        if (!parsed.success) return resolve(undefined);
        if (parsed.data.kind === 'words' && parsed.data.id === id) resolve(parsed.data.words);
      };
      const onEnd = (): void => resolve(undefined);
      child.on('message', onMessage);
      child.on('close', onEnd);
      signal.addEventListener('abort', () => {
        child.off('message', onMessage);
        child.off('close', onEnd);
        resolve(undefined);
      });
      child.send({ id, rows: plane.rows, columns: plane.columns, data: plane.data }, (error) => {
        if (error) resolve(undefined);
      });
    });
  }

  async #kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'close');
    child.kill('SIGKILL');
    await gone;
  }
}

function fault(): AifiError {
  return new AifiError('PEER_UNAVAILABLE', 'the text detector is not available');
}
