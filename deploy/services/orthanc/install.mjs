/**
 * Orthanc: an open-source DICOM server, the PACS of the demo hospitals.
 * Decides the Debian package and the programs by which it is recognised.
 * Run as a script, it installs what is missing and exits 1 when this machine cannot have it.
 */
import { ensurePeer, runAsScript } from '../apt.mjs';

/** @returns {{ ok: true } | { ok: false, reason: string }} */
export function ensureOrthanc() {
  return ensurePeer({
    programs: ['Orthanc'],
    packages: ['orthanc'],
  });
}

runAsScript(import.meta.url, ensureOrthanc);
