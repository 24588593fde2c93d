/**
 * What `npm run bench`, `chaos`, `demo` and `simulate` have in common after the bootstrap, and the
 * measurement of the recall.
 * Decides that what changed is built first, and that a person sees the build only when it fails.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** Builds what changed; ends this process when that fails. */
export function buildFirst() {
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
  if (build.status === 0) return;
  console.error(build.error?.message ?? `${build.stdout}\n${build.stderr}`);
  process.exit(1);
}
