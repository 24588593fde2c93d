/**
 * Deidentifier: work of ours in a process that stays, and copying in such a process beside it.
 * Decides that only the work is timed, as with Orthanc, which is not started for it either; the
 * warm-up round is its first.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { AifiError, processEntry } from '@aifi/shared-kernel';
import { watchMemory } from '../process-tree.js';
import { ended, tied } from '../receive/receiver.js';
import type { Deidentifier, DeidentifierFacts } from './deidentifier.js';
import type { Cost } from './measured-process.js';

export interface ResidentOrder {
  readonly what: 'copy' | 'engine' | 'gateway';
  readonly input: string;
  readonly output: string;
}
export type ResidentAnswer =
  | { readonly ok: true; readonly seconds: number; readonly processorSeconds: number }
  | { readonly ok: false; readonly words: string };

const FACTS: Readonly<Record<ResidentOrder['what'], readonly [name: string, how: string]>> = {
  copy: ['read + write + fsync, resident', 'copies the bytes, in a process that runs already'],
  engine: ['engine, resident', 'header and writer only, in a process that runs already'],
  gateway: [
    'gateway, resident',
    'thread of a gateway: digest of what came, pixel gate, engine; in a process that runs already',
  ],
};

export function resident(
  what: ResidentOrder['what'],
  key: string,
  durability: string,
): Deidentifier {
  const [name, how] = FACTS[what];
  const facts: DeidentifierFacts = { name, how, durability, version: 'this workspace' };
  const entry = processEntry(new URL('..', import.meta.url).href, 'resident-main');
  const env = { ...process.env, NODE_OPTIONS: '' };
  const child = tied(fork(entry, [key], { execArgv: [], env }));
  return {
    facts,
    run: (input, output) => carriedOut(child, { what, input, output }),
    stop: () => ended(child, 'SIGTERM'),
  };
}

async function carriedOut(child: ChildProcess, order: ResidentOrder): Promise<Cost> {
  const memory = watchMemory(child.pid!);
  try {
    child.send(order);
    const [answer] = (await once(child, 'message')) as [ResidentAnswer];
    if (!answer.ok) throw new AifiError('PEER_REFUSED', answer.words);
    return { ...answer, residentBytesPeak: memory.stop() };
  } finally {
    memory.stop();
  }
}
