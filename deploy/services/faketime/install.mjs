/**
 * libfaketime: a library that moves the wall clock of one process and its children.
 * Decides the Debian package, and where the library of threaded programs lies.
 * Run as a script, it installs what is missing and exits 1 when this machine cannot have it.
 */
import { existsSync, globSync } from 'node:fs';
import { installPackages, runAsScript } from '../apt.mjs';

const LIBRARY = 'libfaketimeMT.so.1';

/** @returns {string | undefined} path of the library */
export function findFaketime() {
  const found = globSync(`/usr/lib/*/faketime/${LIBRARY}`);
  return [...found, `/usr/lib/faketime/${LIBRARY}`].find((path) => existsSync(path));
}

/** @returns {{ ok: true } | { ok: false, reason: string }} */
export function ensureFaketime() {
  if (findFaketime()) return { ok: true };
  const installed = installPackages(['libfaketime']);
  if (!installed.ok || findFaketime()) return installed;
  return { ok: false, reason: `a library is missing after apt-get: ${LIBRARY}` };
}

runAsScript(import.meta.url, ensureFaketime);
