/**
 * Deidentifier: Orthanc, which anonymises a study that it holds into a new one.
 * Decides that only the anonymisation is timed: receiving the study and giving it out are not.
 * Source: Orthanc Book, anonymization (REST).
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AifiError } from '@aifi/shared-kernel';
import { freePorts } from '@aifi/shared-testing';
import { prepareOrthanc } from '../../../../deploy/services/orthanc/start.mjs';
import { processorMs, watchMemory } from '../process-tree.js';
import { ended, listening, tied } from '../receive/receiver.js';
import type { Deidentifier } from './deidentifier.js';

async function json<T>(url: string, method = 'GET', body?: string | Uint8Array): Promise<T> {
  const response = await fetch(url, {
    method,
    ...(body !== undefined && { body: body as string }),
  });
  if (!response.ok) throw new AifiError('PEER_REFUSED', `orthanc answers ${response.status}`);
  return (await response.json()) as T;
}

async function upload(restUrl: string, input: string): Promise<string> {
  let study = '';
  for (const name of readdirSync(input)) {
    const bytes = readFileSync(join(input, name));
    const answer = await json<{ ParentStudy: string }>(`${restUrl}/instances`, 'POST', bytes);
    study = answer.ParentStudy;
  }
  return study;
}
async function download(restUrl: string, study: string, output: string): Promise<void> {
  const instances = await json<{ ID: string }[]>(`${restUrl}/studies/${study}/instances`);
  for (const { ID } of instances) {
    const file = await fetch(`${restUrl}/instances/${ID}/file`);
    writeFileSync(join(output, `${ID}.dcm`), Buffer.from(await file.arrayBuffer()));
  }
}

export async function orthanc(folder: string): Promise<Deidentifier> {
  const [dicomPort, httpPort] = await freePorts(2);
  const root = join(folder, 'orthanc-anonymise');
  mkdirSync(root, { recursive: true });
  const ports = { dicomPort: dicomPort!, httpPort: httpPort! };
  const prepared = prepareOrthanc({ folder: root, aeTitle: 'ORTHANC', ...ports, modalities: [] });
  const { command, arguments: args, restUrl } = prepared;
  const server = tied(spawn(command, args, { stdio: 'ignore' }));
  await listening(httpPort!);
  const version = spawnSync(command, ['--version'], { encoding: 'utf8' }).stdout;
  return {
    facts: {
      name: 'orthanc',
      version: /Orthanc ([\d.]+)/.exec(version)?.[1] ?? 'unknown',
      how: 'POST /studies/{id}/anonymize of a study that it holds, into its own storage',
      durability: 'fsync of each file (SyncStorageArea), row in SQLite',
    },
    run: async (input, output) => {
      const study = await upload(restUrl, input);
      spawnSync('sync');
      const memory = watchMemory(server.pid!);
      const [before, started] = [processorMs(server.pid!), performance.now()];
      const url = `${restUrl}/studies/${study}/anonymize`;
      const answer = await json<{ ID: string }>(url, 'POST', '{}');
      const seconds = (performance.now() - started) / 1_000;
      const processorSeconds = (processorMs(server.pid!) - before) / 1_000;
      const cost = { seconds, processorSeconds, residentBytesPeak: memory.stop() };
      await download(restUrl, answer.ID, output);
      for (const id of await json<string[]>(`${restUrl}/studies`)) {
        await json(`${restUrl}/studies/${id}`, 'DELETE');
      }
      return cost;
    },
    stop: () => ended(server, 'SIGTERM'),
  };
}
