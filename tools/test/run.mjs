/**
 * `npm test`: peers, build, check, then unit, integration and e2e suites; one closing line.
 * Decides that nothing is left out silently: a suite that cannot run here is listed, and with
 * CI=true it is a failure. Usage: npm test [-- unit|integration|e2e ...] [-- path fragments].
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installPeers } from '../../deploy/services/install-peers.mjs';

const KINDS = ['unit', 'integration', 'e2e'];
const environment = {
  ...process.env,
  NX_DAEMON: 'false',
  NX_NO_CLOUD: 'true',
  NX_TUI: 'false',
  NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning',
};
const total = { passed: 0, failed: 0, skipped: 0 };
const skipped = [];

function run(command, args, env = environment) {
  return spawnSync(command, args, { stdio: 'inherit', env }).status === 0;
}
/** A step that is no test suite counts as one test. */
function step(name, succeeded) {
  console.log(`${name}: ${succeeded ? 'ok' : 'FAILED'}`);
  total[succeeded ? 'passed' : 'failed'] += 1;
  return succeeded;
}

function runKind(kind, folder) {
  const report = join(folder, `${kind}.json`);
  // e2e suites start whole platforms: one at a time.
  const workers = kind === 'e2e' ? ['--runInBand'] : ['--maxWorkers=2'];
  const args = ['--selectProjects', kind, '--json', `--outputFile=${report}`, ...workers];
  run('jest', ['--forceExit', '--passWithNoTests', ...args]);
  let result;
  try {
    result = JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    return step(`${kind} suites`, false);
  }
  total.passed += result.numPassedTests;
  total.failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
  total.skipped += result.numPendingTests;
  for (const suite of result.testResults) {
    for (const test of suite.assertionResults) {
      if (test.status === 'pending') skipped.push(`${kind}: ${test.fullName}`);
    }
  }
}

const kinds = process.argv.slice(2).filter((argument) => KINDS.includes(argument));
const selected = kinds.length > 0 ? kinds : KINDS;
const missing = installPeers();
const plain = { ...environment, NODE_OPTIONS: process.env.NODE_OPTIONS ?? '' };
const built = step('build', run('nx', ['run-many', '-t', 'build'], plain));
if (kinds.length === 0) step('check', run('node', ['tools/check/run.mjs'], plain));
const folder = mkdtempSync(join(tmpdir(), 'aifi-test-'));
try {
  if (built) for (const kind of selected) runKind(kind, folder);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (missing.length > 0 || skipped.length > 0) {
  console.log('\n!!! NOT TESTED HERE:');
  for (const peer of missing) console.log(`!!!   peer missing: ${peer}`);
  for (const name of skipped) console.log(`!!!   skipped: ${name}`);
}
if (missing.length > 0 && process.env.CI === 'true') total.failed += missing.length;
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
