/**
 * Entry of the process that the pseudonymise bench compares with: reads every file of a folder,
 * writes it to another one and waits until its bytes are on disk.
 * Decides nothing else. Usage: copy-main IN OUT WIDTH, where WIDTH files are copied at a time.
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

const [from = '', to = '', width = '1'] = process.argv.slice(2);
const names = (await readdir(from)).sort();
const lane = async (): Promise<void> => {
  const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  for (let name = names.shift(); name; name = names.shift()) {
    await copy(join(from, name), join(to, name), chunk);
  }
};
await Promise.all(Array.from({ length: Number(width) }, lane));
const folder = await open(to, 'r');
await folder.sync();
await folder.close();
