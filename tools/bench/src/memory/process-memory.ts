/**
 * ProcessMemory: the peak resident memory of every process of a run.
 * Decides what counts: VmHWM, the kernel's own high-water mark, of the processes given and of all
 * that they start, also when they end before the run. Invariant: a mark only rises.
 * Source: proc(5).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { systemClock } from '@aifi/shared-kernel';

/** @unit ms */
const LOOK_MS = 250;

export interface PeakMemory {
  readonly pid: number;
  /** Of the process given that it is, or descends from. */
  readonly root: string;
  /** Program and script. */
  readonly command: string;
  /** @unit bytes */
  readonly peakBytes: number;
}
interface Entry {
  readonly pid: number;
  readonly parent: number;
  readonly peakBytes: number;
}

export class ProcessMemory {
  readonly #peaks = new Map<number, PeakMemory>();
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  /** @param roots processes by pid; asked again at each look, because some start later */
  constructor(private readonly roots: () => ReadonlyMap<number, string>) {
    this.#done = this.#run(this.#stop.signal);
  }

  /** The marks so far, highest first. */
  peaks(): PeakMemory[] {
    this.#look();
    return [...this.#peaks.values()].sort((a, b) => b.peakBytes - a.peakBytes);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#look();
      await systemClock.sleep(LOOK_MS, signal);
    }
  }

  #look(): void {
    const entries = new Map(readEntries().map((entry) => [entry.pid, entry]));
    const roots = this.roots();
    for (const { pid, peakBytes } of entries.values()) {
      const root = rootOf(pid, entries, roots);
      if (root === undefined) continue;
      const known = this.#peaks.get(pid);
      const command = known?.command ?? commandOf(pid);
      this.#peaks.set(pid, {
        ...{ pid, root, command },
        peakBytes: Math.max(known?.peakBytes ?? 0, peakBytes),
      });
    }
  }
}

function rootOf(
  pid: number,
  entries: ReadonlyMap<number, Entry>,
  roots: ReadonlyMap<number, string>,
): string | undefined {
  for (let at = pid; at > 1; at = entries.get(at)?.parent ?? 0) {
    const root = roots.get(at);
    if (root !== undefined) return root;
  }
  return undefined;
}

function readEntries(): Entry[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const status = readFileSync(`/proc/${name}/status`, 'utf8');
        const field = (key: string): number =>
          Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
        return [{ pid: Number(name), parent: field('PPid'), peakBytes: field('VmHWM') * 1024 }];
      } catch {
        // It has ended while we looked.
        return [];
      }
    });
}

/** `node listener-main.js`, `postgres`: enough to know it by, without paths of this machine. */
function commandOf(pid: number): string {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    const script = words.slice(1).find((word) => word.endsWith('.js') || word.endsWith('.mjs'));
    const app = /apps\/([\w-]+)\//.exec(script ?? '')?.[1];
    return [basename(words[0] ?? '').split(' ')[0], app, script && basename(script)]
      .filter(Boolean)
      .join(' ');
  } catch {
    return 'ended';
  }
}
