/**
 * Goal: a shifted process and its children see another wall clock, from one moment to the next,
 * and the same passing of time. Method: a Node process that tells its clocks; real libfaketime.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { ensureFaketime } from '../../../deploy/services/faketime/install.mjs';
import { ClockShift } from './clock-shift.js';

const TELLS = `setInterval(() => console.log(Date.now() + ' ' + performance.now()), 50);`;
const CHILD = `require('node:child_process').spawn(process.execPath, ['-e', process.argv[1]], {
  stdio: ['ignore', 'inherit', 'inherit'] });`;
const HOUR_MS = 3_600_000;
/** The library looks at its file once in a while. @unit ms */
const TEST_MS = 60_000;
const peer = ensureFaketime();
if (!peer.ok && process.env['CI'] === 'true') throw new Error(peer.reason);
const suite = peer.ok ? describe : describe.skip;

suite(ClockShift.name, () => {
  let folder: TemporaryFolder;
  let sut: ClockShift;
  let child: ChildProcess | undefined;
  beforeEach(() => {
    folder = temporaryFolder('clock');
    sut = ClockShift.in(folder.path, 'gateway')!;
  });
  afterEach(async () => {
    if (child?.pid) {
      const gone = new Promise((resolve) => child!.once('close', resolve));
      process.kill(-child.pid, 'SIGKILL');
      await gone;
    }
    child = undefined;
    ClockShift.sweep();
    folder.remove();
  });

  async function* clocks(script: string): AsyncGenerator<{ aheadMs: number; monotonicMs: number }> {
    child = spawn(process.execPath, ['-e', script, TELLS], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...sut.environment },
      detached: true,
    });
    for await (const line of createInterface({ input: child.stdout! })) {
      const [now, monotonicMs] = line.split(' ').map(Number) as [number, number];
      yield { aheadMs: now - Date.now(), monotonicMs };
    }
  }

  it.each([
    ['a process', TELLS],
    ['its child', CHILD],
  ])(
    'moves the clock of %s forwards, backwards and home',
    async (_, script) => {
      const offsets = [HOUR_MS, -HOUR_MS, 0];
      let lastMs = 0;
      for await (const { aheadMs, monotonicMs } of clocks(script)) {
        expect(monotonicMs).toBeGreaterThan(lastMs);
        // No jump of an hour: the monotonic clock was left alone.
        if (lastMs > 0) expect(monotonicMs - lastMs).toBeLessThan(HOUR_MS / 2);
        lastMs = monotonicMs;
        if (Math.abs(aheadMs - sut.offsetMs) > 60_000) continue;
        const next = offsets.shift();
        if (next === undefined) break;
        sut.set(next);
      }
      expect(offsets).toEqual([]);
    },
    TEST_MS,
  );

  it(
    'leaves nothing in shared memory of a process that was killed, after a sweep',
    async () => {
      for await (const { aheadMs } of clocks(TELLS)) {
        expect(Math.abs(aheadMs)).toBeLessThan(60_000);
        break;
      }
      const pid = child!.pid!;
      const left = (): string[] =>
        readdirSync('/dev/shm').filter((name) => new RegExp(`faketime.*_${pid}$`).test(name));
      ClockShift.sweep();
      // Of a process that lives it is no rubbish.
      expect(left().length).toBeGreaterThan(0);
      process.kill(-pid, 'SIGKILL');
      await new Promise((resolve) => child!.once('close', resolve));
      child = undefined;
      ClockShift.sweep();
      expect(left()).toEqual([]);
    },
    TEST_MS,
  );
});
