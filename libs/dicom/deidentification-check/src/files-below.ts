/**
 * The files of a folder and its subfolders, in one fixed order.
 * Decides running numbers: paths may hold identity, so reports count instead of naming.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

export async function* filesBelow(folder: string): AsyncGenerator<string> {
  const entries = await readdir(folder, { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile()) yield path;
  }
}
