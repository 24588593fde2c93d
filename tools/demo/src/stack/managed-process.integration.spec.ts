/**
 * Goal: nothing of a stack stays behind, whether it is stopped, killed or loses its owner.
 * Method: small real processes with a child in their group; the watchdog as its own process.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { WATCHDOG_ENTRY } from './checkout.js';
import { ManagedProcess, signalGroup } from './managed-process.js';
import { Watchdog } from './watchdog.js';

/** Starts a child in its own group, prints both pids; neither ends by itself. */
const PARENT = `
  const child = require('node:child_process').spawn('sleep', ['600'], { stdio: 'ignore' });
  console.log(JSON.stringify({ msg: 'ready', pids: [process.pid, child.pid] }));
  setInterval(() => undefined, 1000);`;

const isAlive = (pid: number): boolean => {
  try {
    // A zombie has ended; only its parent has not looked yet.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};
async function untilGone(pids: readonly number[]): Promise<number[]> {
  for (let look = 0; look < 200 && pids.some(isAlive); look += 1) await delay(50);
  return pids.filter(isAlive);
}

describe(ManagedProcess.name, () => {
  let folder: TemporaryFolder;
  let watchdog: Watchdog;
  let sut: ManagedProcess;
  const lines = (): string[] => readFileSync(sut.logFile, 'utf8').trim().split('\n');
  const pids = (): number[] => (JSON.parse(lines().at(-1)!) as { pids: number[] }).pids;
  function processOf(script: string): ManagedProcess {
    const order = {
      name: 'sut',
      command: process.execPath,
      arguments: ['-e', script],
      environment: { PATH: process.env['PATH'] ?? '' },
      logFile: join(folder.path, 'sut.log'),
      isReady: (output: string) => output.includes('ready'),
    };
    return new ManagedProcess(order, watchdog);
  }
  beforeEach(() => {
    folder = temporaryFolder('managed-process');
    watchdog = new Watchdog();
    sut = processOf(PARENT);
  });
  afterEach(async () => {
    await sut.stop();
    await watchdog.close();
    folder.remove();
  });

  it('stops the process and what it left in its group', async () => {
    await sut.start();
    const started = pids();
    await sut.stop();
    expect(await untilGone(started)).toEqual([]);
    expect(sut.isRunning).toBe(false);
  });
  it('waits for the ready line of this start, not of the one before', async () => {
    await sut.start();
    const first = pids();
    await sut.kill9();
    expect(sut.isRunning).toBe(false);
    await sut.start();
    expect(pids()[0]).not.toBe(first[0]);
    // The orphan of the killed process is still ended with the rest.
    await sut.stop();
    expect(await untilGone([...first, ...pids()])).toEqual([]);
  });
  it('says with the last output why a process did not start', async () => {
    sut = processOf(`console.error('port taken'); process.exit(3)`);
    await expect(sut.start()).rejects.toMatchObject({
      code: 'PEER_UNAVAILABLE',
      message: expect.stringContaining('port taken'),
    });
  });
  it('says so when the program does not exist', async () => {
    const order = { name: 'none', command: join(folder.path, 'none'), arguments: [] };
    const logFile = join(folder.path, 'none.log');
    const more = { environment: {}, logFile, isReady: () => false };
    const none = new ManagedProcess({ ...order, ...more }, watchdog);
    await expect(none.start()).rejects.toMatchObject({ code: 'PEER_UNAVAILABLE' });
    await none.stop();
  });
});

describe('watchdog', () => {
  it('ends the groups and removes the folders of an owner that is gone', async () => {
    const folder = temporaryFolder('watchdog');
    const [run, server] = [join(folder.path, 'run'), join(folder.path, 'server')];
    mkdirSync(join(run, 'hub'), { recursive: true });
    mkdirSync(server);
    symlinkSync(server, join(run, 'hub', 'postgres'));
    const sleeper = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
    const spared = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
    const sut = spawn(process.execPath, [WATCHDOG_ENTRY], { stdio: ['pipe', 'ignore', 'inherit'] });
    const ended = new Promise((resolve) => sut.once('exit', resolve));
    // What kill -9 of the owner looks like from here: the pipe ends.
    sut.stdin.end(`+${sleeper.pid}\n+${spared.pid}\n-${spared.pid}\n/${run}\n`);
    expect(await ended).toBe(0);
    expect(await untilGone([sleeper.pid!])).toEqual([]);
    expect(isAlive(spared.pid!)).toBe(true);
    expect([existsSync(run), existsSync(server)]).toEqual([false, false]);
    signalGroup(spared.pid!, 'SIGKILL');
    folder.remove();
  });
});
