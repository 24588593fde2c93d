/**
 * `npm run check`: format, lint with boundaries, boundary canaries, types.
 * Decides the order (cheap first) and that each step runs although one before it failed, so that
 * one run shows everything. tidy runs as a Jest test of `npm test` and here as a command.
 */
import { spawnSync } from 'node:child_process';

const environment = { ...process.env, NX_DAEMON: 'false', NX_NO_CLOUD: 'true', NX_TUI: 'false' };
const steps = [
  ['format', 'prettier', ['--check', '--log-level', 'warn', '.']],
  // The boundary rule skips itself without a cached project graph: build it first.
  ['project graph', 'nx', ['show', 'projects', '--json'], 'quiet'],
  ['boundary canaries', 'node', ['tools/check/boundary-canaries.mjs']],
  ['lint', 'eslint', ['--max-warnings', '0', 'apps', 'libs', 'tools']],
  ['types', 'tsc', ['-p', 'tsconfig.json']],
  ['types of the pages', 'tsc', ['-p', 'apps/console/tsconfig.json']],
  ['tidy', 'node', ['tools/tidy/run.mjs']],
];

let failed = 0;
for (const [name, command, args, quiet] of steps) {
  const started = performance.now();
  const stdio = quiet ? ['ignore', 'ignore', 'inherit'] : 'inherit';
  const { status } = spawnSync(command, args, { stdio, env: environment });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`check: ${name}: ${status === 0 ? 'ok' : 'FAILED'} (${seconds} s)`);
  if (status !== 0) failed += 1;
}
process.exitCode = failed === 0 ? 0 : 1;
