/**
 * Temporary folders that tests and the demo remove by themselves.
 * Decides their place: the system's temporary directory, mode 700.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TemporaryFolder {
  readonly path: string;
  remove(): void;
}

export function temporaryFolder(prefix: string): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), `aifi-${prefix}-`));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
