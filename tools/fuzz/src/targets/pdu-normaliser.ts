/**
 * Target: PduNormaliser, with any bytes of a peer.
 * Properties: only refusals of the catalogue; the same events and the same refusal for any chunks;
 * dataset bytes are those that a plain reading of the PDVs gives, nothing more is ever held.
 * Source: PS3.8 9.2, 9.3 and annex E; reliability specification F1, F3.
 */
import { deepStrictEqual, ok, strictEqual } from 'node:assert';
import { PduNormaliser, type AcceptedContext, type UpperLayerEvent } from '@aifi/dicom-dimse';
import { chunksOf } from '../chunked.js';
import { COMMAND_TOKENS, UPPER_LAYER_TOKENS } from '../dicom-tokens.js';
import { refusalOf, type FuzzTarget } from '../fuzz-target.js';
import { aCommand, commandBytes } from './command-set.js';
import { associateRequestPdu, pdu, pdv } from './upper-layer-messages.js';

const transferSyntaxUid = '1.2.840.10008.1.2.1';
export const CONTEXTS: ReadonlyMap<number, AcceptedContext> = new Map([
  [1, { abstractSyntaxUid: '1.2.840.10008.5.1.4.1.1.2', transferSyntaxUid }],
  [3, { abstractSyntaxUid: '1.2.840.10008.1.1', transferSyntaxUid }],
  [5, { abstractSyntaxUid: '1.2.840.10008.1.20.1', transferSyntaxUid }],
]);

interface Conversation {
  /** Events in order; datasets of C-STORE joined. */
  readonly events: unknown[];
  readonly data: Buffer;
  readonly refusal: string | undefined;
}

export function converse(chunks: Iterable<Uint8Array>): Conversation {
  const sut = new PduNormaliser(true);
  const events: unknown[] = [];
  const data: Uint8Array[] = [];
  let open = false;
  const take = (event: UpperLayerEvent): void => {
    // An abort may come at any time; everything else waits for the end of the dataset.
    const isOfDataset = event.kind === 'store-data' || event.kind === 'store-end';
    if (event.kind !== 'abort') strictEqual(open, isOfDataset, event.kind);
    if (event.kind === 'associate-request') sut.accept(CONTEXTS);
    if (event.kind === 'store-request') open = true;
    if (event.kind === 'store-data') {
      ok(event.bytes.length > 0, 'data without bytes');
      data.push(Uint8Array.from(event.bytes));
      return;
    }
    if (event.kind === 'store-end') open = false;
    const bytes = data.reduce((sum, part) => sum + part.length, 0);
    events.push([bytes, structuredClone(event)]);
  };
  let refusal: string | undefined;
  try {
    for (const chunk of chunks) {
      for (const event of sut.push(chunk)) {
        take(event);
        // Nobody reads on.
        if (event.kind === 'abort') return { events, data: Buffer.concat(data), refusal };
      }
    }
  } catch (error) {
    refusal = refusalOf(error).refusal;
  }
  return { events, data: Buffer.concat(data), refusal };
}

/** Values of all data PDVs, read without any check; stops where nothing sensible follows. */
function plainData(input: Buffer): Buffer {
  const values: Buffer[] = [];
  for (let at = 0; at + 6 <= input.length;) {
    const [type, end] = [input[at]!, at + 6 + input.readUInt32BE(at + 2)];
    at += 6;
    while (type === 4 && at < end && at + 6 <= input.length) {
      const length = input.readUInt32BE(at);
      if (length < 2) return Buffer.concat(values);
      if ((input[at + 5]! & 1) === 0) values.push(input.subarray(at + 6, at + 4 + length));
      at += 4 + length;
    }
    at = end;
  }
  return Buffer.concat(values);
}

function run(input: Uint8Array): void {
  const whole = converse([input]);
  const cut = converse(chunksOf(input));
  deepStrictEqual(cut, whole, 'chunks change the events');
  ok(whole.data.length <= input.length, 'more data than bytes');
  // Datasets of C-FIND and N-EVENT-REPORT leave in one piece; only C-STORE alone can be compared.
  const isOnlyStores = whole.events.every(
    (one) => !['forward', 'event-report'].includes((one as [number, UpperLayerEvent])[1].kind),
  );
  if (isOnlyStores) {
    const plain = plainData(Buffer.from(input)).subarray(0, whole.data.length);
    deepStrictEqual(whole.data, plain, 'dataset bytes were changed');
  }
}

const command = (field: number, hasDataset: boolean): Buffer =>
  commandBytes(aCommand(field, hasDataset));
const echo = pdu(4, pdv(3, 3, command(0x30, false)));
const store = Buffer.concat([
  pdu(4, pdv(1, 3, command(1, true))),
  pdu(4, pdv(1, 0, Buffer.alloc(40, 1)), pdv(1, 0, Buffer.alloc(0)), pdv(1, 2, Buffer.alloc(9, 2))),
]);
const storeInOne = pdu(4, pdv(1, 3, command(1, true)), pdv(1, 2, Buffer.alloc(16, 3)));
const find = pdu(4, pdv(1, 3, command(0x20, true)), pdv(1, 2, Buffer.alloc(16, 4)));
const cancel = pdu(4, pdv(1, 3, command(0xfff, false)));
const report = pdu(
  4,
  pdv(5, 3, command(0x100, true)),
  pdv(5, 0, Buffer.alloc(8)),
  pdv(5, 2, Buffer.alloc(8)),
);
const release = pdu(5, Buffer.alloc(4));
const abort = pdu(7, Buffer.alloc(4));

export const pduNormaliserTarget: FuzzTarget = {
  name: 'pdu-normaliser',
  covers: [
    'libs/dicom/dimse/src/pdu-normaliser',
    'libs/dicom/dimse/src/message-buffer',
    'libs/dicom/dimse/src/command-set',
  ],
  maxBytes: 72 * 1024,
  tokens: [...UPPER_LAYER_TOKENS, ...COMMAND_TOKENS],
  run,
  *seeds() {
    const request = associateRequestPdu({ contexts: 3, roles: true });
    const messages = [echo, store, storeInOne, find, cancel, report, store.subarray(0, -20)];
    for (const message of messages) yield Buffer.concat([request, message, release]);
    yield Buffer.concat([request, ...messages, abort]);
    yield Buffer.concat([abort]);
    yield Buffer.concat([request, release]);
  },
};
