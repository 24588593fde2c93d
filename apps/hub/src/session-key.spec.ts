/**
 * Goal: the session key is made once, stays, and is nobody else's.
 * Method: a temporary folder.
 */
import { afterAll, expect, describe, it } from '@jest/globals';
import { chmodSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@aifi/shared-testing';
import { readSessionKey as sut } from './session-key.js';

const folder = temporaryFolder('session-key');
afterAll(() => folder.remove());
const file = (name: string, text: string, mode = 0o600): string => {
  const path = join(folder.path, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
};

describe(sut.name, () => {
  it('makes a key of 32 bytes once, readable by this user only', () => {
    const dataFolder = join(folder.path, 'data');
    const first = sut({ dataFolder, sessionKeyFile: undefined });
    expect(first).toHaveLength(32);
    expect(sut({ dataFolder, sessionKeyFile: undefined })).toEqual(first);
    expect(statSync(join(dataFolder, 'session-key.txt')).mode & 0o777).toBe(0o600);
  });
  it('takes the configured one', () => {
    const sessionKeyFile = file('own', `${'ab'.repeat(32)}\n`);
    expect(sut({ dataFolder: '/nowhere', sessionKeyFile })).toEqual(Buffer.alloc(32, 0xab));
  });
  it.each([
    ['is missing', () => join(folder.path, 'missing')],
    ['is short', () => file('short', 'ab'.repeat(16))],
    ['is text', () => file('text', 'x'.repeat(64))],
    ['others can read', () => file('open', 'ab'.repeat(32), 0o644)],
  ])('refuses a configured one that %s', (_name, path) => {
    expect(() => sut({ dataFolder: '/nowhere', sessionKeyFile: path() })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });
});
