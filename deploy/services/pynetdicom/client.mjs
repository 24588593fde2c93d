/**
 * A pynetdicom client, from Node.
 * Decides only how the Python script is run: what it says is said by pynetdicom. Rejects when
 * pynetdicom is not installed or does not end.
 * `node client.mjs HOST PORT CALLED CALLING ACTION ...` prints the script's JSON.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { PYNETDICOM_PYTHON } from './install.mjs';

const SCRIPT = fileURLToPath(new URL('client.py', import.meta.url));
const TIMEOUT_MS = 120_000;

/**
 * @param {readonly string[]} words as in client.py
 * @returns {Promise<import('./client.d.mts').PynetdicomAnswer>}
 */
export async function runPynetdicom(words) {
  // -I: no module of the caller's folder or environment is imported.
  const options = { timeout: TIMEOUT_MS, maxBuffer: 16 * 1024 * 1024 };
  const { stdout } = await promisify(execFile)(
    PYNETDICOM_PYTHON,
    ['-I', SCRIPT, ...words],
    options,
  );
  return JSON.parse(stdout);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(JSON.stringify(await runPynetdicom(process.argv.slice(2))));
}
