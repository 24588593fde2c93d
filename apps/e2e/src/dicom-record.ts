/**
 * What a tap saw of a DICOM association, put together again.
 * Decides how P-DATA becomes datasets: PDUs by their length, data PDVs of a C-STORE in order. Ours
 * and small on purpose: the gateway's own reader is what is being judged.
 * Source: PS3.8 9.3.1, 9.3.5 and annex E; PS3.7 9.3.1 (C-STORE-RQ).
 */
import { ElementWalker } from '@aifi/dicom-core';

const P_DATA_TF = 0x04;
const PDU_HEADER_BYTES = 6;
const PDV_HEADER_BYTES = 6;
const IMPLICIT_LITTLE_ENDIAN = { explicitVr: false, littleEndian: true };
const COMMAND_FIELD = 0x00000100;
const AFFECTED_SOP_INSTANCE_UID = 0x00001000;
const C_STORE_RQ = 1;

/** Datasets of all C-STORE requests by SOP Instance UID; a dataset that was cut is left out. */
export function storedDatasets(fromClient: Buffer): Map<string, Buffer> {
  const datasets = new Map<string, Buffer>();
  let [command, dataset]: Buffer[][] = [[], []];
  let sopInstanceUid: string | undefined;
  for (const { isCommand, isLast, value } of pdvs(fromClient)) {
    (isCommand ? command : dataset)!.push(value);
    if (!isLast) continue;
    if (isCommand) sopInstanceUid = storedInstance(Buffer.concat(command!));
    else if (sopInstanceUid) datasets.set(sopInstanceUid, Buffer.concat(dataset!));
    [command, dataset] = [[], []];
  }
  return datasets;
}

function* pdvs(bytes: Buffer): Generator<{ isCommand: boolean; isLast: boolean; value: Buffer }> {
  for (let at = 0; at + PDU_HEADER_BYTES <= bytes.length;) {
    const end = at + PDU_HEADER_BYTES + bytes.readUInt32BE(at + 2);
    const isWhole = end <= bytes.length;
    for (let p = at + PDU_HEADER_BYTES; isWhole && bytes[at] === P_DATA_TF && p < end;) {
      const next = p + 4 + bytes.readUInt32BE(p);
      const control = bytes[p + 5]!;
      const value = bytes.subarray(p + PDV_HEADER_BYTES, next);
      yield { isCommand: (control & 1) !== 0, isLast: (control & 2) !== 0, value };
      p = next;
    }
    at = end;
  }
}

/** The instance of a C-STORE-RQ; undefined for every other command. */
function storedInstance(command: Buffer): string | undefined {
  const walker = new ElementWalker(IMPLICIT_LITTLE_ENDIAN);
  walker.push(command);
  const { dataset } = walker.end();
  const field = Buffer.from(dataset.bytes(COMMAND_FIELD) ?? [0, 0]).readUInt16LE();
  if (field !== C_STORE_RQ) return undefined;
  const uid = Buffer.from(dataset.bytes(AFFECTED_SOP_INSTANCE_UID) ?? []);
  return uid.toString('latin1').replace(/\0+$/, '');
}
