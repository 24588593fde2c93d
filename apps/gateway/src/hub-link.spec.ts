/**
 * Goal: a key that others on the machine can read opens no link. Method: files of both modes.
 */
import { afterAll, describe, expect, it } from '@jest/globals';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FakeClock, temporaryFolder } from '@aifi/shared-testing';
import { openHubLink, type LinkParts } from './hub-link.js';

const folder = temporaryFolder('hub-link');
afterAll(() => folder.remove());

function messageOf(keyMode: number): unknown {
  const file = (name: string, mode: number): string => {
    const path = join(folder.path, name);
    writeFileSync(path, 'not read as PEM here');
    chmodSync(path, mode);
    return path;
  };
  const hub = {
    address: 'localhost:1',
    ...{ caFile: file('ca', 0o644), certificateFile: file('certificate', 0o644) },
    ...{ keyFile: file('key', keyMode), signingPublicKeyFile: file('public', 0o644) },
  };
  const config = { hub, dataFolder: folder.path } as unknown as LinkParts['config'];
  const parts = { config, clock: new FakeClock() } as unknown as LinkParts;
  try {
    return openHubLink(parts);
  } catch (error) {
    return (error as Error).message;
  }
}

describe(openHubLink.name, () => {
  it.each([0o640, 0o644])('refuses a key of mode %o', (mode) => {
    expect(messageOf(mode)).toBe('hub.keyFile is open to others: mode 600 is needed');
  });
  it('gets as far as what is in the files with a key of mode 600', () => {
    expect(messageOf(0o600)).not.toContain('hub.keyFile');
  });
});
