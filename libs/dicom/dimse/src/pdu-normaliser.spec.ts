/**
 * Goal: dataset bytes leave the normaliser once, in order and unchanged, however they were cut, and
 * nothing but sound, offered commands reaches the library (F1, F3).
 * Method: hand-made PDUs; random fragmentation, PDV grouping and chunk sizes with fast-check.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { encodeRequest } from './command-set.js';
import { encodePdu, encodePdvPdu, PDU_TYPE } from './pdu.js';
import { PduNormaliser, type UpperLayerEvent } from './pdu-normaliser.js';

const CT = '1.2.840.10008.5.1.4.1.1.2';
const CONTEXT = { abstractSyntaxUid: CT, transferSyntaxUid: '1.2.840.10008.1.2.1' };
const STORE = encodeRequest({
  field: 0x0001,
  messageId: 7,
  hasDataset: true,
  affectedSopClassUid: CT,
  affectedSopInstanceUid: '1.2.3.4',
});
const associate = encodePdu(PDU_TYPE.associateRequest, Buffer.alloc(68));
const command = (value: Buffer) =>
  encodePdvPdu({ contextId: 1, isCommand: true, isLast: true, value });
const pdv = (value: Uint8Array, isLast: boolean) =>
  encodePdvPdu({ contextId: 1, isCommand: false, isLast, value: Buffer.from(value) }).subarray(6);

function accepted(offersFind = false): PduNormaliser {
  const sut = new PduNormaliser(offersFind);
  expect([...sut.push(associate)].map((event) => event.kind)).toEqual(['associate-request']);
  sut.accept(new Map([[1, CONTEXT]]));
  return sut;
}
function pushAll(sut: PduNormaliser, stream: Buffer, chunkBytes: number): UpperLayerEvent[] {
  const events: UpperLayerEvent[] = [];
  for (let at = 0; at < stream.length; at += chunkBytes) {
    events.push(...sut.push(stream.subarray(at, at + chunkBytes)));
  }
  return events;
}
const datasetOf = (events: UpperLayerEvent[]) =>
  Buffer.concat(events.flatMap((event) => (event.kind === 'store-data' ? [event.bytes] : [])));

describe(PduNormaliser.name, () => {
  it('keeps a dataset intact when one P-DATA-TF carries command and two data PDVs', () => {
    const pdu = encodePdu(
      PDU_TYPE.data,
      Buffer.concat([
        command(STORE).subarray(6),
        pdv(Buffer.from('first '), false),
        pdv(Buffer.from('second'), true),
      ]),
    );
    for (const chunkBytes of [1, 7, pdu.length]) {
      const events = pushAll(accepted(), pdu, chunkBytes);
      const kinds = events.map((event) => event.kind);
      expect([kinds[0], kinds.at(-1)]).toEqual(['store-request', 'store-end']);
      expect(new Set(kinds.slice(1, -1))).toEqual(new Set(['store-data']));
      expect(datasetOf(events).toString()).toBe('first second');
    }
  });

  it('passes dataset bytes on as views of the chunk, before their PDU is complete', () => {
    const pdu = encodePdu(PDU_TYPE.data, pdv(Buffer.alloc(1_000_000, 7), true));
    const sut = accepted();
    pushAll(sut, command(STORE), 64);
    const chunk = pdu.subarray(0, 4_096);
    const events = pushAll(sut, chunk, chunk.length);
    expect(events).toHaveLength(1);
    const [first] = events.flatMap((event) => (event.kind === 'store-data' ? [event.bytes] : []));
    expect(first?.length).toBe(chunk.length - 12);
    expect(first?.buffer).toBe(chunk.buffer);
  });

  it('ends a dataset whose last PDV is empty', () => {
    const pdus = [
      pdv(Buffer.from('ab'), false),
      pdv(Buffer.alloc(0), false),
      pdv(Buffer.alloc(0), true),
    ];
    const pdu = encodePdu(PDU_TYPE.data, Buffer.concat(pdus));
    const events = pushAll(accepted(), Buffer.concat([command(STORE), pdu]), 64);
    expect(events.map(({ kind }) => kind)).toEqual(['store-request', 'store-data', 'store-end']);
  });

  it('keeps every dataset byte for any fragmentation, grouping and chunk size', () => {
    const fragments = fc.array(fc.uint8Array({ maxLength: 60 }), { minLength: 1, maxLength: 12 });
    const property = fc.property(
      fragments,
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 90 }),
      (values, pdvsPerPdu, chunkBytes) => {
        const pdvs = values.map((value, i) => pdv(value, i === values.length - 1));
        const pdus: Buffer[] = [command(STORE)];
        for (let at = 0; at < pdvs.length; at += pdvsPerPdu) {
          const group = Buffer.concat(pdvs.slice(at, at + pdvsPerPdu));
          pdus.push(encodePdu(PDU_TYPE.data, group));
        }
        const stream = Buffer.concat([...pdus, ...pdus]);
        const events = pushAll(accepted(), stream, chunkBytes);
        const expected = Buffer.concat([...values, ...values]);
        expect(datasetOf(events).equals(expected)).toBe(true);
        expect(events.filter((event) => event.kind === 'store-end')).toHaveLength(2);
      },
    );
    fc.assert(property, { numRuns: 200 });
  });

  it('joins a command of several fragments into one PDV for the library', () => {
    const echo = encodeRequest({
      field: 0x0030,
      messageId: 1,
      hasDataset: false,
      affectedSopClassUid: '1.2.840.10008.1.1',
    });
    const part = (value: Buffer, isLast: boolean) =>
      encodePdvPdu({ contextId: 1, isCommand: true, isLast, value });
    const stream = Buffer.concat([part(echo.subarray(0, 9), false), part(echo.subarray(9), true)]);
    const events = pushAll(accepted(), stream, 5);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ kind: 'forward', pdu: command(echo) });
  });

  it.each([
    ['an A-ASSOCIATE-RQ over 64 KiB', Buffer.from([1, 0, 0, 1, 0, 1]), 'LIMIT_EXCEEDED'],
    ['a P-DATA-TF of 4 GiB', Buffer.from([4, 0, 255, 255, 255, 255]), 'LIMIT_EXCEEDED'],
    ['an unknown PDU type', Buffer.from([9, 0, 0, 0, 0, 0]), 'INVALID_ARGUMENT'],
    ['data before an association', command(STORE), 'INVALID_ARGUMENT'],
  ])('refuses %s after its header', (_, bytes, code) => {
    const sut = new PduNormaliser(false);
    expect(() => [...sut.push(bytes)]).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    ['a PDV longer than its PDU', encodePdu(PDU_TYPE.data, Buffer.from([0, 0, 0, 9, 1, 3, 0]))],
    ['a dataset without command', encodePdu(PDU_TYPE.data, pdv(Buffer.from('ab'), true))],
    [
      'a context that was not accepted',
      encodePdvPdu({ contextId: 3, isCommand: true, isLast: true, value: STORE }),
    ],
    [
      'an operation that is not offered',
      command(
        encodeRequest({ field: 0x0020, messageId: 1, hasDataset: true, affectedSopClassUid: CT }),
      ),
    ],
    ['a release inside a dataset', Buffer.concat([command(STORE), encodePdu(5, Buffer.alloc(4))])],
    ['a second association', associate],
  ])('refuses %s', (_, bytes) => {
    const sut = accepted();
    expect(() => [...sut.push(bytes)]).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});
