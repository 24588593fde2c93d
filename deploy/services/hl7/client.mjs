/**
 * python-hl7 and hl7apy, from Node: a sender of messages and two readers.
 * Decides only how the Python scripts are run: what they say is said by those libraries. Rejects
 * when they are not installed or do not end.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { HL7_PYTHON } from './install.mjs';

const TIMEOUT_MS = 120_000;

/**
 * @param {string} host
 * @param {number} port
 * @param {readonly { wire: Buffer, answers: number }[]} items one connection each
 * @returns {Promise<[string, string][][]>} MSA-1 and MSA-2 of what was answered to each
 */
export function sendWithPythonHl7(host, port, items) {
  const input = items.map(({ wire, answers }) => ({ wire: wire.toString('base64'), answers }));
  return run('send-frames.py', [host, String(port)], input);
}

/**
 * @param {Readonly<Record<string, string>>} messages
 * @returns {Promise<Record<string, import('./client.d.mts').ReadMessage>>}
 */
export function readWithPeers(messages) {
  return run('read-messages.py', [], messages);
}

async function run(script, words, input) {
  const path = fileURLToPath(new URL(script, import.meta.url));
  // -I: no module of the caller's folder or environment is imported.
  const child = spawn(HL7_PYTHON, ['-I', path, ...words], {
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: TIMEOUT_MS,
  });
  const pieces = [];
  child.stdout.on('data', (piece) => pieces.push(piece));
  child.stdin.end(JSON.stringify(input));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${script} ended with ${code}`);
  return JSON.parse(Buffer.concat(pieces).toString('utf8'));
}
