/**
 * The folder intake: batches of files that people put into a folder go to the listener.
 * Decides when a batch is whole (its name ends with `.ready`, and nothing in it changed for a
 * while), what becomes of each file, and where the batch goes then. Invariants: where a batch lies
 * is all that is remembered, so one that was interrupted is done again, and what was stored before
 * is no work; nothing is deleted; outside the folder a batch is a number.
 * Source: features 3-7 (named batches); reliability specification P0, F10.
 */
import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { storeVerdict } from '@aifi/dicom-dimse';
import { AifiError, backoffMs, crashPoint, type Clock, type Stage } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import { BATCH_FILES_MAX, listBatch, withBatchFile, type BatchFile } from './batch-files.js';
import {
  closeBatch,
  ENDS,
  FILE_OUTCOMES,
  finishMoves,
  makeEnds,
  READY,
  type BatchReport,
  type FileOutcome,
  type FileReport,
} from './batch-report.js';
import type { FolderIntakeConfig } from './folder-intake.config.js';

/** Who stores a Part 10 file as if it had come by C-STORE: its status, durable when it is 0. */
export interface FileIntake {
  store(
    file: AsyncIterable<Uint8Array>,
    origin: { readonly way: 'folder'; readonly from: string; readonly lane: 'acute' | 'routine' },
  ): Promise<number>;
}
export interface FolderIntakeDependencies {
  readonly config: FolderIntakeConfig;
  readonly intake: FileIntake;
  readonly clock: Clock;
  readonly logger: Logger;
}
export interface FolderIntakeState {
  /** False: the folder cannot be read or written. */
  readonly isReachable: boolean;
  /** Batches that lie there to be taken. */
  readonly waiting: number;
  /** The one in hand. */
  readonly batch: {
    readonly number: number;
    readonly files: number;
    readonly handled: number;
  } | null;
  /** What the one in hand waits for. */
  readonly heldBy: 'no-room' | 'no-listener' | null;
  /** Since the gateway started. */
  readonly done: number;
  readonly failed: number;
}
export interface FolderIntake extends Stage {
  readonly state: () => FolderIntakeState;
}

/** Time between two looks at the folder. @unit ms */
const LOOK_MS = 2_000;
/** Tries of a file that the listener could not process, beyond a lack of room. */
const TRIES_MAX = 3;
/** Batches of which it is known since when nothing changed in them. */
const SETTLING_MAX = 1_000;
const HELD_MS_MAX = 30_000;

export function createFolderIntake(dependencies: FolderIntakeDependencies): FolderIntake {
  const looking = new FolderLook(dependencies);
  return {
    name: 'folder-intake',
    state: () => looking.state,
    run: (signal) => looking.run(signal),
  };
}

interface Settling {
  readonly fingerprint: string;
  readonly sinceMs: number;
}

