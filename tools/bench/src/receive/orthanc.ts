/**
 * Receiver: Orthanc, with the configuration that our demo and tests use, and the same PDU length.
 * Decides that its own defaults for durability stay. Source: Orthanc Book (SyncStorageArea).
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePorts } from '@aifi/shared-testing';
import { prepareOrthanc } from '../../../../deploy/services/orthanc/start.mjs';
import { ended, listening, missing, tied, type Receiver } from './receiver.js';
import { PDU_BYTES } from './sender.js';

/** Objects whose bytes are fetched and looked at. */
const SAMPLE_EVERY = 50;

function version(command: string): string {
  const { stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' });
  return /Orthanc ([\d.]+)/.exec(stdout)?.[1] ?? 'unknown';
}

async function json<T>(url: string, method = 'GET', body?: string): Promise<T> {
  const response = await fetch(url, { method, ...(body !== undefined && { body }) });
  return (await response.json()) as T;
}

export async function startOrthanc(folder: string): Promise<Receiver> {
  const [dicomPort, httpPort] = await freePorts(2);
  const aeTitle = 'ORTHANC';
  const root = join(folder, 'orthanc');
  mkdirSync(root, { recursive: true });
  const {
    command,
    arguments: args,
    restUrl,
  } = prepareOrthanc({
    folder: root,
    aeTitle,
    dicomPort: dicomPort!,
    httpPort: httpPort!,
    modalities: [],
    settings: { MaximumPduLength: PDU_BYTES },
  });
  const server = tied(
    spawn(command, args, {
      env: { ...process.env, TCP_NODELAY: '1' },
      stdio: 'ignore',
    }),
  );
  await listening(dicomPort!);
  await listening(httpPort!);
  const count = async (): Promise<number> =>
    (await json<{ CountInstances: number }>(`${restUrl}/statistics`)).CountInstances;
  return {
    facts: {
      name: 'orthanc',
      version: version(command),
      durability: 'file with fsync (SyncStorageArea), row in SQLite',
    },
    aeTitle,
    port: dicomPort!,
    pid: server.pid!,
    verify: async (objects) => {
      if ((await count()) !== objects.length) throw missing('orthanc', 'objects are missing');
      for (const { sopInstanceUid } of objects.filter((_, i) => i % SAMPLE_EVERY === 0)) {
        const ids = await json<unknown[]>(`${restUrl}/tools/lookup`, 'POST', sopInstanceUid);
        if (ids.length !== 1) throw missing('orthanc', 'an object is not found');
      }
    },
    clear: async () => {
      for (const study of await json<string[]>(`${restUrl}/studies`)) {
        await json(`${restUrl}/studies/${study}`, 'DELETE');
      }
      while ((await count()) > 0) await pause(100);
    },
    stop: () => ended(server, 'SIGTERM'),
  };
}
