/**
 * Reading a segmentation with highdicom, from Node.
 * Decides only how the Python script is run. Throws when the file cannot be read or highdicom is
 * not installed. `node read.mjs FILE` prints the script's JSON.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { HIGHDICOM_PYTHON } from './install.mjs';

const SCRIPT = fileURLToPath(new URL('read-segmentation.py', import.meta.url));

/**
 * @param {string} file
 * @returns {{ segments: { number: number, label: string, count: number }[],
 *   affine: number[][] | null }}
 */
export function readSegmentation(file) {
  const stdio = ['ignore', 'pipe', 'pipe'];
  // -I: no module of the caller's folder or environment is imported.
  const words = ['-I', SCRIPT, file];
  const output = execFileSync(HIGHDICOM_PYTHON, words, { stdio, timeout: 300_000 });
  return JSON.parse(output.toString('utf8'));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(JSON.stringify(readSegmentation(process.argv[2])));
}
