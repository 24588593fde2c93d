/**
 * Goal: the disk of the machine keeps the promises of the port, faults included.
 * Method: a folder.
 */
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { mkdtempSync, readlinkSync, realpathSync, rmSync, statSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFileSystem } from './index.js';

const folder = mkdtempSync(join(tmpdir(), 'aifi-file-system-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const bytes = Buffer.from('0123456789');

async function aFile(name: string): Promise<string> {
  const path = join(folder, name);
  const file = await nodeFileSystem.create(path);
  expect(await file.write(bytes, 4)).toBe(6);
  expect(await file.size()).toBe(6);
  await file.datasync();
  await file.close();
  await nodeFileSystem.syncFolder(folder);
  return path;
}

describe('nodeFileSystem', () => {
  it('writes a new file for its owner only and never over another', async () => {
    const path = await aFile('a');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect((await nodeFileSystem.read(path)).toString()).toBe('456789');
    await expect(nodeFileSystem.create(path)).rejects.toMatchObject({ code: 'EEXIST' });
  });

  it('reads from a place on, in pieces', async () => {
    const path = await aFile('b');
    const pieces: string[] = [];
    for await (const piece of nodeFileSystem.chunks(path, 1, 2)) {
      pieces.push(Buffer.from(piece).toString());
    }
    expect(pieces).toEqual(['56', '78', '9']);
    expect(Buffer.from(await nodeFileSystem.start(path, 3)).toString()).toBe('456');
    expect(await nodeFileSystem.start(path, 99)).toHaveLength(6);
    const gone = nodeFileSystem.chunks(join(folder, 'none'), 0, 2)[Symbol.asyncIterator]();
    await expect(gone.next()).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('makes new folders durable in the ones above them, up to the first that was there', async () => {
    const probe = await open(folder);
    const prototype = Object.getPrototypeOf(probe) as FileHandle;
    await probe.close();
    const synced: string[] = [];
    const { sync } = prototype;
    const spy = jest.spyOn(prototype, 'sync').mockImplementation(function (this: FileHandle) {
      synced.push(readlinkSync(`/proc/self/fd/${this.fd}`));
      return sync.call(this);
    });
    try {
      const top = realpathSync(folder);
      await nodeFileSystem.makeFolder(join(folder, 'p', 'q', 'r'));
      expect(synced).toEqual([join(top, 'p', 'q'), join(top, 'p'), top]);
      await nodeFileSystem.makeFolder(join(folder, 'p', 'q', 'r'));
      expect(synced).toHaveLength(3);
    } finally {
      spy.mockRestore();
    }
  });

  it('renames over an older file and removes what is there, or is not', async () => {
    const inner = join(folder, 'x', 'y');
    await nodeFileSystem.makeFolder(inner);
    await nodeFileSystem.rename(await aFile('c'), join(inner, 'd'));
    await nodeFileSystem.rename(await aFile('c'), join(inner, 'd'));
    expect(await nodeFileSystem.names(inner)).toEqual(['d']);
    expect(nodeFileSystem.exists(join(inner, 'd'))).toBe(true);
    await nodeFileSystem.remove(join(folder, 'x'));
    await nodeFileSystem.remove(join(folder, 'x'));
    await expect(nodeFileSystem.names(inner)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(nodeFileSystem.exists(inner)).toBe(false);
  });
});
