/**
 * Entry of a process that stays: what the same work takes when nothing has to start, as in a
 * gateway. Decides nothing. Usage: forked with the key file; one order at a time.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sealInstances } from '@aifi/dicom-deidentification';
import { SeriesThread } from '@aifi/gateway-pseudonymise';
import { AifiError, sha256Hex, systemClock, type Sha256 } from '@aifi/shared-kernel';
import { loadKeyRing } from '@aifi/shared-site-keys';
import { copyFiles } from './copy-files.js';
import { pseudonymiseFiles } from './engine-files.js';
import type { ResidentAnswer, ResidentOrder } from './pseudonymise/resident.js';

const [key = ''] = process.argv.slice(2);
const { current: keys } = await loadKeyRing({ path: key, mayCreate: false });
let thread: SeriesThread | undefined;

/** What a gateway knows of the files that it received. */
async function receivedFiles(folder: string): Promise<{ path: string; sha256: Sha256 }[]> {
  const files: { path: string; sha256: Sha256 }[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const path = join(folder, name);
    files.push({ path, sha256: sha256Hex(await readFile(path)) });
  }
  return files;
}

async function asInGateway(input: string, output: string): Promise<() => Promise<void>> {
  const sources = await receivedFiles(input);
  thread ??= new SeriesThread({ manufacturers: [] }, systemClock);
  const { work } = thread;
  return async () => {
    const { uid, pid, date } = keys;
    const context = { siteCode: 'BENCH', keys: { uid, pid, date } };
    const released: ReadonlySet<string> = new Set();
    const request = { folder: output, sources, siblings: [], released, context };
    const client = { areOnePatient: () => false, onGateFault: () => undefined };
    const images = await work(request, client);
    const written = (images.ok ? images.value : []).flatMap((image) =>
      image.kind === 'written' ? [image.instance] : [],
    );
    if (written.length < sources.length)
      throw new AifiError('PEER_REFUSED', 'not all were written');
    await sealInstances(output, written);
  };
}

async function workOf({ what, input, output }: ResidentOrder): Promise<() => Promise<void>> {
  if (what === 'copy') return () => copyFiles(input, output, 1);
  if (what === 'engine') return () => pseudonymiseFiles(input, output, keys);
  return asInGateway(input, output);
}

async function carryOut(order: ResidentOrder): Promise<ResidentAnswer> {
  try {
    const work = await workOf(order);
    const [started, before] = [performance.now(), process.cpuUsage()];
    await work();
    const { user, system } = process.cpuUsage(before);
    const seconds = (performance.now() - started) / 1_000;
    return { ok: true, seconds, processorSeconds: (user + system) / 1e6 };
  } catch (error) {
    return { ok: false, words: AifiError.from(error).message };
  }
}

process.on('message', (order: ResidentOrder) => {
  void carryOut(order).then((answer) => process.send!(answer));
});
process.on('disconnect', () => process.exit(0));
