/**
 * Goal: processor time and memory are those of the whole tree, children that ended included.
 * Method: real processes that use a known amount of processor time and memory.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import { processorMs, watchMemory } from './process-tree.js';

const BURN_MS = 300;
/** Uses so much user time, measured by the process itself. */
const BURN = `while (process.cpuUsage().user < ${BURN_MS * 1_000});`;
const READY = `process.stdout.write('ready'); setInterval(() => {}, 1000);`;
const MEBIBYTE = 1024 * 1024;

describe('process tree', () => {
  let child: ChildProcess | undefined;
  afterEach(async () => {
    if (!child || child.exitCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  });
  async function start(script: string): Promise<number> {
    child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout!, 'data');
    return child.pid!;
  }

  it('counts the processor time of a process', async () => {
    expect(processorMs(await start(BURN + READY))).toBeGreaterThanOrEqual(BURN_MS - 20);
  });

  it('counts that of a child which has ended', async () => {
    const inner = JSON.stringify(BURN);
    const run = `require('node:child_process').spawnSync(process.execPath, ['-e', ${inner}]);`;
    expect(processorMs(await start(run + READY))).toBeGreaterThanOrEqual(BURN_MS - 20);
  });

  it('sums the memory of processes that live together', async () => {
    const hold = `globalThis.kept = Buffer.alloc(${100 * MEBIBYTE}, 1);`;
    // It ends when its parent is gone and with it the other end of its input.
    const last = `process.stdin.resume().on('end', () => process.exit());`;
    const inner = JSON.stringify(hold + last + READY);
    const options = `{ stdio: ['pipe', 'inherit', 'inherit'] }`;
    const run = `globalThis.inner = require('node:child_process').spawn(process.execPath,
      ['-e', ${inner}], ${options}); setInterval(() => {}, 1000);`;
    const pid = await start(hold + run);
    expect(watchMemory(pid).stop()).toBeGreaterThan(250 * MEBIBYTE);
  });
});
