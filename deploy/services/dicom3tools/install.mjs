/**
 * dicom3tools: dciodvfy checks objects against the standard's IODs.
 * Decides the Debian package and the programs by which it is recognised.
 * Run as a script, it installs what is missing and exits 1 when this machine cannot have it.
 */
import { ensurePeer, runAsScript } from '../apt.mjs';

/** @returns {{ ok: true } | { ok: false, reason: string }} */
export function ensureDicom3tools() {
  return ensurePeer({
    programs: ['dciodvfy'],
    packages: ['dicom3tools'],
  });
}

runAsScript(import.meta.url, ensureDicom3tools);
