/**
 * PreviewRenderer: at most two previews or checks at a time, each in a thread with an end.
 * Decides what a hostile or huge image can cost: one thread for PREVIEW_MS_MAX or CHECK_MS_MAX,
 * never the event loop that receives studies; who comes when too many wait is refused.
 * Source: reliability specification 0 (bounded everything).
 */
import { Worker } from 'node:worker_threads';
import { AifiError, processEntry, type Clock, type ErrorCode } from '@aifi/shared-kernel';
import type { CheckOrder } from './frames-check.js';
import type { PreviewOrder } from './preview-picture.js';

const THREADS_MAX = 2;
/** People look at one frame after the other. */
const WAITING_MAX = 8;
/** The largest radiograph takes about 3 s in JPEG 2000. @unit ms */
const PREVIEW_MS_MAX = 15_000;
/** All frames of a file: a minute of ultrasound, or a breast in slices. @unit ms */
const CHECK_MS_MAX = 120_000;
/** Heap of a thread, pixels apart: those are bounded by their reader. @unit MiB */
const HEAP_MIB_MAX = 256;

/** The program of a thread; always compiled code. */
const THREAD = processEntry(new URL('..', import.meta.url).href, 'preview/preview-thread');

type Refusal = { readonly code: ErrorCode; readonly message: string };
type Answer = { readonly png: Uint8Array } | { readonly isWhole: true } | Refusal;

export class PreviewRenderer {
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(
    private readonly clock: Clock,
    private readonly thread = THREAD,
  ) {}

  /** The frame as PNG. LIMIT_EXCEEDED when too many wait, DEADLINE_EXCEEDED when it is slow. */
  async render(order: PreviewOrder): Promise<Buffer> {
    const answer = await this.#run(order, PREVIEW_MS_MAX);
    if ('png' in answer) return Buffer.from(answer.png);
    throw new AifiError('INTERNAL', 'the preview thread gave no picture');
  }

  /** Decodes every frame; STATE_CONFLICT when one does not. Refuses as `render` does. */
  async check(order: CheckOrder): Promise<void> {
    const answer = await this.#run(order, CHECK_MS_MAX);
    if (!('isWhole' in answer)) throw new AifiError('INTERNAL', 'the frames were not checked');
  }

  async #run(order: PreviewOrder | CheckOrder, msMax: number): Promise<Exclude<Answer, Refusal>> {
    await this.#enter();
    const worker = new Worker(this.thread, {
      workerData: order,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB_MAX },
    });
    // A picture that nobody waits for must not keep the process.
    worker.unref();
    try {
      const answer = await this.#answerOf(worker, msMax);
      if ('code' in answer) throw new AifiError(answer.code, answer.message);
      return answer;
    } finally {
      worker.removeAllListeners().on('error', () => undefined);
      await worker.terminate();
      this.#leave();
    }
  }

  async #enter(): Promise<void> {
    if (this.#running < THREADS_MAX) {
      this.#running += 1;
      return;
    }
    if (this.#waiting.length >= WAITING_MAX) {
      throw new AifiError('LIMIT_EXCEEDED', 'too many previews are asked for at once');
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
  /** The place goes to who waits longest, or back. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#running -= 1;
  }

  async #answerOf(worker: Worker, msMax: number): Promise<Answer> {
    const done = new AbortController();
    const late = async (): Promise<never> => {
      await this.clock.sleep(msMax, done.signal);
      throw new AifiError('DEADLINE_EXCEEDED', 'the preview takes too long');
    };
    const answered = new Promise<Answer>((resolve, reject) => {
      const broken = (cause?: unknown): void =>
        reject(new AifiError('INTERNAL', 'the preview thread has ended', { cause }));
      worker.once('message', resolve).once('error', broken).once('exit', broken);
    });
    try {
      return await Promise.race([answered, late()]);
    } finally {
      done.abort();
    }
  }
}
