/**
 * Bootstrap: plain Node 20 without dependencies, so that a clone alone runs.
 * Decides when the workspace is installed (hash of manifest and lockfile against the stamp of the
 * last whole install) and that everything it starts finds Node 24 first on its PATH.
 * Usage: node tools/bootstrap.mjs <command> [arguments]. Source: docs/adr/0007-node-and-nest.md.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const stampFile = join(root, 'node_modules', '.aifi-bootstrap');
const hash = createHash('sha256');
for (const file of ['package.json', 'package-lock.json'])
  hash.update(readFileSync(join(root, file)));
const wanted = hash.digest('hex');

if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== wanted) {
  console.error('bootstrap: installing the locked packages (once per lockfile) ...');
  const install = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  // An npm that ignores allowScripts would download CUDA libraries that nothing here uses.
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL_CUDA: 'skip' };
  const { status } = spawnSync('npm', install, { cwd: root, env, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
  writeFileSync(stampFile, wanted);
}

const [command, ...commandArguments] = process.argv.slice(2);
if (!command) process.exit(0);
const path = [join(root, 'node_modules', '.bin'), process.env.PATH ?? ''].join(delimiter);
// Before the child starts: a signal in between would end the bootstrap and orphan the child.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
const child = spawn(command, commandArguments, {
  stdio: 'inherit',
  env: { ...process.env, PATH: path },
});
child.on('error', (error) => {
  console.error(`bootstrap: ${command} does not start: ${error.message}`);
  process.exit(127);
});
child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
