/**
 * Installing a peer from Debian or Ubuntu packages.
 * Decides when it can be done (apt-get present, and root or a sudo that asks nothing) and that no
 * packaged service ever starts: only processes of our own, with our own configuration.
 * Invariant: never throws for a machine that cannot have the peer; the caller says so loudly.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('apt-install.sh', import.meta.url));
// Debian puts servers such as Orthanc into sbin, which is not on every user's PATH.
const SBIN = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/**
 * Where a program lies, or undefined.
 * @param {string} program
 * @returns {string | undefined}
 */
export function findProgram(program) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...SBIN].filter(Boolean);
  return folders
    .map((folder) => join(folder, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return statSync(path).isFile();
      } catch {
        return false;
      }
    });
}

/** The words before a command that make it run as root, or undefined when nobody may. */
function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  const sudo = findProgram('sudo');
  if (!sudo) return undefined;
  const probe = spawnSync(sudo, ['-n', 'true'], { stdio: 'ignore' });
  return probe.status === 0 ? [sudo, '-n'] : undefined;
}

/**
 * Makes sure that a peer's programs are there.
 * @param {{ programs: readonly string[], packages: readonly string[] }} peer
 * @returns {{ ok: true } | { ok: false, reason: string }}
 */
export function ensurePeer({ programs, packages }) {
  const missing = () => programs.filter((program) => !findProgram(program));
  if (missing().length === 0) return { ok: true };
  const installed = installPackages(packages);
  if (!installed.ok || missing().length === 0) return installed;
  return { ok: false, reason: `a program is missing after apt-get: ${missing().join(', ')}` };
}

/**
 * Installs packages, for a peer that is recognised by something else than a program.
 * @param {readonly string[]} packages
 * @returns {{ ok: true } | { ok: false, reason: string }}
 */
export function installPackages(packages) {
  if (!findProgram('apt-get')) return { ok: false, reason: 'this machine has no apt-get' };
  const prefix = rootPrefix();
  if (!prefix) return { ok: false, reason: 'installing needs root or a sudo without password' };
  const [command, ...words] = [...prefix, '/bin/sh', SCRIPT, ...packages];
  // Standard output belongs to the caller's report.
  const done = spawnSync(command, words, { stdio: ['ignore', 2, 2], timeout: 600_000 });
  if (done.status === 0) return { ok: true };
  return { ok: false, reason: `apt-get could not install ${packages.join(', ')}` };
}

/**
 * The command line of an install script: exits 1 with a line when the peer cannot be had.
 * @param {string} moduleUrl of the script
 * @param {() => { ok: boolean, reason?: string }} ensure
 */
export function runAsScript(moduleUrl, ensure) {
  if (process.argv[1] !== fileURLToPath(moduleUrl)) return;
  const outcome = ensure();
  if (outcome.ok) return;
  console.error(outcome.reason);
  process.exitCode = 1;
}
