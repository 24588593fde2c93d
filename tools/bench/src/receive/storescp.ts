/**
 * Receiver: DCMTK's storescp, as it ships: it writes a file and does not ask for it to be on disk.
 * Decides the two forms: one process that serves one association after the other, and --fork.
 * Source: DCMTK storescp.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '@aifi/shared-testing';
import { ended, listening, missing, tied, type Receiver } from './receiver.js';
import { PDU_BYTES } from './sender.js';

/** What a file of an object holds besides its pixels is less than this. @unit bytes */
const PIXEL_BYTES = 512 * 512 * 2;

function version(): string {
  const { stdout } = spawnSync('storescp', ['--version'], { encoding: 'utf8' });
  return /v[\d.]+/.exec(stdout)?.[0] ?? 'unknown';
}

export async function startStorescp(folder: string, forks: boolean): Promise<Receiver> {
  const name = forks ? 'storescp --fork' : 'storescp';
  const [port] = await freePorts(1);
  const aeTitle = 'STORESCP';
  const output = join(folder, forks ? 'storescp-fork' : 'storescp');
  mkdirSync(output, { recursive: true });
  const options = ['-aet', aeTitle, '-od', output, '-pdu', String(PDU_BYTES), '-q'];
  const server = tied(
    spawn('storescp', [...options, ...(forks ? ['--fork'] : []), String(port)], {
      env: { ...process.env, TCP_NODELAY: '1' },
      stdio: 'ignore',
    }),
  );
  await listening(port!);
  return {
    facts: { name, version: `DCMTK ${version()}`, durability: 'written, no fsync, no row' },
    aeTitle,
    port: port!,
    pid: server.pid!,
    verify: async (objects) => {
      const uids = new Set(readdirSync(output).map((file) => file.replace(/^[A-Za-z]+\./, '')));
      for (const { sopInstanceUid } of objects) {
        if (!uids.has(sopInstanceUid)) throw missing(name, 'an object is missing');
      }
      for (const file of readdirSync(output)) {
        if (statSync(join(output, file)).size < PIXEL_BYTES) throw missing(name, 'a file is short');
      }
    },
    clear: async () => {
      for (const file of readdirSync(output)) rmSync(join(output, file));
    },
    stop: () => ended(server, 'SIGTERM'),
  };
}
