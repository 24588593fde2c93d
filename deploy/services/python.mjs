/**
 * Peers from PyPI: a virtual environment of their own in the user's cache.
 * Decides its place, named after the fixed versions in requirements.txt, so that nothing of the
 * machine's Python changes.
 * Invariant: the folder under its name is complete: it is made beside and moved, so that two
 * processes may install at once.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram, installPackages } from './apt.mjs';

const CACHE = join(homedir(), '.cache', 'aifi');
const PYTHON = join('bin', 'python3');

/**
 * The environment of one peer.
 * @param {string} name
 * @param {URL} requirements
 * @returns {{ python: string, ensure: () => { ok: true } | { ok: false, reason: string } }}
 */
export function pythonEnvironment(name, requirements) {
  const versions = createHash('sha256').update(readFileSync(requirements)).digest('hex');
  const folder = join(CACHE, `${name}-${versions.slice(0, 12)}`);
  const ensure = () => {
    if (existsSync(folder)) return { ok: true };
    const python = pythonWithVenv();
    if (!python.ok) return python;
    let making;
    try {
      mkdirSync(CACHE, { recursive: true });
      making = mkdtempSync(`${folder}-`);
    } catch {
      return { ok: false, reason: 'the cache folder of this user cannot be written' };
    }
    try {
      return make(python.path, making);
    } finally {
      rmSync(making, { recursive: true, force: true });
    }
  };
  const make = (python, making) => {
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
    const file = fileURLToPath(requirements);
    const isMade =
      run(python, '-m', 'venv', making) && run(join(making, PYTHON), ...pip, '-r', file);
    if (!isMade) return { ok: false, reason: `pip could not install ${name}` };
    try {
      renameSync(making, folder);
    } catch (error) {
      // Another process was first; its versions are the same.
      if (!existsSync(folder)) throw error;
    }
    return { ok: true };
  };
  return { python: join(folder, PYTHON), ensure };
}

/** A Python that can make environments: the first on the path, or Debian's. */
function pythonWithVenv() {
  const candidates = () => [findProgram('python3'), '/usr/bin/python3'].filter(Boolean);
  const find = () => candidates().find((path) => run(path, '-c', 'import ensurepip, venv'));
  const present = find();
  if (present) return { ok: true, path: present };
  const installed = installPackages(['python3', 'python3-venv']);
  if (!installed.ok) return installed;
  const path = find();
  return path ? { ok: true, path } : { ok: false, reason: 'python3 has no venv module' };
}

/** True when the command ends well; its words go to standard error, output is the caller's. */
function run(command, ...words) {
  const done = spawnSync(command, words, { stdio: ['ignore', 2, 2], timeout: 600_000 });
  return done.status === 0;
}
