/**
 * WriterThread: files written and digests taken beside the thread that does everything else.
 * Decides that one thread serves the process, that bytes are used where they lie when they are in
 * shared memory, and that a file of one piece takes one question: waking a thread costs more than
 * most of what is asked of it.
 * Invariants: bytes may change only after they were taken; a thread that died rejects all that
 * wait, and what begins next has a new one; an idle thread keeps no process alive.
 * Source: FIPS 180-4; reliability specification 2 (DURABLE(file)).
 */
import { Worker } from 'node:worker_threads';
import { AifiError, fileFault, processEntry, type Sha256 } from '@aifi/shared-kernel';

export interface WriterQuestion {
  readonly id: number;
  /** Of the output that it belongs to. */
  readonly output: number;
  /** The file that the output goes to, made anew; undefined: it is only digested. */
  readonly path: string | undefined;
  readonly pieces: readonly Uint8Array[];
  /** Other bytes, with a digest of their own. */
  readonly beside?: Uint8Array | undefined;
  /** What follows the pieces. */
  readonly then: 'more' | 'end' | 'discard';
}
export interface Ended {
  /** Of a file: as the disk says. */
  readonly sizeBytes: number;
  readonly sha256: Sha256;
}
/** That the pieces were taken; then, when the output ends, that it is on disk. */
export interface WriterAnswer {
  readonly id: number;
  /** Digest of the bytes beside. */
  readonly beside?: Sha256 | undefined;
  readonly ended?: Ended | undefined;
  /** Instead of anything else. */
  readonly fault?: { readonly code: string | undefined; readonly message: string } | undefined;
}

interface Waiting {
  readonly then: WriterQuestion['then'];
  readonly take: (answer: WriterAnswer) => void;
  readonly end: (ended: Ended) => void;
  readonly fail: (error: AifiError) => void;
}
interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting>;
}

/** JavaScript of the thread; what it writes is not in its heap. @unit MiB */
const HEAP = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 };

let current: Thread | undefined;
let lastId = 0;

function start(): Thread {
  const worker = new Worker(processEntry(import.meta.url, 'writer-thread-main'), {
    resourceLimits: HEAP,
    // A thread of this process: flags for debugging it are not for this one.
    execArgv: [],
  });
  const waiting = new Map<number, Waiting>();
  const thread: Thread = { worker, waiting };
  worker.on('message', (answer: WriterAnswer) => {
    hear(waiting, answer);
    if (waiting.size === 0) worker.unref();
  });
  const fail = (cause?: unknown): void => {
    if (current === thread) current = undefined;
    const error = new AifiError('INTERNAL', 'the writer thread is gone', { cause });
    for (const each of waiting.values()) each.fail(error);
    waiting.clear();
  };
  worker.on('error', fail);
  worker.on('exit', () => fail());
  // Last: to listen to a thread is to wait for it.
  worker.unref();
  return thread;
}

function hear(waiting: Map<number, Waiting>, answer: WriterAnswer): void {
  const { id, fault, ended } = answer;
  const question = waiting.get(id);
  if (!question) return;
  const isLast = fault !== undefined || ended !== undefined || question.then !== 'end';
  if (isLast) waiting.delete(id);
  if (fault) {
    question.fail(fileFault(Object.assign(new Error(fault.message), { code: fault.code })));
    return;
  }
  question.take(answer);
  if (ended) question.end(ended);
}

export interface Asked {
  /** Settles when the bytes are no longer needed, with the digest of those beside. */
  readonly taken: Promise<Sha256 | undefined>;
  /** Settles when the output has ended; a file is on disk then. */
  readonly ended: Promise<Ended>;
}

/** One output: a file, or a digest only; `end` or `discard` it, so that the thread forgets it. */
export class ThreadedOutput {
  readonly #thread = (current ??= start());
  readonly #output = (lastId += 1);
  #isOpen = false;

  constructor(private readonly path?: string) {}

  /** Settles when the bytes are no longer needed: digested, and written when there is a file. */
  async append(...pieces: readonly Uint8Array[]): Promise<void> {
    await this.#ask({ pieces, then: 'more' }).taken;
  }

  /** Adds the last bytes; a file is then brought to the disk. */
  end(pieces: readonly Uint8Array[] = [], beside?: Uint8Array): Asked {
    return this.#ask({ pieces, beside, then: 'end' });
  }

  /** Forgets the output, unless it has ended; what was written of it stays. */
  async discard(): Promise<void> {
    if (this.#isOpen) await this.#ask({ pieces: [], then: 'discard' }).taken;
  }

  #ask(asked: Pick<WriterQuestion, 'pieces' | 'beside' | 'then'>): Asked {
    const id = (lastId += 1);
    const { worker, waiting } = this.#thread;
    this.#isOpen = asked.then === 'more';
    const [taken, ended] = [
      Promise.withResolvers<Sha256 | undefined>(),
      Promise.withResolvers<Ended>(),
    ];
    // A fault shows where it is waited for.
    taken.promise.catch(() => undefined);
    ended.promise.catch(() => undefined);
    const fail = (error: AifiError): void => {
      taken.reject(error);
      ended.reject(error);
    };
    if (this.#thread === current) {
      // Somebody waits for the answer: the process may not end before.
      worker.ref();
      const take = ({ beside }: WriterAnswer): void => taken.resolve(beside);
      waiting.set(id, { then: asked.then, take, end: ended.resolve, fail });
      const question = { ...asked, id, output: this.#output, path: this.path };
      worker.postMessage(question satisfies WriterQuestion);
    } else {
      // What a thread that is gone has digested is lost.
      fail(new AifiError('INTERNAL', 'the writer thread is gone'));
    }
    return { taken: taken.promise, ended: ended.promise };
  }
}

/** Has the thread come up while something else is done: it takes as long as a dozen files. */
export function startWriter(): void {
  current ??= start();
}

/** Memory that the thread reads in place. */
export function sharedBytes(length: number): Buffer {
  return Buffer.from(new SharedArrayBuffer(length));
}
