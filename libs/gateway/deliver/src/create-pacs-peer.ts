/**
 * createPacsPeer: the PACS of the configuration, over DIMSE or over DICOMweb.
 * Decides which of the two and reads certificates and keys. Invariant: a file that is not there
 * refuses the start and not the first delivery; nothing of a file is logged.
 * Source: security specification 4 (DICOM TLS); PS3.18 10.5.
 */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { DimseScu } from '@aifi/dicom-dimse';
import { DicomWebPacs } from '@aifi/dicom-dicomweb';
import { AifiError, type Clock } from '@aifi/shared-kernel';
import type { DeliverConfig } from './deliver.config.js';
import type { PacsPeer } from './pacs-peer.js';

export function createPacsPeer(config: DeliverConfig, clock: Clock): PacsPeer {
  return config.stow ? webPeer(config.stow, clock) : dimsePeer(config, clock);
}

function dimsePeer(config: DeliverConfig, clock: Clock): PacsPeer {
  const { host, port, calledAeTitle, callingAeTitle, tls } = config;
  return new DimseScu({
    ...{ host, port, calledAeTitle, callingAeTitle, clock },
    ...(tls && {
      tls: {
        ca: read(tls.caFile),
        certificate: read(tls.certificateFile),
        key: read(tls.keyFile),
        ...(tls.serverName && { serverName: tls.serverName }),
      },
    }),
  });
}

function webPeer(stow: NonNullable<DeliverConfig['stow']>, clock: Clock): PacsPeer {
  const { url, plain, caFile, certificateFile, keyFile, authorizationFile } = stow;
  // Here for its fault only: the header is read anew each time, so that it can be changed.
  if (authorizationFile) read(authorizationFile);
  return new DicomWebPacs({
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
  });
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new AifiError('CONFIG_INVALID', 'a file of the PACS settings is not readable', { cause });
  }
}
