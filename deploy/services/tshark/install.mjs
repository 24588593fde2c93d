/**
 * tshark: decrypts and dissects what a test recorded on the link between gateway and hub.
 * Decides the Debian package and the program by which it is recognised. It only reads files: nobody
 * gets the right to capture from an interface.
 * Run as a script, it installs what is missing and exits 1 when this machine cannot have it.
 */
import { ensurePeer, runAsScript } from '../apt.mjs';

/** @returns {{ ok: true } | { ok: false, reason: string }} */
export function ensureTshark() {
  return ensurePeer({
    programs: ['tshark'],
    packages: ['tshark'],
  });
}

runAsScript(import.meta.url, ensureTshark);
