/**
 * What the pseudonymise command is given: folders and key file.
 * Decides what is refused before anything is read: a missing key file is never made, output never
 * joins other files, and neither folder lies in the other. Invariant: links are not followed, so
 * that nothing outside of the folder is read. Source: pseudonymisation specification 1.3.
 */
import type { Stats } from 'node:fs';
import { lstat, mkdir, open, readdir, realpath } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { AifiError } from '@aifi/shared-kernel';
import { UsageError } from './command-line.js';

export interface Folders {
  readonly input: string;
  readonly output: string;
}
export interface FoundFile {
  readonly path: string;
  /** Below the folder, with `/` between the names. */
  readonly name: string;
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch {
    return undefined;
  }
}

/** Both folders by their real paths; the output is made when it is missing. */
export async function openFolders(input: string, output: string): Promise<Folders> {
  const real = await realpath(input).catch(() => '');
  if (real === '' || !(await statOf(real))?.isDirectory()) {
    throw new UsageError('the folder of --in cannot be read');
  }
  try {
    await mkdir(output, { recursive: true, mode: 0o700 });
    if ((await readdir(output)).length > 0)
      throw new UsageError('the folder of --out is not empty');
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError('the folder of --out cannot be written');
  }
  const folders = { input: real, output: await realpath(output) };
  if (holds(folders.input, folders.output) || holds(folders.output, folders.input)) {
    throw new UsageError('--in and --out must lie beside each other');
  }
  return folders;
}
function holds(outer: string, inner: string): boolean {
  const way = relative(outer, inner);
  return way === '' || !(way === '..' || way.startsWith(`..${sep}`) || way.startsWith(sep));
}

/** Regular files below a folder, sorted within each folder; told of what is passed over. */
export async function* filesBelow(
  folder: string,
  onPassedOver: () => void,
  name = '',
): AsyncGenerator<FoundFile> {
  const entries = await readdir(join(folder, name), { withFileTypes: true });
  // By code units: the order, and with it the numbers, do not depend on a language.
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const below = name === '' ? entry.name : `${name}/${entry.name}`;
    if (entry.isDirectory()) yield* filesBelow(folder, onPassedOver, below);
    else if (entry.isFile()) yield { path: join(folder, below), name: below };
    else onPassedOver();
  }
}

/** Runs `load` for a key file that is there. */
export async function withKeyFile<T>(path: string, load: () => Promise<T>): Promise<T> {
  if (!(await statOf(path))) throw new UsageError('the key file is not there');
  try {
    return await load();
  } catch (error) {
    const { code, message } = AifiError.from(error);
    if (code !== 'CONFIG_INVALID') throw error;
    throw new UsageError(message);
  }
}

/** PS3.10 8.6: the directory of a medium. It holds no images, but names of patients. */
const MEDIA_DIRECTORY = '1.2.840.10008.1.3.10';
/** @unit bytes */
const START_BYTES = 4096;

/** True for a Part 10 file of anything but a directory; asked of files that were refused. */
export async function isDicomObject(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(START_BYTES), 0, START_BYTES, 0);
    const start = buffer.subarray(0, bytesRead);
    const isPart10 = start.subarray(128, 132).toString('latin1') === 'DICM';
    return isPart10 && !start.includes(`${MEDIA_DIRECTORY}\0`, 132, 'latin1');
  } finally {
    await file.close();
  }
}
