/**
 * `npm run simulate` after the bootstrap: builds what changed, then runs the compiled simulator.
 * Decides that a person sees the build only when it fails. Everything after `--` belongs to it.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const env = {
  ...process.env,
  NX_DAEMON: 'false',
  NX_NO_CLOUD: 'true',
  NX_TUI: 'false',
  // Nx would leave its bytecode cache in the system's temporary directory.
  NX_COMPILE_CACHE: 'false',
};
console.log('building what changed ...');
const build = spawnSync('nx', ['run-many', '-t', 'build'], { cwd: root, env, encoding: 'utf8' });
if (build.status !== 0) {
  console.error(build.error?.message ?? `${build.stdout}\n${build.stderr}`);
  process.exit(1);
}
await import('./dist/main.js');
