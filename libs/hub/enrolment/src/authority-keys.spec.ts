/**
 * Goal: when a key counts as written, a loss of power leaves it and the folder that it lies in.
 * Method: the disk of this machine, which tells the syncs in their order.
 */
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { nodeFileSystem, type FileSystem } from '@aifi/shared-kernel';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { AuthorityKeys } from './authority-keys.js';

let folder: TemporaryFolder;
beforeEach(() => {
  folder = temporaryFolder('authority-keys');
});
afterEach(() => folder.remove());

describe(AuthorityKeys.name, () => {
  const cases = [
    { by: 'this life', hasFolder: false },
    { by: 'a life before', hasFolder: true },
  ];
  it.each(cases)('keeps a key in a folder made by $by', async ({ hasFolder }) => {
    const own = join(folder.path, 'authority');
    if (hasFolder) mkdirSync(own, { mode: 0o700 });
    const synced: string[] = [];
    const files: FileSystem = {
      ...nodeFileSystem,
      syncFolder: (path) => {
        synced.push(path);
        return nodeFileSystem.syncFolder(path);
      },
    };
    const sut = new AuthorityKeys(own, files);
    await sut.write('one', 'a key');
    expect(synced).toEqual([folder.path, own]);
    expect(sut.read('one')).toBe('a key');
    expect(statSync(join(own, 'one.key.pem')).mode & 0o777).toBe(0o600);
  });
});
