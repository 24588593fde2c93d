/**
 * Target: the SCU's cutting of an answer into PDUs, PDVs and responses.
 * Properties: only refusals of the catalogue; the same PDUs for any chunks; PDVs fill their PDU.
 * Source: PS3.8 9.3 and annex E.
 */
import { deepStrictEqual, strictEqual } from 'node:assert';
import { decodeCommand } from '@aifi/dicom-dimse';
import { chunksOf } from '../chunked.js';
import { COMMAND_TOKENS, UPPER_LAYER_TOKENS } from '../dicom-tokens.js';
import { outcomeOf, refusalOf, type FuzzTarget } from '../fuzz-target.js';
import { internalModule } from '../internal-module.js';
import { aCommand, commandBytes } from './command-set.js';
import { associateAcceptPdu, pdu, pdv } from './upper-layer-messages.js';

interface Pdu {
  readonly type: number;
  readonly bytes: Buffer;
}
const FILE = 'libs/dicom/dimse/src/pdu.ts';
const { PduReader, pdvsOf } = await internalModule<{
  PduReader: new () => { push(chunk: Uint8Array): Iterable<Pdu> };
  pdvsOf(pdu: Buffer): { readonly value: Buffer; readonly isCommand: boolean }[];
}>(FILE, ['PduReader', 'pdvsOf']);

function read(chunks: Iterable<Uint8Array>): { pdus: Pdu[]; refusal: string | undefined } {
  const [reader, pdus] = [new PduReader(), [] as Pdu[]];
  try {
    // One by one: those before a refusal count.
    for (const chunk of chunks) for (const one of reader.push(chunk)) pdus.push(one);
  } catch (error) {
    return { pdus, refusal: refusalOf(error).refusal };
  }
  return { pdus, refusal: undefined };
}

export const pduReaderTarget: FuzzTarget = {
  name: 'pdu-reader',
  covers: [FILE, 'libs/dicom/dimse/src/command-set'],
  maxBytes: 72 * 1024,
  tokens: [...UPPER_LAYER_TOKENS, ...COMMAND_TOKENS],
  run(input) {
    const whole = read(chunksOf(input, 2));
    deepStrictEqual(read(chunksOf(input)), whole, 'chunks change the PDUs');
    for (const { type, bytes } of whole.pdus) {
      const pdvs = type === 4 ? outcomeOf(() => pdvsOf(bytes)) : undefined;
      if (!pdvs?.accepted) continue;
      const sum = pdvs.value.reduce((total, { value }) => total + 6 + value.length, 6);
      strictEqual(sum, bytes.length, 'PDVs do not fill their PDU');
      for (const { value, isCommand } of pdvs.value) {
        if (isCommand) outcomeOf(() => decodeCommand(value));
      }
    }
  },
  *seeds() {
    const response = pdu(4, pdv(1, 3, commandBytes(aCommand(0x8001, false))));
    const accept = associateAcceptPdu([0], 16_384);
    yield response;
    yield Buffer.concat([accept, response, response, pdu(6, Buffer.alloc(4))]);
    yield Buffer.concat([pdu(3, Buffer.from([0, 1, 1, 7])), pdu(7, Buffer.alloc(4))]);
    yield pdu(4, pdv(1, 2, Buffer.alloc(20)), pdv(1, 2, Buffer.alloc(0)));
  },
};
