/**
 * Secrets of a run: what scripts prove to a provider that they are themselves.
 * Decides that each is random and of this run only. Invariants: a file of mode 600 in the run
 * folder, which is removed at the end; never on a command line, in an environment or in a log.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** @unit bytes: 256 bits, more than anybody guesses */
const SECRET_BYTES = 32;

/** Makes the secret of the client `automation` of a server; names its file. */
export function writeSecret(runFolder: string, server: string): string {
  const folder = join(runFolder, 'secrets');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, `automation-${server}`);
  writeFileSync(file, randomBytes(SECRET_BYTES).toString('base64url'), { mode: 0o600 });
  return file;
}
