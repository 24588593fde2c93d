/** Goal: keys are made once and refused when others may read them. Method: real files. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chmodSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { publicKeyPemOf } from './anchor-stage.js';
import { loadOrCreateAuditKey, loadOrCreateSessionKey } from './secret-file.js';

describe('a key that the gateway makes', () => {
  let folder: TemporaryFolder;
  const path = (): string => join(folder.path, 'keys', 'a.key');
  beforeEach(() => {
    folder = temporaryFolder('secrets');
  });
  afterEach(() => folder.remove());

  it('is the same at every start, in a file of this user alone', async () => {
    const first = await loadOrCreateSessionKey(path());
    expect(first).toHaveLength(32);
    expect(await loadOrCreateSessionKey(path())).toEqual(first);
    expect(statSync(path()).mode & 0o777).toBe(0o600);
  });
  it('signs anchors with the same key at every start', async () => {
    const first = publicKeyPemOf(await loadOrCreateAuditKey(path()));
    expect(publicKeyPemOf(await loadOrCreateAuditKey(path()))).toBe(first);
    expect(first).toContain('BEGIN PUBLIC KEY');
  });
  it('is refused when others may read it, or when it is damaged', async () => {
    await loadOrCreateSessionKey(path());
    chmodSync(path(), 0o640);
    await expect(loadOrCreateSessionKey(path())).rejects.toThrow(/chmod 600/);
    chmodSync(path(), 0o600);
    writeFileSync(path(), 'short');
    await expect(loadOrCreateSessionKey(path())).rejects.toThrow(/damaged/);
    await expect(loadOrCreateAuditKey(path())).rejects.toThrow(/damaged/);
  });
});
