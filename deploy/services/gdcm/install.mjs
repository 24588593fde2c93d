/**
 * GDCM: gdcmanon, a de-identifier that none of us wrote.
 * Decides the Debian package and the program by which it is recognised.
 * Run as a script, it installs what is missing and exits 1 when this machine cannot have it.
 */
import { ensurePeer, runAsScript } from '../apt.mjs';

/** @returns {{ ok: true } | { ok: false, reason: string }} */
export function ensureGdcm() {
  return ensurePeer({ programs: ['gdcmanon', 'gdcmdump'], packages: ['libgdcm-tools'] });
}

runAsScript(import.meta.url, ensureGdcm);
