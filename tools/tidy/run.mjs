/**
 * Tidy as a command: runs its suite, which holds the rules against the whole workspace.
 */
import { spawnSync } from 'node:child_process';

const { status } = spawnSync('jest', ['--selectProjects', 'unit', '--silent', '--', 'tools/tidy'], {
  stdio: 'inherit',
  env: {
    ...process.env,
    NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning',
  },
});
process.exitCode = status ?? 1;
