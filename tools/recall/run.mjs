/**
 * The recall of the pixel gate, measured: builds what changed, then runs the measurement.
 * All arguments belong to the measurement.
 * Usage: node tools/bootstrap.mjs node tools/recall/run.mjs FOLDER PAGE [TEXTS PER CELL]
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { buildFirst } from '../build-first.mjs';

buildFirst();
// The tool itself is compiled on load, as the fuzzer is.
const load = ['--import', join(import.meta.dirname, '..', 'fuzz', 'load.mjs')];
const main = join(import.meta.dirname, 'src', 'main.ts');
const { status } = spawnSync(process.execPath, [...load, main, ...process.argv.slice(2)], {
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
