/**
 * Installs the peers that the tests talk to: DCMTK, dicom3tools, Orthanc with its DICOMweb plugin,
 * pynetdicom, highdicom, deid, dicom-anonymizer, fhir.resources, python-hl7, hl7apy, rsyslog,
 * SoftHSM, squid, libfaketime, Keycloak, Chromium.
 * Decides that a peer which cannot be had is named, never passed over.
 */
import { ensureChromium } from './chromium/install.mjs';
import { ensureDcmtk } from './dcmtk/install.mjs';
import { ensureDeid } from './deid/install.mjs';
import { ensureDicom3tools } from './dicom3tools/install.mjs';
import { ensureGdcm } from './gdcm/install.mjs';
import { ensureHighdicom } from './highdicom/install.mjs';
import { ensureHl7 } from './hl7/install.mjs';
import { ensureKeycloak } from './keycloak/install.mjs';
import { ensureOrthanc } from './orthanc/install.mjs';
import { ensureOrthancDicomweb } from './orthanc-dicomweb/install.mjs';
import { ensurePydicom } from './pydicom/install.mjs';
import { ensurePynetdicom } from './pynetdicom/install.mjs';
import { ensureFaketime } from './faketime/install.mjs';
import { ensureFhir } from './fhir/install.mjs';
import { ensureRsyslog } from './rsyslog/install.mjs';
import { ensureSofthsm } from './softhsm/install.mjs';
import { ensureSquid } from './squid/install.mjs';

/**
 * Tries each peer in turn.
 * @returns {string[]} one line for each peer that is missing
 */
export function installPeers() {
  const peers = {
    DCMTK: ensureDcmtk,
    dicom3tools: ensureDicom3tools,
    Orthanc: ensureOrthanc,
    'Orthanc DICOMweb': ensureOrthancDicomweb,
    pynetdicom: ensurePynetdicom,
    pydicom: ensurePydicom,
    highdicom: ensureHighdicom,
    GDCM: ensureGdcm,
    'deid and dicom-anonymizer': ensureDeid,
    'fhir.resources': ensureFhir,
    'python-hl7 and hl7apy': ensureHl7,
    rsyslog: ensureRsyslog,
    SoftHSM: ensureSofthsm,
    squid: ensureSquid,
    libfaketime: ensureFaketime,
    Keycloak: ensureKeycloak,
    Chromium: ensureChromium,
  };
  return Object.entries(peers).flatMap(([name, ensure]) => {
    const outcome = ensure();
    return outcome.ok ? [] : [`${name}: ${outcome.reason}`];
  });
}
