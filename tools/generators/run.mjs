/**
 * `npm run generate`: TypeScript from the proto files.
 * Decides that generated code is committed and made by one command only.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const cwd = join(import.meta.dirname, '../../libs/contracts/proto');
for (const args of [['lint'], ['generate']]) {
  const { status } = spawnSync('buf', args, { cwd, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
