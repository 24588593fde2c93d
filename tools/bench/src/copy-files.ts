/**
 * Reading, writing and syncing of a folder's files: what every tool does at least.
 * Decides nothing else: each file is one of one chunk or more, some at a time.
 */
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** As that of the pseudonymiser. @unit bytes */
const CHUNK_BYTES = 1024 * 1024;

async function copy(from: string, to: string, chunk: Buffer): Promise<void> {
  const [source, target] = await Promise.all([open(from, 'r'), open(to, 'wx', 0o600)]);
  for (;;) {
    const { bytesRead } = await source.read(chunk, 0, chunk.length);
    if (bytesRead === 0) break;
    await target.write(chunk, 0, bytesRead);
  }
  await target.datasync();
  await Promise.all([source.close(), target.close()]);
}

export async function copyFiles(from: string, to: string, width: number): Promise<void> {
  const names = (await readdir(from)).sort();
  const lane = async (): Promise<void> => {
    const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    for (let name = names.shift(); name; name = names.shift()) {
      await copy(join(from, name), join(to, name), chunk);
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
  const folder = await open(to, 'r');
  await folder.sync();
  await folder.close();
}
