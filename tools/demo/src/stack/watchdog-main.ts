/**
 * The watchdog process: nothing of a demo or test stays behind, also after kill -9 of the demo.
 * Decides what to do when its standard input ends: end the process groups that are still listed
 * (SIGTERM, later SIGKILL) and remove the listed folders with what their `postgres` links point to.
 * Input lines: `+<pid>`, `-<pid>`, `/<folder>`, `~<folder>` to unmount before. Invariant: acts only
 * on what it was told.
 */
import { spawnSync } from 'node:child_process';
import { realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

/** Time for PostgreSQL and the stages to end by themselves. @unit ms */
const GRACE_MS = 10_000;
const POLL_MS = 100;
const groups = new Set<number>();
const folders: string[] = [];
const mounts: string[] = [];

/** False when no process of the group is left. */
function signalGroup(leader: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-leader, signal);
    return true;
  } catch {
    return false;
  }
}

function removeFolder(folder: string): void {
  // As root the hub keeps PostgreSQL in a folder of its own and links to it.
  for (const path of [join(folder, 'hub', 'postgres'), folder]) {
    try {
      rmSync(realpathSync(path), { recursive: true, force: true });
    } catch {
      // Never made, or gone already.
    }
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const rest = line.slice(1);
  if (line.startsWith('+')) groups.add(Number(rest));
  else if (line.startsWith('-')) groups.delete(Number(rest));
  else if (line.startsWith('/')) folders.push(rest);
  else if (line.startsWith('~')) mounts.push(rest);
}
for (const leader of groups) signalGroup(leader, 'SIGTERM');
for (let waitedMs = 0; waitedMs < GRACE_MS; waitedMs += POLL_MS) {
  if (![...groups].some((leader) => signalGroup(leader, 0))) break;
  await delay(POLL_MS);
}
for (const leader of groups) signalGroup(leader, 'SIGKILL');
for (const path of mounts) spawnSync('umount', [path]);
for (const folder of folders) removeFolder(folder);
