/**
 * One hub per embedded server, and an end to servers that an earlier hub left behind.
 * Decides by process id and start time whether a named process is still the one that was meant, so
 * that a reused id is never signalled and never blocks a start.
 * Source: proc(5), /proc/<pid>/stat field 22 (starttime); PostgreSQL postmaster.pid, line 1.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AifiError, writeDurableFile, type Clock } from '@aifi/shared-kernel';

/** Fast shutdown first, then immediate. @unit ms */
const STOP_STEPS = [
  { signal: 'SIGINT', waitMs: 20_000 },
  { signal: 'SIGQUIT', waitMs: 10_000 },
] as const;
const POLL_MS = 50;

async function startTime(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
    // The second field is the program name in parentheses and may hold spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** Takes the data folder for this process; CONFIG_INVALID when another living hub has it. */
export async function lockDataFolder(dataFolder: string): Promise<void> {
  const path = join(dataFolder, 'hub.lock');
  const text = await readFile(path, 'latin1').catch(() => '');
  const [pid = '', started = ''] = text.split(' ');
  const isAlive = pid !== '' && (await startTime(Number(pid))) === started;
  if (isAlive && Number(pid) !== process.pid) {
    throw new AifiError('CONFIG_INVALID', 'another hub is using this data folder');
  }
  const own = `${process.pid} ${(await startTime(process.pid)) ?? ''}`;
  await writeDurableFile(path, Buffer.from(own));
}

export async function unlockDataFolder(dataFolder: string): Promise<void> {
  await rm(join(dataFolder, 'hub.lock'), { force: true });
}

/** True when `pid` is a PostgreSQL server on this data directory. */
async function isServerOf(pid: number, data: string): Promise<boolean> {
  try {
    const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
    return words[0]!.endsWith('/postgres') && words.includes(data);
  } catch {
    return false;
  }
}

/** Ends a server that still runs on the data directory and removes a stale postmaster.pid. */
export async function stopLeftoverServer(data: string, clock: Clock): Promise<void> {
  const pidFile = join(data, 'postmaster.pid');
  const pid = Number.parseInt(await readFile(pidFile, 'latin1').catch(() => ''), 10);
  if (!Number.isInteger(pid)) return;
  for (const { signal, waitMs } of STOP_STEPS) {
    if (!(await isServerOf(pid, data))) break;
    process.kill(pid, signal);
    const until = clock.monotonicMs() + waitMs;
    while (clock.monotonicMs() < until && (await isServerOf(pid, data))) await clock.sleep(POLL_MS);
  }
  if (await isServerOf(pid, data)) {
    throw new AifiError('PEER_UNAVAILABLE', 'an earlier database server does not stop');
  }
  await rm(pidFile, { force: true });
}
