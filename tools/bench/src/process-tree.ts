/**
 * Processor time and memory of a process and all its descendants, from /proc.
 * Decides that children which have ended count: their time is in that of who waited for them.
 * Invariant: a process that ends in between counts as far as it was seen.
 * Source: proc(5): stat fields 14 to 17, status VmHWM, task/[tid]/children.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks are 100 a second on every Linux (proc(5), USER_HZ). @unit ms */
const TICK_MS = 10;
/** @unit ms */
const LOOK_MS = 50;

function proc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return '';
  }
}
function childrenOf(pid: number): number[] {
  let tasks: string[] = [];
  try {
    tasks = readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
  return tasks.flatMap((task) =>
    proc(`${pid}/task/${task}/children`).split(' ').filter(Boolean).map(Number),
  );
}
function treeOf(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(treeOf)];
}

/** User and system time of the tree so far, ended children included. @unit ms */
export function processorMs(pid: number): number {
  let ticks = 0;
  for (const one of treeOf(pid)) {
    // The name, in brackets, may hold spaces: fields are counted from behind it.
    const fields = proc(`${one}/stat`)
      .replace(/^.*\) /, '')
      .split(' ');
    for (const field of fields.slice(11, 15)) ticks += Number(field);
  }
  return ticks * TICK_MS;
}

/** High-water marks of the processes that live now, by command name. @unit bytes */
export function residentPeaks(pid: number): Map<number, number> {
  const peaks = new Map<number, number>();
  for (const one of treeOf(pid)) {
    const mark = /VmHWM:\s+(\d+) kB/.exec(proc(`${one}/status`));
    if (mark) peaks.set(one, Number(mark[1]) * 1024);
  }
  return peaks;
}

/** Watches a tree; what `stop` gives is the largest sum of the marks at any look. @unit bytes */
export function watchMemory(pid: number): { stop(): number } {
  let largest = 0;
  const look = (): void => {
    const marks = [...residentPeaks(pid).values()];
    largest = Math.max(
      largest,
      marks.reduce((sum, mark) => sum + mark, 0),
    );
  };
  look();
  const timer = setInterval(look, LOOK_MS);
  return {
    stop: () => {
      clearInterval(timer);
      look();
      return largest;
    },
  };
}
