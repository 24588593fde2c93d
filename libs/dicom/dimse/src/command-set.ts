/**
 * Command sets of DIMSE messages: group 0000, always Implicit VR Little Endian.
 * Decides which fields of a command this platform reads and writes.
 * Invariant: a command that lacks its field or its data set type is a fault.
 * Source: PS3.7 6.3.1, 9.3 and annex E.
 */
import { DicomDataset, ElementWalker, encodeDataset, unpadded } from '@aifi/dicom-core';
import { AifiError } from '@aifi/shared-kernel';

const IMPLICIT = { explicitVr: false, littleEndian: true };
const NO_DATASET = 0x0101;
const HAS_DATASET = 0x0001;
/** Longest command set taken: real ones stay under 1 KiB. @unit bytes */
export const COMMAND_BYTES_MAX = 16 * 1024;

/** Command Field (0000,0100), PS3.7 E.1. */
export const COMMAND_FIELD = {
  storeRequest: 0x0001,
  getRequest: 0x0010,
  findRequest: 0x0020,
  moveRequest: 0x0021,
  echoRequest: 0x0030,
  eventReportRequest: 0x0100,
  actionRequest: 0x0130,
  cancelRequest: 0x0fff,
} as const;
/** Set in the command field of every response. */
export const RESPONSE_BIT = 0x8000;
const COUNTED: ReadonlySet<number> = new Set([
  COMMAND_FIELD.getRequest | RESPONSE_BIT,
  COMMAND_FIELD.moveRequest | RESPONSE_BIT,
]);

/** How far a C-MOVE or C-GET is, as its provider counts (PS3.7 9.1.3.1.6, 9.1.4.1.7). */
export interface SubOperations {
  readonly remaining: number;
  readonly completed: number;
  readonly failed: number;
  readonly warning: number;
}

export interface DimseCommand {
  readonly field: number;
  /** Message ID of a request, Message ID Being Responded To of a response. */
  readonly messageId: number;
  readonly hasDataset: boolean;
  readonly affectedSopClassUid: string;
  readonly affectedSopInstanceUid: string;
  /** Status of a response. */
  readonly status: number | undefined;
  /** Event Type ID of an N-EVENT-REPORT. */
  readonly eventTypeId: number | undefined;
  /** Of an answer to C-MOVE or C-GET; what is not counted is zero. */
  readonly subOperations?: SubOperations | undefined;
}

export function decodeCommand(bytes: Uint8Array): DimseCommand {
  const walker = new ElementWalker(IMPLICIT);
  walker.push(bytes);
  const { dataset } = walker.end();
  const number = (tag: number): number | undefined => {
    const value = dataset.bytes(tag);
    return value?.length === 2 ? Buffer.from(value).readUInt16LE() : undefined;
  };
  const uid = (tag: number): string =>
    unpadded(Buffer.from(dataset.bytes(tag) ?? []).toString('latin1'));
  const count = (tag: number): number => number(tag) ?? 0;
  const [field, datasetType] = [number(0x00000100), number(0x00000800)];
  const messageId = number(0x00000110) ?? number(0x00000120);
  if (field === undefined || datasetType === undefined || messageId === undefined) {
    throw new AifiError('INVALID_ARGUMENT', 'command set without its mandatory fields');
  }
  return {
    field,
    messageId,
    hasDataset: datasetType !== NO_DATASET,
    affectedSopClassUid: uid(0x00000002),
    affectedSopInstanceUid: uid(0x00001000),
    status: number(0x00000900),
    eventTypeId: number(0x00001002),
    ...(COUNTED.has(field) && {
      subOperations: {
        remaining: count(0x00001020),
        completed: count(0x00001021),
        failed: count(0x00001022),
        warning: count(0x00001023),
      },
    }),
  };
}

/** A request of ours, priority MEDIUM. */
export function encodeRequest(
  request: Pick<DimseCommand, 'field' | 'messageId' | 'hasDataset' | 'affectedSopClassUid'> & {
    readonly affectedSopInstanceUid?: string;
    /** AE title that a C-MOVE sends to. */
    readonly moveDestination?: string;
  },
): Buffer {
  const { field, messageId, hasDataset, affectedSopClassUid, affectedSopInstanceUid } = request;
  const dataset = new DicomDataset()
    .setString(0x00000002, affectedSopClassUid, 'UI')
    .setNumbers(0x00000100, [field], 'US')
    .setNumbers(0x00000110, [messageId], 'US')
    .setNumbers(0x00000800, [hasDataset ? HAS_DATASET : NO_DATASET], 'US');
  if (field !== COMMAND_FIELD.echoRequest) dataset.setNumbers(0x00000700, [0], 'US');
  if (request.moveDestination) dataset.setString(0x00000600, request.moveDestination, 'AE');
  if (affectedSopInstanceUid) dataset.setString(0x00001000, affectedSopInstanceUid, 'UI');
  return withGroupLength(dataset);
}

/** A C-CANCEL-RQ of ours, PS3.7 9.3.2.3. */
export function encodeCancel(messageId: number): Buffer {
  return withGroupLength(
    new DicomDataset()
      .setNumbers(0x00000100, [COMMAND_FIELD.cancelRequest], 'US')
      .setNumbers(0x00000120, [messageId], 'US')
      .setNumbers(0x00000800, [NO_DATASET], 'US'),
  );
}

/** An N-ACTION-RQ of ours with Action Information, PS3.7 10.3.4.1. */
export function encodeActionRequest(request: {
  readonly messageId: number;
  readonly requestedSopClassUid: string;
  readonly requestedSopInstanceUid: string;
  readonly actionTypeId: number;
}): Buffer {
  return withGroupLength(
    new DicomDataset()
      .setString(0x00000003, request.requestedSopClassUid, 'UI')
      .setNumbers(0x00000100, [COMMAND_FIELD.actionRequest], 'US')
      .setNumbers(0x00000110, [request.messageId], 'US')
      .setNumbers(0x00000800, [HAS_DATASET], 'US')
      .setString(0x00001001, request.requestedSopInstanceUid, 'UI')
      .setNumbers(0x00001008, [request.actionTypeId], 'US'),
  );
}

function withGroupLength(dataset: DicomDataset): Buffer {
  const body = encodeDataset(dataset, IMPLICIT);
  const length = new DicomDataset().setNumbers(0x00000000, [body.length], 'UL');
  return Buffer.concat([encodeDataset(length, IMPLICIT), body]);
}
