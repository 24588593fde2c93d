/**
 * Goal: the bootstrap installs exactly when the lockfile changed, and is transparent otherwise.
 * Method: tools/bootstrap.mjs in a temporary workspace with an npm of ours that only takes notes.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { signalGroup } from './stack/managed-process.js';

const NPM = `#!/bin/sh
echo "$* $ONNXRUNTIME_NODE_INSTALL_CUDA" >>npm.log
[ -e fail ] && exit 7
mkdir -p node_modules/.bin
printf '#!/bin/sh\\necho tool "$@"\\n' >node_modules/.bin/tool
chmod 755 node_modules/.bin/tool
`;

describe('bootstrap', () => {
  let folder: TemporaryFolder;
  let group: number | undefined;
  const at = (...parts: string[]): string => join(folder.path, ...parts);
  const installs = (): string[] =>
    existsSync(at('npm.log')) ? readFileSync(at('npm.log'), 'utf8').trim().split('\n') : [];
  const environment = (): NodeJS.ProcessEnv => ({
    ...process.env,
    NODE_OPTIONS: '',
    PATH: `${at('bin')}:${process.env['PATH']}`,
  });
  function sut(...words: string[]): { status: number | null; stdout: string } {
    const args = [at('tools', 'bootstrap.mjs'), ...words];
    return spawnSync(process.execPath, args, { encoding: 'utf8', env: environment() });
  }
  beforeEach(() => {
    folder = temporaryFolder('bootstrap');
    for (const name of ['bin', 'tools']) mkdirSync(at(name));
    const source = join(import.meta.dirname, '..', '..', 'bootstrap.mjs');
    copyFileSync(source, at('tools', 'bootstrap.mjs'));
    writeFileSync(at('bin', 'npm'), NPM, { mode: 0o755 });
    writeFileSync(at('package.json'), '{}');
    writeFileSync(at('package-lock.json'), '{}');
  });
  afterEach(() => {
    if (group !== undefined) signalGroup(group, 'SIGKILL');
    group = undefined;
    folder.remove();
  });

  it('installs once, without CUDA, and runs what the workspace brings first on the PATH', () => {
    expect(sut('tool', '--once', '--json', 'a b').stdout).toBe('tool --once --json a b\n');
    expect(sut('tool').stdout).toBe('tool\n');
    expect(installs()).toEqual(['ci --no-audit --no-fund --loglevel=error skip']);
  });
  it('installs again when manifest or lockfile changed', () => {
    sut('true');
    writeFileSync(at('package-lock.json'), '{"changed":1}');
    sut('true');
    writeFileSync(at('package.json'), '{"changed":1}');
    sut('true');
    expect(installs()).toHaveLength(3);
  });
  it('does not take a failed install for done', () => {
    writeFileSync(at('fail'), '');
    expect(sut('true').status).toBe(7);
    expect(sut('true').status).toBe(7);
    expect(installs()).toHaveLength(2);
  });
  it('passes on the exit code', () => {
    expect(sut('sh', '-c', 'exit 5').status).toBe(5);
    expect(sut('no-such-program').status).toBe(127);
  });
  it.each(['SIGTERM', 'SIGINT'] as const)('forwards %s and waits for the end', async (signal) => {
    sut('true');
    const script = `trap 'echo got; exit 3' TERM INT; echo up; while :; do sleep 0.05; done`;
    const args = [at('tools', 'bootstrap.mjs'), 'sh', '-c', script];
    const stdio: ['ignore', 'pipe', 'inherit'] = ['ignore', 'pipe', 'inherit'];
    const child = spawn(process.execPath, args, { stdio, env: environment(), detached: true });
    group = child.pid;
    let output = '';
    child.stdout.on('data', (chunk) => {
      if (output === '') child.kill(signal);
      output += String(chunk);
    });
    expect(await once(child, 'exit')).toEqual([3, null]);
    expect(output).toBe('up\ngot\n');
  });
});
