/**
 * The model processes of an inference worker, seen from outside.
 * Decides how one is found: a child of the worker, by the kernel's own list. Ended by its id only.
 * Source: proc(5), /proc/[pid]/task/[tid]/children.
 */
import { readFileSync } from 'node:fs';
import { systemClock } from '@aifi/shared-kernel';
import type { ManagedProcess } from './managed-process.js';

/** A model on a small image runs for a second or two. @unit ms */
const POLL_MS = 5;

function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text.split(' ').filter(Boolean).map(Number);
  } catch {
    // The worker has ended.
    return [];
  }
}

/** False when it has ended by itself. */
function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

/** Kills each model process as soon as it is seen, until that were `count`; says how many. */
export async function killChildrenOf(
  worker: ManagedProcess,
  count: number,
  signal?: AbortSignal,
): Promise<number> {
  const killed = new Set<number>();
  while (killed.size < count && !signal?.aborted) {
    for (const pid of childrenOf(worker.pid ?? 0).filter((child) => !killed.has(child))) {
      if (kill(pid)) killed.add(pid);
    }
    await systemClock.sleep(POLL_MS, signal);
  }
  return killed.size;
}
