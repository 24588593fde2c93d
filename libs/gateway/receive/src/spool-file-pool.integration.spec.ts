/**
 * Goal: a file lies ready before an object comes, holds exactly its bytes when it is committed, and
 * a disk that fails to sync ends the process instead of being asked again.
 * Method: real files; a disk whose sync fails and one without space, put in where files open.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { sha256Hex } from '@aifi/shared-kernel';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { SpoolFilePool, type SpoolDisk } from './spool-file-pool.js';

const MIB = 1024 ** 2;
class Fatal extends Error {}

describe(SpoolFilePool.name, () => {
  let folder: TemporaryFolder;
  let disk: SpoolDisk;
  let fatals: number;
  beforeEach(() => {
    folder = temporaryFolder('spool-files');
    fatals = 0;
    const onFatal = (): never => {
      fatals += 1;
      throw new Fatal();
    };
    disk = { folder: folder.path, onFatal };
  });
  afterEach(() => folder.remove());
  const names = () => readdirSync(folder.path);
  const sizes = () => names().map((name) => statSync(join(folder.path, name)).size);

  it('makes a few empty files ahead, named by a UUID, and takes them away', async () => {
    const sut = await SpoolFilePool.open(disk);
    expect(names()).toHaveLength(16);
    expect(names().every((name) => /^[0-9a-f-]{36}\.dcm$/.test(name))).toBe(true);
    await sut.close();
    expect(names()).toEqual([]);
  });

  it('keeps exactly the bytes that came, in any pieces, under the digest it tells', async () => {
    const sut = await SpoolFilePool.open(disk);
    const file = await sut.take();
    const pieces = [1, 300, 2 * MIB, 7, ...Array.from({ length: 600 }, () => 3)].map((length, i) =>
      Buffer.alloc(length, i),
    );
    for (const piece of pieces) file.append(piece);
    const whole = Buffer.concat(pieces);
    const { fileName, ...content } = await file.commit();
    expect(content).toEqual({ sizeBytes: whole.length, sha256: sha256Hex(whole) });
    expect(readFileSync(join(folder.path, fileName)).equals(whole)).toBe(true);
    file.discard();
    expect(names()).toContain(fileName);
    await sut.close();
    expect(names()).toEqual([fileName]);
  });

  it('holds at most its buffer of an object, and leaves nothing of a discarded one', async () => {
    const sut = await SpoolFilePool.open(disk);
    const file = await sut.take();
    for (let i = 0; i < 10; i += 1) file.append(Buffer.alloc(MIB / 2));
    expect(Math.max(...sizes())).toBe(5 * MIB);
    file.append(Buffer.alloc(9));
    expect(Math.max(...sizes())).toBe(5 * MIB);
    file.flush();
    expect(Math.max(...sizes())).toBe(5 * MIB + 9);
    file.discard();
    await sut.close();
    expect(names()).toEqual([]);
  });

  it('gives a file to everybody who waits, and none twice', async () => {
    const sut = await SpoolFilePool.open(disk);
    const files = await Promise.all(Array.from({ length: 64 }, () => sut.take()));
    expect(new Set(files).size).toBe(64);
    const committed = await Promise.all(files.map((file) => file.commit()));
    expect(new Set(committed.map(({ fileName }) => fileName)).size).toBe(64);
    await sut.close();
  });

  it('ends the process at a failed sync and does not try again', async () => {
    let syncs = 0;
    const sut = await SpoolFilePool.open({
      ...disk,
      openFile: async (...parameters) => {
        const handle = await open(...parameters);
        handle.datasync = () => {
          syncs += 1;
          return Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' }));
        };
        return handle;
      },
    });
    const file = await sut.take();
    file.append(Buffer.from('x'));
    await expect(file.commit()).rejects.toBeInstanceOf(Fatal);
    expect([fatals, syncs]).toEqual([1, 1]);
    await sut.close();
  });

  it('tells the taker when there is no space, and serves again when there is', async () => {
    let isFull = true;
    const sut = await SpoolFilePool.open({
      ...disk,
      openFile: (...parameters) =>
        isFull
          ? Promise.reject(Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' }))
          : open(...parameters),
    });
    const taken = async () => sut.take();
    await expect(taken()).rejects.toMatchObject({ code: 'OUT_OF_RESOURCES' });
    isFull = false;
    const file = await taken();
    file.append(Buffer.from('x'));
    expect((await file.commit()).sizeBytes).toBe(1);
    await sut.close();
  });
});
