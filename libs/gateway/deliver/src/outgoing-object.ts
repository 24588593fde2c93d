/**
 * The object of a row, from disk to the PACS.
 * Decides that nothing is sent but the bytes on record: the whole file is hashed first, then its
 * dataset is streamed. Invariant: memory holds the header and one chunk, whatever the size.
 * Source: reliability specification P6 (bytes identical); PS3.10 7.1.
 */
import { createHash } from 'node:crypto';
import { readPart10Header } from '@aifi/dicom-core';
import type { StoreObject } from '@aifi/dicom-dimse';
import { fileFault, nodeFileSystem, type FileSystem } from '@aifi/shared-kernel';
import type { DeliveryRow } from './delivery-row.js';
import type { ResultIdentity } from './pacs-identity.js';

const CHUNK_BYTES = 256 * 1024;

export interface OutgoingObject extends StoreObject {
  readonly dataset: () => AsyncIterable<Uint8Array>;
  readonly identity: ResultIdentity;
}

/** The object as re-identified; undefined when it is not the one on record, or not of its study. */
export async function readOutgoingObject(
  row: DeliveryRow,
  files: FileSystem = nodeFileSystem,
): Promise<OutgoingObject | undefined> {
  const hash = createHash('sha256');
  for await (const chunk of fileChunks(files, row.path, 0)) hash.update(chunk);
  if (hash.digest('hex') !== row.sha256) return undefined;
  const { meta, dataset, datasetOffset } = await readPart10Header(row.path, files);
  const isOurs =
    dataset.string('StudyInstanceUID') === row.study_uid &&
    meta.sopInstanceUid === row.sop_instance_uid;
  if (!isOurs) return undefined;
  return {
    sopClassUid: row.sop_class_uid,
    sopInstanceUid: row.sop_instance_uid,
    transferSyntaxUid: meta.transferSyntaxUid,
    dataset: () => fileChunks(files, row.path, datasetOffset),
    identity: {
      studyInstanceUid: row.study_uid,
      patientId: dataset.string('PatientID') ?? '',
      issuerOfPatientId: dataset.string('IssuerOfPatientID') ?? '',
      patientBirthDate: dataset.string('PatientBirthDate') ?? '',
      patientName: dataset.string('PatientName') ?? '',
      patientSex: dataset.string('PatientSex') ?? '',
      accessionNumber: dataset.strings('AccessionNumber').join('\\'),
    },
  };
}

async function* fileChunks(
  files: FileSystem,
  path: string,
  start: number,
): AsyncGenerator<Uint8Array> {
  try {
    yield* files.chunks(path, start, CHUNK_BYTES);
  } catch (error) {
    throw fileFault(error);
  }
}
