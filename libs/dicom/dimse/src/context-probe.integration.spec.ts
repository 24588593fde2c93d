/**
 * Goal: what a peer says of each presentation context is told as it was said, and a peer that
 * rejects, is silent or answers nonsense gives the same faults as any other request.
 * Method: a server on loopback whose one answer is written byte by byte.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '@aifi/shared-kernel';
import { contextIdOf } from './associate.js';
import { probeContexts, type ContextAnswer } from './context-probe.js';
import { AssociationRejected, PeerClosed, peerFaultOf, PeerNonsense } from './peer-fault.js';
import { encodePdu, PDU_TYPE } from './pdu.js';

const EXPLICIT = '1.2.840.10008.1.2.1';
let server: Server | undefined;
afterEach(() => {
  server?.close();
  server = undefined;
});

function item(type: number, body: Uint8Array): Buffer {
  const header = Buffer.from([type, 0, 0, 0]);
  header.writeUInt16BE(body.length, 2);
  return Buffer.concat([header, body]);
}
/** A-ASSOCIATE-AC with one result for each context that is named. */
function accept(results: readonly (readonly [id: number, result: number])[]): Buffer {
  const contexts = results.map(([id, result]) => {
    // Of a refused context the syntax is not significant: some peers leave its value out.
    const syntax = item(0x40, Buffer.from(result === 0 ? EXPLICIT : ''));
    return item(0x21, Buffer.concat([Buffer.from([id, 0, result, 0]), syntax]));
  });
  const user = item(0x50, item(0x51, Buffer.from([0, 0, 0x40, 0])));
  return encodePdu(PDU_TYPE.associateAccept, Buffer.concat([Buffer.alloc(68), ...contexts, user]));
}
async function ask(answer: Buffer | undefined, contexts = 1): Promise<ContextAnswer[]> {
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => answer && socket.write(answer));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const peer = { host: '127.0.0.1', port, calledAeTitle: 'PACS', callingAeTitle: 'AIFI' };
  const proposed = Array.from({ length: contexts }, (_, at) => ({
    ...{ abstractSyntaxUid: `1.2.3.${at}`, transferSyntaxUids: [EXPLICIT] },
  }));
  return probeContexts(peer, proposed, { clock: systemClock, timeoutMs: 400 });
}
const faultOf = (asked: Promise<unknown>): Promise<unknown> =>
  asked.then(
    () => undefined,
    (error: unknown) => error,
  );

describe(probeContexts.name, () => {
  it('tells every result by its context, also of one that was left out', async () => {
    const results = [0, 1, 2, 3, 4].map((result) => [contextIdOf(result), result] as const);
    const answers = await ask(accept([...results].reverse()), 6);
    expect(answers.map(({ result }) => result)).toEqual([
      ...['accepted', 'user', 'no-reason', 'abstract-syntax', 'transfer-syntax', 'silent'],
    ]);
    expect(answers.map(({ transferSyntaxUid }) => transferSyntaxUid)).toEqual([
      ...[EXPLICIT, undefined, undefined, undefined, undefined, undefined],
    ]);
  });
  it('a result that the standard does not know is a refusal without a reason', async () => {
    expect(await ask(accept([[1, 9]]))).toEqual([
      { result: 'no-reason', transferSyntaxUid: undefined },
    ]);
  });
  it('a rejection keeps result, source and reason', async () => {
    const rejection = encodePdu(PDU_TYPE.associateReject, Buffer.from([0, 1, 1, 7]));
    const fault = peerFaultOf(await faultOf(ask(rejection)));
    expect(fault).toBeInstanceOf(AssociationRejected);
    expect(fault).toMatchObject({ result: 1, source: 1, reason: 7 });
  });
  it('silence after the connection says how far it came', async () => {
    const error = await faultOf(ask(undefined));
    expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(peerFaultOf(error)).toBeInstanceOf(PeerClosed);
    expect(peerFaultOf(error)).toMatchObject({ phase: 'associate' });
  });
  it('an answer that does not read is nonsense', async () => {
    const cut = accept([[1, 0]]);
    cut.writeUInt16BE(0xffff, 6 + 68 + 2);
    expect(peerFaultOf(await faultOf(ask(cut)))).toBeInstanceOf(PeerNonsense);
  });
  it('proposes no more contexts than have a number', async () => {
    expect(await faultOf(ask(accept([]), 129))).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
