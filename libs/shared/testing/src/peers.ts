/**
 * Peers: programs that none of us wrote and that a suite needs.
 * Decides that a missing peer skips a suite on a developer's machine and fails it in CI.
 * Usage: `(hasPeers('storescu') ? describe : describe.skip)('...', ...)`.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { AifiError } from '@aifi/shared-kernel';

/** True when all commands are on the PATH (or in /usr/sbin); throws under CI=true otherwise. */
export function hasPeers(...commands: readonly string[]): boolean {
  const missing = commands.filter((command) => !isInstalled(command));
  if (missing.length > 0 && process.env['CI'] === 'true') {
    throw new AifiError('CONFIG_INVALID', `missing peers: ${missing.join(', ')}`);
  }
  return missing.length === 0;
}

function isInstalled(command: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
