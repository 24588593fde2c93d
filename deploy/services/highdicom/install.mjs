/**
 * highdicom: a Python reader of segmentations that none of us wrote.
 * Decides its versions (requirements.txt) and its place: a virtual environment of its own in the
 * user's cache, named after those versions, so that nothing of the machine's Python changes.
 * Invariant: the folder under its name is complete: it is made beside and moved, so that two
 * processes may install at once.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram, installPackages, runAsScript } from '../apt.mjs';

const REQUIREMENTS = fileURLToPath(new URL('requirements.txt', import.meta.url));
const VERSIONS = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 12);
const CACHE = join(homedir(), '.cache', 'aifi');
const FOLDER = join(CACHE, `highdicom-${VERSIONS}`);
const PYTHON = join('bin', 'python3');

/** The Python that has highdicom; only after `ensureHighdicom` said ok. */
export const HIGHDICOM_PYTHON = join(FOLDER, PYTHON);

/** @returns {{ ok: true } | { ok: false, reason: string }} */
export function ensureHighdicom() {
  if (existsSync(FOLDER)) return { ok: true };
  const python = pythonWithVenv();
  if (!python.ok) return python;
  let making;
  try {
    mkdirSync(CACHE, { recursive: true });
    making = mkdtempSync(`${FOLDER}-`);
  } catch {
    return { ok: false, reason: 'the cache folder of this user cannot be written' };
  }
  try {
    return make(python.path, making);
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
}

function make(python, folder) {
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
  const isMade =
    run(python, '-m', 'venv', folder) && run(join(folder, PYTHON), ...pip, '-r', REQUIREMENTS);
  if (!isMade) return { ok: false, reason: 'pip could not install highdicom' };
  try {
    renameSync(folder, FOLDER);
  } catch (error) {
    // Another process was first; its versions are the same.
    if (!existsSync(FOLDER)) throw error;
  }
  return { ok: true };
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

runAsScript(import.meta.url, ensureHighdicom);
