/**
 * PreviewRenderer: at most two previews at a time, each in a thread with an end.
 * Decides what a hostile or huge object can cost: one thread for PREVIEW_MS_MAX, never the event
 * loop; who comes when too many wait is refused. Invariant: a thread that failed or was too slow is
 * ended, so the next preview starts in a new one.
 * Source: reliability specification 0 (bounded everything).
 */
import { Worker } from 'node:worker_threads';
import { AifiError, processEntry, type Clock, type ErrorCode } from '@aifi/shared-kernel';
import type { PreviewOrder } from './preview-picture.js';

const THREADS_MAX = 2;
/** Pages ask for one screen of previews at a time. */
const WAITING_MAX = 16;
/** The largest radiograph takes about 3 s in JPEG 2000. @unit ms */
const PREVIEW_MS_MAX = 15_000;
/** Heap of a thread, pixels apart: those are bounded by the reader. @unit MiB */
const HEAP_MIB_MAX = 256;

/** The program of a thread; always compiled code. */
const THREAD = processEntry(new URL('..', import.meta.url).href, 'preview/preview-thread');

type Answer = { readonly png: Uint8Array } | { readonly code: ErrorCode; readonly message: string };

export class PreviewRenderer {
  readonly #idle: Worker[] = [];
  readonly #threads = new Set<Worker>();
  readonly #waiting: (() => void)[] = [];
  readonly #closing = new AbortController();
  #running = 0;

  constructor(
    private readonly clock: Clock,
    private readonly thread = THREAD,
  ) {}

  /** The picture as PNG. LIMIT_EXCEEDED when too many wait, DEADLINE_EXCEEDED when it is slow. */
  async render(order: PreviewOrder): Promise<Buffer> {
    await this.#enter();
    const thread = this.#idle.pop() ?? this.#open();
    try {
      const answer = await this.#ask(thread, order);
      this.#idle.push(thread);
      if ('png' in answer) return Buffer.from(answer.png);
      throw new AifiError(answer.code, answer.message);
    } finally {
      if (!this.#idle.includes(thread)) await this.#end(thread);
      this.#leave();
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    for (const enter of this.#waiting.splice(0)) enter();
    await Promise.all([...this.#threads].map((thread) => this.#end(thread)));
  }

  async #enter(): Promise<void> {
    if (this.#running >= THREADS_MAX) {
      if (this.#waiting.length >= WAITING_MAX) {
        throw new AifiError('LIMIT_EXCEEDED', 'too many previews are asked for at once');
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#running += 1;
    }
    if (!this.#closing.signal.aborted) return;
    this.#leave();
    throw stopping();
  }
  /** The place goes to who waits longest, or back. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#running -= 1;
  }

  #open(): Worker {
    const thread = new Worker(this.thread, {
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB_MAX },
    });
    // A thread without work must not keep the process.
    thread.unref();
    // Without a listener the fault of an idle thread would end the process.
    thread.on('error', () => undefined);
    this.#threads.add(thread);
    return thread;
  }
  async #end(thread: Worker): Promise<void> {
    this.#threads.delete(thread);
    await thread.terminate();
  }

  async #ask(thread: Worker, order: PreviewOrder): Promise<Answer> {
    const done = new AbortController();
    const late = async (): Promise<never> => {
      await this.clock.sleep(PREVIEW_MS_MAX, AbortSignal.any([done.signal, this.#closing.signal]));
      throw this.#closing.signal.aborted
        ? stopping()
        : new AifiError('DEADLINE_EXCEEDED', 'the preview takes too long');
    };
    const answered = new Promise<Answer>((resolve, reject) => {
      const broken = (cause?: unknown): void =>
        reject(new AifiError('INTERNAL', 'the preview thread has ended', { cause }));
      thread.once('message', resolve).once('error', broken).once('exit', broken);
    });
    thread.postMessage(order);
    try {
      return await Promise.race([answered, late()]);
    } finally {
      done.abort();
      thread.removeAllListeners('message').removeAllListeners('exit');
      thread.removeAllListeners('error').on('error', () => undefined);
    }
  }
}

const stopping = (): AifiError => new AifiError('PEER_UNAVAILABLE', 'the hub is stopping');
