/**
 * SoftHSM 2 and OpenSC: a PKCS #11 token in software, and the tool that speaks to any token.
 * Decides the Debian packages and the programs by which they are recognised.
 * Run as a script, it installs what is missing and exits 1 when this machine cannot have it.
 */
import { ensurePeer, runAsScript } from '../apt.mjs';

/** @returns {{ ok: true } | { ok: false, reason: string }} */
export function ensureSofthsm() {
  return ensurePeer({
    programs: ['softhsm2-util', 'pkcs11-tool'],
    packages: ['softhsm2', 'opensc'],
  });
}

runAsScript(import.meta.url, ensureSofthsm);
