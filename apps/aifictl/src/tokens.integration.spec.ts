/**
 * Goal: what a sign-in leaves on disk is for its user alone. Method: a temporary folder.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { tokenFiles, type SavedTokens } from './tokens.js';

describe(tokenFiles.name, () => {
  let folder: TemporaryFolder;
  beforeEach(() => {
    folder = temporaryFolder('tokens');
  });
  afterEach(() => folder.remove());
  const sut = () => tokenFiles(join(folder.path, 'aifictl'));
  const tokens: SavedTokens = {
    ...{ schema: 'aifictl.tokens.v1', server: 'https://hub.example', issuer: 'https://l.example' },
    ...{ accessToken: 'a', refreshToken: null, expiresAtMs: 1 },
  };
  const modeOf = (path: string): number => statSync(path).mode & 0o777;

  it('keeps one file per server, which only its user can read', () => {
    sut().write(tokens);
    sut().write({ ...tokens, accessToken: 'b' });
    sut().write({ ...tokens, server: 'https://other.example' });
    const names = readdirSync(join(folder.path, 'aifictl'));
    expect(names).toHaveLength(2);
    expect(names.join()).not.toContain('hub');
    for (const name of names) expect(modeOf(join(folder.path, 'aifictl', name))).toBe(0o600);
    expect(modeOf(join(folder.path, 'aifictl'))).toBe(0o700);
    expect(sut().read(tokens.server)).toEqual({ ...tokens, accessToken: 'b' });
  });
  it('knows nothing of a file that does not read', () => {
    sut().write(tokens);
    const [name] = readdirSync(join(folder.path, 'aifictl'));
    writeFileSync(join(folder.path, 'aifictl', name!), '{}');
    expect(sut().read(tokens.server)).toBeUndefined();
    expect(sut().remove(tokens.server)).toBe(false);
    expect(readdirSync(join(folder.path, 'aifictl'))).toEqual([]);
  });
});
