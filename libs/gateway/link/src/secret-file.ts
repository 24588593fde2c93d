/**
 * Secret files: what the configuration names and nobody but the gateway may read.
 * Decides that a secret that its group or others can read is refused, not used: a password or key
 * that leaks is noticed by nobody.
 * Invariants: the mode is that of the file that is read, links followed; a message names the
 * setting, never the content. Source: security specification 5 (keys).
 */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { AifiError } from '@aifi/shared-kernel';

const PERMISSIONS_OF_OTHERS = 0o077;

/** CONFIG_INVALID when it does not read, or is open to others; `setting` is what to mend. */
export function readSecretFile(path: string, setting: string): Buffer {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    if ((fstatSync(file).mode & PERMISSIONS_OF_OTHERS) !== 0) {
      throw new AifiError('CONFIG_INVALID', `${setting} is open to others: mode 600 is needed`);
    }
    return readFileSync(file);
  } catch (error) {
    if (error instanceof AifiError) throw error;
    throw new AifiError('CONFIG_INVALID', `${setting} does not read`, { cause: error });
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
