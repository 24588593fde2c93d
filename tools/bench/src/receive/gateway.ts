/**
 * Receiver: the receive stage of our gateway, in processes of its own.
 * Decides what is checked of it: a row for every object, and for some of them that the file has the
 * digest of its row and holds the dataset byte for byte.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeFileMeta } from '@aifi/dicom-core';
import { AifiError, processEntry, sha256Hex } from '@aifi/shared-kernel';
import type { SentObject } from './ct-objects.js';
import type { HostMessage, HostRequest, HostRow } from './receive-host-messages.js';
import { ended, missing, tied, type Receiver } from './receiver.js';
import { CALLING_AE_TITLE } from './sender.js';

const NAME = 'gateway';
/** Objects whose files are read and compared. */
const SAMPLE_EVERY = 50;

async function answer<K extends HostMessage['kind']>(
  host: ChildProcess,
  kind: K,
): Promise<Extract<HostMessage, { kind: K }>> {
  const heard = new AbortController();
  const { signal } = heard;
  const gone = once(host, 'exit', { signal }).then(() => {
    throw new AifiError('PEER_UNAVAILABLE', 'the receive stage has ended');
  });
  const said = once(host, 'message', { signal });
  // Whichever of the two comes second is given up.
  for (const one of [gone, said]) one.catch(() => undefined);
  const [message] = (await Promise.race([said, gone]).finally(() => heard.abort())) as [
    HostMessage,
  ];
  if (message.kind !== kind) throw new AifiError('INTERNAL', 'an answer out of order');
  return message as Extract<HostMessage, { kind: K }>;
}

function datasetOf(path: string): Buffer {
  const file = readFileSync(path);
  return file.subarray(decodeFileMeta(file).datasetOffset);
}
function verifySample({ path, sha256 }: HostRow, sent: SentObject): void {
  if (sha256Hex(readFileSync(path)) !== sha256) throw missing(NAME, 'a digest is wrong');
  if (!datasetOf(path).equals(datasetOf(sent.path))) throw missing(NAME, 'a dataset was changed');
}

export async function startGateway(folder: string): Promise<Receiver> {
  const dataFolder = join(folder, NAME);
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  const entry = processEntry(new URL('..', import.meta.url).href, 'receive-host-main');
  // An environment of a test runner is not that of a gateway.
  const env = { ...process.env, NODE_OPTIONS: '' };
  const host = tied(fork(entry, [dataFolder, CALLING_AE_TITLE], { execArgv: [], env }));
  const { port } = await answer(host, 'listening');
  return {
    facts: {
      name: NAME,
      version: 'this workspace',
      durability: 'file with fdatasync under its final name, row in SQLite (synchronous=FULL)',
    },
    aeTitle: 'AIFI',
    port,
    pid: host.pid!,
    verify: async (objects) => {
      const request: HostRequest = {
        kind: 'rows',
        sopInstanceUids: objects.map(({ sopInstanceUid }) => sopInstanceUid),
      };
      host.send(request);
      const { rows } = await answer(host, 'rows');
      const byUid = new Map(rows.map((row) => [row.sopInstanceUid, row]));
      if (rows.length !== objects.length || byUid.size !== objects.length) {
        throw missing(NAME, 'not one row for each object');
      }
      for (const sent of objects.filter((_, index) => index % SAMPLE_EVERY === 0)) {
        verifySample(byUid.get(sent.sopInstanceUid)!, sent);
      }
    },
    // A gateway removes nothing before its study is delivered.
    clear: () => Promise.resolve(),
    stop: () => ended(host, 'SIGTERM'),
  };
}
