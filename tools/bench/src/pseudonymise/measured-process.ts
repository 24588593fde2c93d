/**
 * One run of a program, with its time, its processor time and its memory.
 * Decides that a shell holds the program: it waits for it, so that the processor time of what has
 * ended is still to be read. Invariant: what fails is an error, never a fast run.
 * Source: proc(5).
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { AifiError } from '@aifi/shared-kernel';
import { processorMs, watchMemory } from '../process-tree.js';
import { tied } from '../receive/receiver.js';

export interface Cost {
  /** From the start of the program to its end. */
  readonly seconds: number;
  readonly processorSeconds: number;
  /** @unit bytes */
  readonly residentBytesPeak: number;
}

/** Runs the program to its end, then waits until the measurements are taken. */
const HOLD = '"$@" >/dev/null 2>&1; echo "ended $?"; read -r line';

export async function measured(
  name: string,
  [program, ...args]: readonly [string, ...string[]],
): Promise<Cost> {
  const started = performance.now();
  // An environment of a test runner is not that of a program that is measured.
  const env = { ...process.env, NODE_OPTIONS: '' };
  const shell = tied(
    spawn('sh', ['-c', HOLD, 'sh', program, ...args], { stdio: ['pipe', 'pipe', 'inherit'], env }),
  );
  const memory = watchMemory(shell.pid!);
  try {
    for await (const line of createInterface({ input: shell.stdout! })) {
      const seconds = (performance.now() - started) / 1_000;
      const code = /^ended (\d+)$/.exec(line)?.[1];
      if (code === undefined) continue;
      if (code !== '0') throw new AifiError('PEER_REFUSED', `${name} ended with ${code}`);
      const processorSeconds = processorMs(shell.pid!) / 1_000;
      return { seconds, processorSeconds, residentBytesPeak: memory.stop() };
    }
    throw new AifiError('PEER_UNAVAILABLE', `${name} does not start`);
  } finally {
    memory.stop();
    shell.stdin!.end('\n');
  }
}
