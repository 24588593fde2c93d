/**
 * createPacsPeer: the PACS of the configuration, over DIMSE or over DICOMweb.
 * Decides which of the two and reads certificates and keys. Invariant: a file that is not there
 * refuses the start and not the first delivery; nothing of a file is logged.
 * Source: security specification 4 (DICOM TLS); PS3.18 10.5.
 */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { DimseScu, type DimseScuOptions } from '@aifi/dicom-dimse';
import { DicomWebPacs, type DicomWebOptions } from '@aifi/dicom-dicomweb';
import { AifiError, type Clock } from '@aifi/shared-kernel';
import type { DeliverConfig } from './deliver.config.js';
import type { PacsPeer } from './pacs-peer.js';

export function createPacsPeer(config: DeliverConfig, clock: Clock): PacsPeer {
  return config.stow
    ? new DicomWebPacs(webOptions(config.stow, clock))
    : new DimseScu(dimseOptions(config, clock));
}

/** How this PACS is reached over DIMSE. */
export function dimseOptions(config: DeliverConfig, clock: Clock): DimseScuOptions {
  const { host, port, calledAeTitle, callingAeTitle, tls } = config;
  return {
    ...{ host, port, calledAeTitle, callingAeTitle, clock },
    ...(tls && {
      tls: {
        ca: read(tls.caFile),
        certificate: read(tls.certificateFile),
        key: read(tls.keyFile),
        ...(tls.serverName && { serverName: tls.serverName }),
      },
    }),
  };
}

/** How this PACS is reached over DICOMweb. */
export function webOptions(
  stow: NonNullable<DeliverConfig['stow']>,
  clock: Clock,
): DicomWebOptions {
  const { url, plain, caFile, certificateFile, keyFile, authorizationFile } = stow;
  // Here for its fault only: the header is read anew each time, so that it can be changed.
  if (authorizationFile) read(authorizationFile);
  return {
    ...{ baseUrl: url, plain, clock },
    ...(caFile && {
      tls: {
        ca: read(caFile),
        ...(certificateFile && { certificate: read(certificateFile) }),
        ...(keyFile && { key: read(keyFile) }),
      },
    }),
    ...(authorizationFile && {
      authorization: async () => (await readFile(authorizationFile, 'utf8')).trim(),
    }),
  };
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new AifiError('CONFIG_INVALID', 'a file of the PACS settings is not readable', { cause });
  }
}
