/**
 * ListenerChild: one life of the DIMSE listener process, seen from the gateway.
 * Decides what the child may touch and how the two talk: answers of one turn go together, and an
 * invalid message ends the child. Invariant: it is gone when `ended` resolves.
 * Source: reliability specification F3, H13; architecture 3.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AifiError, LIMITS, processEntry, type Clock } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import {
  childMessageSchema,
  EXIT_DISK_FAULT,
  type CheckedChildMessage,
  type ListenerTls,
  type ParentMessage,
  type StartMessage,
  type Verdict,
} from './listener-messages.js';
import type { ReceiveConfig } from './receive.config.js';

/**
 * Young space of the child. Its garbage is the socket's buffers of 64 KiB; in a small space they
 * are freed before they count as old, which halved CPU and memory (measured). @unit MiB
 */
const YOUNG_SPACE_MB = 2;

export interface ListenerChildOptions {
  readonly incomingFolder: string;
  /** Others that it may touch. */
  readonly furtherFolders: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onMessage: (message: CheckedChildMessage) => void;
}
/**
 * Why a child is gone: it was told to, its disk failed to sync, or it died, perhaps of an object.
 */
export type ListenerEnd = 'stopped' | 'disk-fault' | 'died';

export class ListenerChild {
  readonly ended: Promise<ListenerEnd>;
  readonly #process: ChildProcess;
  #verdicts: Verdict[] = [];
  #isStopping = false;

  private constructor(
    process: ChildProcess,
    private readonly options: ListenerChildOptions,
  ) {
    const { logger } = options;
    this.#process = process;
    process.on('error', (error) => logger.fault('DICOM listener failed', error));
    process.on('message', (message) => this.#onMessage(message));
    // Not 'exit': what it said last must have been heard before its folder is swept.
    this.ended = once(process, 'close').then(
      ([code]) => this.#end(code as number | null),
      () => 'died',
    );
  }

  static async start(message: StartMessage, options: ListenerChildOptions): Promise<ListenerChild> {
    const folders = [options.incomingFolder, ...options.furtherFolders];
    const process = fork(processEntry(import.meta.url, 'listener-main'), [], {
      execArgv: [`--max-semi-space-size=${YOUNG_SPACE_MB}`, ...(await permissions(folders))],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const child = new ListenerChild(process, options);
    child.send(message);
    return child;
  }

  send(message: ParentMessage): void {
    if (this.#process.connected) this.#process.send(message, () => undefined);
  }

  /** Answers go when this turn's work is done: what was committed together leaves together. */
  answer(verdict: Verdict): void {
    this.#verdicts.push(verdict);
    if (this.#verdicts.length > 1) return;
    process.nextTick(() => {
      const verdicts = this.#verdicts;
      this.#verdicts = [];
      this.send({ kind: 'verdicts', verdicts });
    });
  }

  /** Asks it to end, and ends it after the grace. */
  stop(): void {
    this.#isStopping = true;
    this.send({ kind: 'stop' });
    const gone = new AbortController();
    void this.ended.then(() => gone.abort());
    void this.options.clock.sleep(LIMITS.socketGraceMs, gone.signal).then(() => {
      if (!gone.signal.aborted) this.#process.kill('SIGKILL');
    });
  }

  #end(code: number | null): ListenerEnd {
    if (this.#isStopping) return 'stopped';
    return code === EXIT_DISK_FAULT ? 'disk-fault' : 'died';
  }

  #onMessage(raw: unknown): void {
    const parsed = childMessageSchema.safeParse(raw);
    if (parsed.success) {
      this.options.onMessage(parsed.data);
      return;
    }
    this.options.logger.error('DICOM listener sent an invalid message and is ended');
    this.#process.kill('SIGKILL');
  }
}

type TlsFiles = NonNullable<ReceiveConfig['tls']>;

/** The PEM files of a TLS port as they are now; CONFIG_INVALID when one cannot be read. */
export async function readTls(tls: TlsFiles | undefined): Promise<ListenerTls | undefined> {
  if (!tls) return undefined;
  const { port, certificateFile, keyFile, caFile } = tls;
  try {
    const files = [certificateFile, keyFile, caFile].map((path) => readFile(path, 'utf8'));
    const [certificate, key, ca] = (await Promise.all(files)) as [string, string, string];
    return { port, certificate, key, ca };
  } catch (cause) {
    throw new AifiError('CONFIG_INVALID', 'a file of DICOM TLS cannot be read', { cause });
  }
}

/** The child may read program code and touch the folders, nothing else (H13). */
async function permissions(folders: readonly string[]): Promise<string[]> {
  const root = fileURLToPath(new URL('../../../../', import.meta.url));
  const own = await Promise.all(folders.map((folder) => realpath(folder)));
  return [
    '--permission',
    `--allow-fs-read=${join(root, 'libs')}`,
    `--allow-fs-read=${join(root, 'node_modules')}`,
    ...own.flatMap((folder) => [`--allow-fs-read=${folder}`, `--allow-fs-write=${folder}`]),
  ];
}
