/**
 * Goal: no secret is used that others on the machine can read. Method: real files of every mode.
 */
import { afterAll, describe, expect, it } from '@jest/globals';
import { chmodSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@aifi/shared-testing';
import { readSecretFile } from './secret-file.js';

const folder = temporaryFolder('secret-file');
afterAll(() => folder.remove());

function fileOf(mode: number): string {
  const path = join(folder.path, `secret-${mode.toString(8)}`);
  writeFileSync(path, 'the secret');
  chmodSync(path, mode);
  return path;
}
const refused = (path: string): unknown => {
  try {
    return readSecretFile(path, 'hub.keyFile').toString();
  } catch (error) {
    return error;
  }
};

describe(readSecretFile.name, () => {
  it.each([0o600, 0o400])('reads a file of mode %o', (mode) => {
    expect(readSecretFile(fileOf(mode), 'hub.keyFile').toString()).toBe('the secret');
  });
  it.each([0o640, 0o604, 0o644, 0o620, 0o610, 0o666])('refuses a file of mode %o', (mode) => {
    expect(refused(fileOf(mode))).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('hub.keyFile'),
    });
  });
  it('looks at the file behind a link, not at the link', () => {
    const [own, open] = [fileOf(0o600), fileOf(0o644)];
    for (const path of [own, open]) symlinkSync(path, `${path}-link`);
    expect(refused(`${own}-link`)).toBe('the secret');
    expect(refused(`${open}-link`)).toMatchObject({ code: 'CONFIG_INVALID' });
  });
  it('refuses a file that is not there', () => {
    expect(refused(join(folder.path, 'none'))).toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