class FolderLook {
  /** Without a link in its path. */
  #folder = '';
  readonly #origin: Parameters<FileIntake['store']>[1];
  readonly #logger: Logger;
  #settling = new Map<string, Settling>();
  /** Batches with a fault that was told. */
  readonly #troubled = new Set<string>();
  #lastNumber = 0;
  #state: FolderIntakeState = {
    ...{ isReachable: true, waiting: 0, batch: null, heldBy: null, done: 0, failed: 0 },
  };

  constructor(private readonly dependencies: FolderIntakeDependencies) {
    const { name, lane } = dependencies.config;
    this.#origin = { way: 'folder', from: name, lane };
    this.#logger = dependencies.logger.child({ stage: 'folder-intake' });
  }

  get state(): FolderIntakeState {
    return this.#state;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.dependencies;
    while (!signal.aborted) {
      let isBusy = false;
      try {
        isBusy = await this.#look(signal);
        this.#set({ isReachable: true });
      } catch (error) {
        // Once for each time: a share may be away for a night.
        if (this.#state.isReachable) this.#logger.fault('folder of batches fails', cleaned(error));
        this.#set({ isReachable: false });
      }
      this.#set({ batch: null, heldBy: null });
      if (!isBusy) await clock.sleep(LOOK_MS, signal);
    }
  }

  /** True when a batch was taken: there may be another. */
  async #look(signal: AbortSignal): Promise<boolean> {
    this.#folder = await realpath(this.dependencies.config.folder);
    await makeEnds(this.#folder);
    await finishMoves(this.#folder);
    const entries = await readdir(this.#folder, { withFileTypes: true });
    const ready = entries
      .filter((entry) => entry.isDirectory() && entry.name.endsWith(READY))
      .map(({ name }) => name.slice(0, -READY.length))
      .filter((name) => name !== '' && !ENDS.some((end) => end === name))
      .sort();
    this.#set({ waiting: ready.length });
    const known = this.#settling;
    this.#settling = new Map();
    let isBusy = false;
    for (const name of ready) {
      if (signal.aborted || this.#settling.size >= SETTLING_MAX) break;
      try {
        isBusy = (await this.#lookAt(name, known.get(name), signal)) || isBusy;
        this.#troubled.delete(name);
      } catch (error) {
        // The others go on; this one has to settle again.
        if (!this.#troubled.has(name)) this.#logger.fault('a batch of files waits', cleaned(error));
        this.#troubled.add(name);
      }
    }
    for (const name of this.#troubled) if (!ready.includes(name)) this.#troubled.delete(name);
    return isBusy;
  }

  /** True when the batch was closed. */
  async #lookAt(name: string, before: Settling | undefined, signal: AbortSignal): Promise<boolean> {
    const { files, isTooMuch, fingerprint } = await listBatch(this.#pathOf(name));
    const nowMs = this.dependencies.clock.monotonicMs();
    const isSame = before?.fingerprint === fingerprint;
    const settling = isSame ? before : { fingerprint, sinceMs: nowMs };
    if (isSame && nowMs - settling.sinceMs >= this.dependencies.config.settleMs) {
      return this.#take(name, isTooMuch ? undefined : files, signal);
    }
    this.#settling.set(name, settling);
    return false;
  }

  /** `files`: undefined when there are too many. True when the batch is closed. */
  async #take(
    name: string,
    files: readonly BatchFile[] | undefined,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { clock } = this.dependencies;
    const startedMs = clock.nowMs();
    const number = (this.#lastNumber = Math.max(startedMs, this.#lastNumber + 1));
    const reports: FileReport[] = [];
    for (const file of files ?? []) {
      this.#set({ batch: { number, files: files!.length, handled: reports.length } });
      const report = await this.#store(name, file, signal);
      if (!report) return false;
      reports.push(report);
      crashPoint('gateway.folder-intake.after-file');
    }
    const report = reportOf(reports, files !== undefined, {
      number,
      startedMs,
      endedMs: clock.nowMs(),
    });
    await closeBatch(this.#folder, name, report);
    const { end, counts } = report;
    this.#set({ [end]: this.#state[end] + 1, waiting: this.#state.waiting - 1 });
    const fields = { correlationId: `${number}`, state: end, count: counts.stored };
    if (end === 'done') this.#logger.info('batch of files stored', fields);
    else this.#logger.warn('batch of files not stored as a whole', fields);
    return true;
  }

  /** What became of one file; undefined when the gateway stops before that is known. */
  async #store(
    name: string,
    { name: file, kind }: BatchFile,
    signal: AbortSignal,
  ): Promise<FileReport | undefined> {
    if (kind !== 'file') {
      const what = kind === 'link' ? 'a link' : 'no plain file';
      return { file, outcome: 'left-out', reason: `${what}: not opened` };
    }
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      const result = await this.#attempt(name, file);
      const isHeld = result === 'no-listener' || (typeof result === 'number' && isNoRoom(result));
      const isFinal = typeof result !== 'number' || storeVerdict(result) !== 'retry';
      if (!isHeld && (isFinal || attempt >= TRIES_MAX)) {
        this.#set({ heldBy: null });
        return fileReport(file, result);
      }
      this.#set({ heldBy: !isHeld ? null : result === 'no-listener' ? result : 'no-room' });
      const { clock } = this.dependencies;
      await clock.sleep(backoffMs(attempt, { maxMs: HELD_MS_MAX }), signal);
    }
    return undefined;
  }

  async #attempt(name: string, file: string): Promise<FileResult> {
    try {
      return await withBatchFile(this.#pathOf(name), file, (bytes) =>
        this.dependencies.intake.store(bytes, this.#origin),
      );
    } catch (error) {
      const { code } = AifiError.from(error);
      if (code === 'PEER_UNAVAILABLE' || code === 'DEADLINE_EXCEEDED') return 'no-listener';
      if (code === 'FORBIDDEN') return 'unreadable';
      throw error;
    }
  }

  #pathOf(name: string): string {
    return join(this.#folder, `${name}${READY}`);
  }
  #set(part: Partial<FolderIntakeState>): void {
    this.#state = { ...this.#state, ...part };
  }
}

/** DIMSE status, or why there is none. */
type FileResult = number | 'not-dicom' | 'no-listener' | 'unreadable';

const isNoRoom = (status: number): boolean => status >>> 8 === 0xa7;
/** A fault of a foreign folder names its files. */
function cleaned(error: unknown): unknown {
  if (error instanceof AifiError) return error;
  return new AifiError('PEER_UNAVAILABLE', 'the folder of batches cannot be used');
}

function fileReport(file: string, result: FileResult): FileReport {
  if (result === 'not-dicom') return { file, outcome: 'not-dicom' };
  if (typeof result !== 'number') {
    return { file, outcome: 'refused', reason: 'the gateway may not read this file' };
  }
  if (storeVerdict(result) === 'stored') return { file, outcome: 'stored' };
  const status = result.toString(16).toUpperCase().padStart(4, '0');
  return { file, outcome: 'refused', status, reason: reasonOf(result) };
}
/** PS3.4 B.2.3 in words. */
function reasonOf(status: number): string {
  if (status >>> 8 === 0xa9) return 'file meta and dataset name different objects';
  if (status === 0xc122) return 'transfer syntax that is not taken';
  if (status === 0x0122) return 'kind of object that is not taken';
  if (status >>> 12 === 0xc) return 'damaged, incomplete or contradictory';
  return 'the gateway could not process it';
}

/** A batch is done when each of its images is stored, and there was one. */
function reportOf(
  files: readonly FileReport[],
  isTaken: boolean,
  at: { readonly number: number; readonly startedMs: number; readonly endedMs: number },
): BatchReport {
  const counts = Object.fromEntries(
    FILE_OUTCOMES.map((one) => [one, files.filter(({ outcome }) => outcome === one).length]),
  ) as Record<FileOutcome, number>;
  const isDone = counts.stored > 0 && counts.refused === 0 && counts['left-out'] === 0;
  const none = counts.stored + counts.refused > 0 ? undefined : 'no DICOM file in it';
  const reason = isTaken
    ? none
    : `more than ${BATCH_FILES_MAX} files, or folders within folders: nothing was stored`;
  return {
    batch: at.number,
    end: isDone ? 'done' : 'failed',
    startedAt: new Date(at.startedMs).toISOString(),
    endedAt: new Date(at.endedMs).toISOString(),
    counts,
    ...(reason !== undefined && { reason }),
    files,
  };
}
