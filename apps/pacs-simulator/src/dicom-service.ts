/**
 * DIMSE side of the stand-in PACS: C-STORE into the archive, C-FIND out of it, C-STORE to a peer.
 * Decides only what the demo and the tests need of a PACS: STUDY and IMAGE level, exact values.
 */
import { readFile } from 'node:fs/promises';
import { decodeFileMeta, encodeFileMeta } from '@aifi/dicom-core';
import {
  DimseScu,
  DIMSE_STATUS,
  startStoreScp,
  storeVerdict,
  type FindHandler,
  type RunningScp,
  type StoreHandler,
} from '@aifi/dicom-dimse';
import { AifiError, systemClock } from '@aifi/shared-kernel';
import { KEY_OF_LEVEL, type Archive, type ArchivedInstance, type Level } from './archive.js';
import type { SimulatorConfig } from './simulator.config.js';

const LEVEL_OF_QUERY: Readonly<Record<string, Level>> = { STUDY: 'Study', IMAGE: 'Instance' };

function storeHandler(archive: Archive): StoreHandler {
  return {
    begin: async ({ affectedSopClassUid, affectedSopInstanceUid, transferSyntaxUid }) => {
      const uids = { sopClassUid: affectedSopClassUid, sopInstanceUid: affectedSopInstanceUid };
      const parts: Uint8Array[] = [encodeFileMeta({ ...uids, transferSyntaxUid })];
      return {
        write: async (chunk) => void parts.push(chunk),
        end: async () => {
          await archive.add(Buffer.concat(parts));
          return DIMSE_STATUS.success;
        },
        abort: async () => undefined,
      };
    },
  };
}

function findHandler(archive: Archive): FindHandler {
  return async (query) => {
    const { QueryRetrieveLevel = '', ...keys } = query;
    const level = LEVEL_OF_QUERY[QueryRetrieveLevel];
    if (!level) throw new AifiError('INVALID_ARGUMENT', 'no query level');
    return archive.resources(level, keys).map(({ tags }) => {
      const asked = Object.keys({ ...keys, [KEY_OF_LEVEL[level]]: '' });
      const answer = Object.fromEntries(asked.map((key) => [key, tags[key] ?? '']));
      return { ...answer, QueryRetrieveLevel };
    });
  };
}

export function startDicomService(config: SimulatorConfig, archive: Archive): Promise<RunningScp> {
  return startStoreScp({
    ...config.dicom,
    callers: 'any',
    handler: storeHandler(archive),
    find: findHandler(archive),
  });
}

/** Sends instances to a configured modality; returns how many it did not take. */
export async function sendToModality(
  config: SimulatorConfig,
  name: string,
  instances: readonly ArchivedInstance[],
): Promise<{ readonly remoteAet: string; readonly failed: number }> {
  const modality = config.modalities.find((candidate) => candidate.name === name);
  if (!modality) throw new AifiError('NOT_FOUND', 'no such modality');
  const { host, port, aeTitle } = modality;
  const titles = { calledAeTitle: aeTitle, callingAeTitle: config.dicom.aeTitle };
  const scu = new DimseScu({ host, port, ...titles, clock: systemClock });
  let failed = 0;
  for (const instance of instances) {
    const bytes = await readFile(instance.path);
    const { meta, datasetOffset } = decodeFileMeta(bytes);
    const status = await scu
      .store({ ...meta, dataset: bytes.subarray(datasetOffset) })
      .catch(() => DIMSE_STATUS.processingFailure);
    if (storeVerdict(status) !== 'stored') failed += 1;
  }
  return { remoteAet: aeTitle, failed };
}
