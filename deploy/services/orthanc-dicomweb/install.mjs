/**
 * DICOMweb plugin of Orthanc: STOW-RS, QIDO-RS and WADO-RS of a PACS that none of us wrote.
 * Decides the Debian package and the library by which it is recognised. The packaged configuration
 * is never read: `../orthanc/start.mjs` names the library in a configuration of its own.
 */
import { existsSync } from 'node:fs';
import { installPackages, runAsScript } from '../apt.mjs';
import { ensureOrthanc } from '../orthanc/install.mjs';

/** The plugin; only after `ensureOrthancDicomweb` said ok. */
export const ORTHANC_DICOMWEB_PLUGIN = '/usr/share/orthanc/plugins/libOrthancDicomWeb.so';

/** @returns {{ ok: true } | { ok: false, reason: string }} */
export function ensureOrthancDicomweb() {
  const server = ensureOrthanc();
  if (!server.ok || existsSync(ORTHANC_DICOMWEB_PLUGIN)) return server;
  const installed = installPackages(['orthanc-dicomweb']);
  if (!installed.ok || existsSync(ORTHANC_DICOMWEB_PLUGIN)) return installed;
  return { ok: false, reason: 'the package orthanc-dicomweb does not bring its library' };
}

runAsScript(import.meta.url, ensureOrthancDicomweb);
