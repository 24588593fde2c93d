/**
 * DCMTK: command-line DICOM peers that none of us wrote (storescu, findscu, dcmdump, dsrdump).
 * Decides the Debian package and the programs by which it is recognised.
 * Run as a script, it installs what is missing and exits 1 when this machine cannot have it.
 */
import { ensurePeer, runAsScript } from '../apt.mjs';

/** @returns {{ ok: true } | { ok: false, reason: string }} */
export function ensureDcmtk() {
  return ensurePeer({
    programs: ['dcmdump', 'storescu', 'storescp', 'echoscu', 'findscu', 'dcmqrscp', 'dsrdump'],
    packages: ['dcmtk'],
  });
}

runAsScript(import.meta.url, ensureDcmtk);
