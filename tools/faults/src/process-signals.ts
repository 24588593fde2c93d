/**
 * Signals to processes that the run has started, and to their children.
 * Decides how a child is found: by the kernel's list of a parent's children and by its command
 * line. Invariant: a process is named by its id, never by a pattern over all processes.
 * Source: proc(5), /proc/[pid]/task/[tid]/children and /proc/[pid]/cmdline; signal(7).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { systemClock } from '@aifi/shared-kernel';

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // The process has ended.
    return '';
  }
}

/** Children of all threads of a process, right now. */
export function childrenOf(pid: number): number[] {
  let threads: string[] = [];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
  const lists = threads.map((thread) => read(`/proc/${pid}/task/${thread}/children`));
  return lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
}

/** Children whose command line has this text, such as the entry file of a program. */
export function childrenNamed(pid: number, text: string): number[] {
  return childrenOf(pid).filter((child) => read(`/proc/${child}/cmdline`).includes(text));
}

/** False when it has ended by itself. Signal 0 only asks. */
export function sendSignal(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

/** SIGSTOP, and SIGCONT after the time or when the signal aborts; whatever happens between. */
export async function freeze(pid: number, ms: number, signal?: AbortSignal): Promise<void> {
  if (!sendSignal(pid, 'SIGSTOP')) return;
  try {
    await systemClock.sleep(ms, signal);
  } finally {
    sendSignal(pid, 'SIGCONT');
  }
}
