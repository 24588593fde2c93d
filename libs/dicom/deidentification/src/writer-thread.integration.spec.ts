/**
 * Suite: the writer's thread keeps no process alive that has nothing to write. Method: a process of
 * the compiled library that opens a folder and ends.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '@aifi/shared-testing';

const LIBRARY = fileURLToPath(new URL('../dist/index.js', import.meta.url));
/** Of a process that ends by itself in a moment; one that does not is killed. @unit ms */
const PATIENCE_MS = 30_000;

describe('a process that opened a folder and wrote nothing', () => {
  it('ends', () => {
    const folder = temporaryFolder('writer-thread');
    const words = [
      `import { PseudonymisedFolder } from ${JSON.stringify(LIBRARY)};`,
      `await PseudonymisedFolder.open(${JSON.stringify(folder.path)});`,
    ].join('\n');
    const { status, signal } = spawnSync(
      process.execPath,
      ['--input-type=module', '--eval', words],
      { timeout: PATIENCE_MS, stdio: 'ignore', env: { ...process.env, NODE_OPTIONS: '' } },
    );
    folder.remove();
    expect([status, signal]).toEqual([0, null]);
  }, 60_000);
});
