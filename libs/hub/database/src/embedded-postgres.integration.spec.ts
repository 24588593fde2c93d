/**
 * Goal: the embedded server never outlives its hub, and never blocks the next one.
 * Method: a stand-in for the hub starts the compiled launcher in its own process and is killed;
 * then its watchdog is killed as well, which leaves a server behind for the next start.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { systemClock } from '@aifi/shared-kernel';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { startEmbeddedPostgres } from './embedded-postgres.js';
import { removeServerFolder, serverFolderPath } from './server-folder.js';

const STAND_IN = `
const [{ startEmbeddedPostgres }, { systemClock }] = await Promise.all([
  import('@aifi/hub-database'), import('@aifi/shared-kernel')]);
try {
  await startEmbeddedPostgres({ dataFolder: process.argv[1], clock: systemClock });
  process.stdout.write('ready');
} catch (error) { process.stdout.write(error.code); }
setInterval(() => undefined, 1000);`;

let folder: TemporaryFolder;
const children: ChildProcess[] = [];

beforeAll(() => {
  folder = temporaryFolder('embedded-postgres');
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await removeServerFolder(folder.path);
  folder.remove();
});

async function standIn(): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', STAND_IN, folder.path], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: import.meta.dirname,
  });
  children.push(child);
  const [said] = (await once(child.stdout!, 'data')) as [Buffer];
  return { child, said: said.toString() };
}

function serverPid(): number {
  const file = join(serverFolderPath(folder.path), 'data/postmaster.pid');
  return Number.parseInt(readFileSync(file, 'latin1'), 10);
}
function processStat(pid: number): { state: string; parent: number } | undefined {
  try {
    const words = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ');
    return { state: words[0]!, parent: Number(words[1]) };
  } catch {
    return undefined;
  }
}
/** A zombie has ended: whoever adopted it has not looked yet. */
const isAlive = (pid: number): boolean => (processStat(pid)?.state ?? 'Z') !== 'Z';
async function gone(pid: number): Promise<boolean> {
  for (let look = 0; look < 200 && isAlive(pid); look += 1) await systemClock.sleep(100);
  return !isAlive(pid);
}

describe('startEmbeddedPostgres', () => {
  it('stops the server when the hub is killed, and refuses a second hub before that', async () => {
    const { child, said } = await standIn();
    expect(said).toBe('ready');
    const pid = serverPid();
    const second = await standIn();
    expect(second.said).toBe('CONFIG_INVALID');
    expect(isAlive(pid)).toBe(true);
    child.kill('SIGKILL');
    await expect(gone(pid)).resolves.toBe(true);
  }, 180_000);

  it('ends a server that was left behind without its watchdog, and starts', async () => {
    const { child, said } = await standIn();
    expect(said).toBe('ready');
    const pid = serverPid();
    process.kill(processStat(pid)!.parent, 'SIGKILL');
    child.kill('SIGKILL');
    await once(child, 'exit');
    const sut = await startEmbeddedPostgres({ dataFolder: folder.path, clock: systemClock });
    expect(serverPid()).not.toBe(pid);
    expect(isAlive(pid)).toBe(false);
    await sut.stop();
  }, 180_000);
});
