/**
 * Goal: a full disk is full, and empty again when asked. Method: a real tmpfs, as root.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '@aifi/shared-testing';
import { SmallDisk } from './small-disk.js';

const MIB = 1024 * 1024;

(SmallDisk.isAllowed() ? describe : describe.skip)(SmallDisk.name, () => {
  it('refuses every write while it is filled, and takes it afterwards', () => {
    const folder = temporaryFolder('small-disk');
    const sut = SmallDisk.over(folder.path, 8 * MIB);
    const file = join(folder.path, 'file');
    try {
      sut.fill();
      expect(() => writeFileSync(file, Buffer.alloc(MIB))).toThrow(/ENOSPC/);
      sut.empty();
      writeFileSync(file, Buffer.alloc(MIB));
      sut.fill(2 * MIB);
      expect(sut.freeBytes).toBeGreaterThanOrEqual(2 * MIB);
      expect(sut.freeBytes).toBeLessThan(3 * MIB);
    } finally {
      sut.remove();
    }
    expect(readdirSync(folder.path)).toEqual([]);
    folder.remove();
  });
});
