/**
 * The recall of the pixel gate, measured: builds what changed, then runs the measurement.
 * Decides that a person sees the build only when it fails. All arguments belong to the measurement.
 * Usage: node tools/bootstrap.mjs node tools/recall/run.mjs FOLDER PAGE [TEXTS PER CELL]
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const env = {
  ...process.env,
  NX_DAEMON: 'false',
  NX_NO_CLOUD: 'true',
  NX_TUI: 'false',
  // Nx would leave its bytecode cache in the system's temporary directory.
  NX_COMPILE_CACHE: 'false',
};
const cwd = join(import.meta.dirname, '..', '..');
console.log('building what changed ...');
const build = spawnSync('nx', ['run-many', '-t', 'build'], { cwd, env, encoding: 'utf8' });
if (build.status !== 0) {
  console.error(build.error?.message ?? `${build.stdout}\n${build.stderr}`);
  process.exit(1);
}
// The tool itself is compiled on load, as the fuzzer is.
const load = ['--import', join(import.meta.dirname, '..', 'fuzz', 'load.mjs')];
const main = join(import.meta.dirname, 'src', 'main.ts');
const { status } = spawnSync(process.execPath, [...load, main, ...process.argv.slice(2)], {
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
