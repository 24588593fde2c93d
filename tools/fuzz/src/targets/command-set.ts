/**
 * Target: command sets.
 * Properties: only refusals of the catalogue; a request that is understood says the same after it
 * was written by ourselves. Source: PS3.7 6.3.1, annex E.
 */
import { deepStrictEqual } from 'node:assert';
import { DicomDataset, encodeDataset, encodingOf } from '@aifi/dicom-core';
import { decodeCommand, type DimseCommand } from '@aifi/dicom-dimse';
import { COMMAND_TOKENS } from '../dicom-tokens.js';
import { outcomeOf, type FuzzTarget } from '../fuzz-target.js';

const IMPLICIT = encodingOf('1.2.840.10008.1.2');
const RESPONSE_BIT = 0x8000;

/** A command set of these fields, with its group length, as any peer writes it. */
export function commandBytes(command: DimseCommand): Buffer {
  const { field, messageId, hasDataset, status, eventTypeId } = command;
  const dataset = new DicomDataset()
    .setNumbers(0x00000100, [field], 'US')
    .setNumbers((field & RESPONSE_BIT) === 0 ? 0x00000110 : 0x00000120, [messageId], 'US')
    .setNumbers(0x00000800, [hasDataset ? 1 : 0x0101], 'US')
    .setBytes(0x00000002, Buffer.from(command.affectedSopClassUid, 'latin1'), 'UI')
    .setBytes(0x00001000, Buffer.from(command.affectedSopInstanceUid, 'latin1'), 'UI');
  if (status !== undefined) dataset.setNumbers(0x00000900, [status], 'US');
  if (eventTypeId !== undefined) dataset.setNumbers(0x00001002, [eventTypeId], 'US');
  const body = encodeDataset(dataset, IMPLICIT);
  const length = new DicomDataset().setNumbers(0x00000000, [body.length], 'UL');
  return Buffer.concat([encodeDataset(length, IMPLICIT), body]);
}
export function aCommand(field: number, hasDataset: boolean): DimseCommand {
  return {
    field,
    messageId: 7,
    hasDataset,
    affectedSopClassUid: '1.2.840.10008.5.1.4.1.1.2',
    affectedSopInstanceUid: '2.25.3',
    status: (field & RESPONSE_BIT) === 0 ? undefined : 0,
    eventTypeId: field === 0x0100 ? 1 : undefined,
  };
}

export const commandSetTarget: FuzzTarget = {
  name: 'command-set',
  covers: [
    'libs/dicom/dimse/src/command-set',
    'libs/dicom/core/src/element-walker',
    'libs/dicom/core/src/dataset',
  ],
  maxBytes: 17 * 1024,
  tokens: COMMAND_TOKENS,
  run(input) {
    const outcome = outcomeOf(() => decodeCommand(input));
    if (!outcome.accepted) return;
    const again = decodeCommand(commandBytes(outcome.value));
    deepStrictEqual(again, outcome.value, 'a command reads differently again');
  },
  *seeds() {
    for (const field of [0x0001, 0x0020, 0x0030, 0x0100, 0x0fff, 0x8001, 0x8020, 0x8030, 0x8130]) {
      for (const hasDataset of [false, true]) yield commandBytes(aCommand(field, hasDataset));
    }
  },
};
