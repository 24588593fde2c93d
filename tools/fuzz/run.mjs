/**
 * `npm run fuzz` after the bootstrap: starts the fuzzer from source.
 * Decides that what is fuzzed is the source as it stands: no build can be stale.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const load = ['--conditions=aifi-source', '--import', join(import.meta.dirname, 'load.mjs')];
const main = join(import.meta.dirname, 'src', 'main.ts');
// The fuzzer hears the same signals and ends its own processes.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);
const { status } = spawnSync(process.execPath, [...load, main, ...process.argv.slice(2)], {
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
