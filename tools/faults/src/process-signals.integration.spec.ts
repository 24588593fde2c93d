/**
 * Goal: children are found by their parent, and a frozen process goes on.
 * Method: a Node process that starts another one and counts.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '@aifi/shared-kernel';
import { childrenNamed, childrenOf, freeze, sendSignal } from './process-signals.js';

const PARENT = `
  const { spawn } = require('node:child_process');
  spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', 'the-child'], { stdio: 'ignore' });
  setInterval(() => {}, 1000);
`;
/** Third field of proc(5) stat: T while stopped. */
const stateOf = (pid: number): string =>
  readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '')[0]!;

describe('signals to processes of the run', () => {
  let parent: ChildProcess;
  beforeEach(async () => {
    parent = spawn(process.execPath, ['-e', PARENT], { stdio: 'ignore' });
    while (childrenNamed(parent.pid!, 'the-child').length === 0) await systemClock.sleep(10);
  });
  afterEach(async () => {
    const gone = new Promise((resolve) => parent.once('exit', resolve));
    for (const child of childrenOf(parent.pid!)) sendSignal(child, 'SIGKILL');
    if (parent.kill('SIGKILL')) await gone;
  });

  it('finds a child by its parent and its command line', () => {
    const [child] = childrenNamed(parent.pid!, 'the-child');
    expect(childrenOf(parent.pid!)).toContain(child);
    expect(childrenNamed(parent.pid!, 'no such text')).toEqual([]);
    expect(childrenOf(child!)).toEqual([]);
  });
  it('stops a process for a while and lets it go on', async () => {
    const frozen = freeze(parent.pid!, 200);
    while (stateOf(parent.pid!) !== 'T') await systemClock.sleep(5);
    await frozen;
    while (stateOf(parent.pid!) === 'T') await systemClock.sleep(5);
    expect(stateOf(parent.pid!)).not.toBe('T');
  });
  it('lets it go on at once when the run is broken off', async () => {
    const stop = new AbortController();
    const frozen = freeze(parent.pid!, 3_600_000, stop.signal);
    while (stateOf(parent.pid!) !== 'T') await systemClock.sleep(5);
    stop.abort();
    await frozen;
    while (stateOf(parent.pid!) === 'T') await systemClock.sleep(5);
    expect(stateOf(parent.pid!)).not.toBe('T');
  });
  it('says that a process has ended by itself', () => {
    expect(sendSignal(2 ** 22 - 1, 'SIGCONT')).toBe(false);
  });
});
