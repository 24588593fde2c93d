/**
 * DigestThread: SHA-256 beside the thread that does everything else.
 * Decides that bytes are digested where they lie when they are in shared memory, and that one
 * thread serves the process: digests take a third of the time that an instance takes.
 * Invariants: bytes may change only after `update` has settled; a thread that died rejects all that
 * wait, and the next digest has a new one; an idle thread keeps no process alive.
 * Source: FIPS 180-4.
 */
import { Worker } from 'node:worker_threads';
import { AifiError, processEntry, type Sha256 } from '@aifi/shared-kernel';

export interface DigestQuestion {
  readonly id: number;
  /** Undefined: that was all. */
  readonly pieces?: readonly Uint8Array[];
}
/** The digest in hexadecimal when it has ended, otherwise ''. */
export type DigestAnswer = string;

interface Waiting {
  readonly resolve: (answer: DigestAnswer) => void;
  readonly reject: (error: Error) => void;
}
interface Thread {
  readonly worker: Worker;
  /** In the order of the questions, which is that of the answers. */
  readonly waiting: Waiting[];
}

/** JavaScript of the thread; what it digests is not in its heap. @unit MiB */
const HEAP = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 };

let current: Thread | undefined;
let lastId = 0;

function start(): Thread {
  const worker = new Worker(processEntry(import.meta.url, 'digest-thread-main'), {
    resourceLimits: HEAP,
    // A thread of this process: flags for debugging it are not for this one.
    execArgv: [],
  });
  const thread: Thread = { worker, waiting: [] };
  worker.unref();
  worker.on('message', (answer: DigestAnswer) => {
    thread.waiting.shift()?.resolve(answer);
    if (thread.waiting.length === 0) worker.unref();
  });
  const fail = (cause?: unknown): void => {
    if (current === thread) current = undefined;
    const error = new AifiError('INTERNAL', 'the digest thread is gone', { cause });
    for (const { reject } of thread.waiting.splice(0)) reject(error);
  };
  worker.on('error', fail);
  worker.on('exit', () => fail());
  return thread;
}

function ask({ worker, waiting }: Thread, question: DigestQuestion): Promise<DigestAnswer> {
  return new Promise((resolve, reject) => {
    // Somebody waits for the answer: the process may not end before.
    worker.ref();
    waiting.push({ resolve, reject });
    worker.postMessage(question);
  });
}

/** One digest; `end` or `discard` has to be called, so that the thread forgets it. */
export class ThreadedDigest {
  readonly #thread = (current ??= start());
  readonly #id = (lastId += 1);
  #isOpen = false;

  /** Settles when the bytes are no longer needed. Rejects INTERNAL when the thread is gone. */
  async update(...pieces: readonly Uint8Array[]): Promise<void> {
    this.#isOpen = true;
    await this.#ask({ id: this.#id, pieces });
  }
  async end(): Promise<Sha256> {
    this.#isOpen = false;
    return (await this.#ask({ id: this.#id })) as Sha256;
  }
  discard(): void {
    if (this.#isOpen) this.end().catch(() => undefined);
  }

  async #ask(question: DigestQuestion): Promise<DigestAnswer> {
    // What a thread that is gone has digested is lost.
    if (this.#thread !== current) throw new AifiError('INTERNAL', 'the digest thread is gone');
    return ask(this.#thread, question);
  }
}

/** Memory that the thread reads in place. */
export function sharedBytes(length: number): Buffer {
  return Buffer.from(new SharedArrayBuffer(length));
}
