/**
 * ScriptedScp: a DICOM peer that does what a suite tells it, byte by byte; not exported.
 * Decides nothing: the script does. It shows what our SCU does with peers that no program plays:
 * those that reject, abort, fall silent, take tiny PDUs or answer out of order.
 * Source: PS3.8 9.3, PS3.7 9.3.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { DicomDataset, encodeDataset } from '@aifi/dicom-core';
import { APPLICATION_CONTEXT, decodeAssociateRequest } from './associate-request.js';
import { decodeCommand, type DimseCommand } from './command-set.js';
import { encodePdu, encodePdvPdu, PDU_TYPE, PduReader, pdvsOf, type Pdu } from './pdu.js';

const IMPLICIT = { explicitVr: false, littleEndian: true };
const CONTEXT_ID = 1;

/** What arrived of one message; a dataset is counted and only kept when it is wanted. */
export interface ScriptedMessage {
  readonly command: DimseCommand;
  readonly commandBytes: Buffer;
  readonly dataset: Buffer;
  readonly datasetBytes: number;
  /** Length of the value of each fragment of the dataset. */
  readonly fragments: readonly number[];
  /** Longest P-DATA-TF, without its header. */
  readonly pduBytes: number;
}

function item(type: number, body: Uint8Array): Buffer {
  const header = Buffer.from([type, 0, 0, 0]);
  header.writeUInt16BE(body.length, 2);
  return Buffer.concat([header, body]);
}
/** A command set of group 0000: number values as US, text as UI. */
export function commandSet(fields: Readonly<Record<number, number | string>>): Buffer {
  const dataset = new DicomDataset();
  for (const [key, value] of Object.entries(fields)) {
    if (typeof value === 'number') dataset.setNumbers(Number(key), [value], 'US');
    else dataset.setString(Number(key), value, 'UI');
  }
  const body = encodeDataset(dataset, IMPLICIT);
  const length = new DicomDataset().setNumbers(0, [body.length], 'UL');
  return Buffer.concat([encodeDataset(length, IMPLICIT), body]);
}

export class ScriptedPeer {
  readonly #pdus: AsyncGenerator<Pdu>;

  constructor(readonly socket: Socket) {
    this.#pdus = this.#read();
  }

  /** The next PDU; undefined when the other side is gone. */
  async next(): Promise<Pdu | undefined> {
    const { value, done } = await this.#pdus.next();
    return done ? undefined : (value as Pdu);
  }
  /** Accepts what is proposed, each with its first transfer syntax; `terms` are of the first. */
  async accept(terms: { pduBytesMax?: number; result?: number; syntax?: string } = {}) {
    const request = decodeAssociateRequest((await this.next())!.bytes);
    const { pduBytesMax = 16_384, result = 0 } = terms;
    const syntax = terms.syntax ?? request.contexts[0]!.transferSyntaxUids[0]!;
    const maximum = Buffer.alloc(4);
    maximum.writeUInt32BE(pduBytesMax);
    const body = Buffer.concat([
      ...[Buffer.from([0, 1, 0, 0]), Buffer.alloc(64)],
      item(0x10, Buffer.from(APPLICATION_CONTEXT)),
      item(0x21, Buffer.concat([Buffer.from([CONTEXT_ID, 0, result, 0]), text(0x40, syntax)])),
      ...request.contexts.slice(1).map(({ id, transferSyntaxUids: [first] }) => {
        return item(0x21, Buffer.concat([Buffer.from([id, 0, 0, 0]), text(0x40, first!)]));
      }),
      item(0x50, Buffer.concat([item(0x51, maximum), text(0x52, '1.2.3')])),
    ]);
    this.socket.write(encodePdu(PDU_TYPE.associateAccept, body));
    return request;
  }
  async reject(result: number, source: number, reason: number): Promise<void> {
    await this.next();
    const body = Buffer.from([0, result, source, reason]);
    this.socket.write(encodePdu(PDU_TYPE.associateReject, body));
  }
  abort(source: number, reason: number): void {
    this.socket.write(encodePdu(PDU_TYPE.abort, Buffer.from([0, 0, source, reason])));
  }

  /** The next message; `isKept` false counts a long dataset only. */
  async receive(isKept = true): Promise<ScriptedMessage> {
    const parts: { command: Buffer[]; dataset: Buffer[] } = { command: [], dataset: [] };
    const fragments: number[] = [];
    let [command, datasetBytes, pduBytes]: [DimseCommand | undefined, number, number] = [
      ...[undefined, 0, 0],
    ] as [undefined, number, number];
    for (;;) {
      const pdu = await this.next();
      if (pdu?.type !== PDU_TYPE.data) throw new Error(`no message but ${pdu?.type}`);
      pduBytes = Math.max(pduBytes, pdu.bytes.length - 6);
      for (const pdv of pdvsOf(pdu.bytes)) {
        if (pdv.isCommand) parts.command.push(pdv.value);
        else {
          fragments.push(pdv.value.length);
          datasetBytes += pdv.value.length;
          if (isKept) parts.dataset.push(pdv.value);
        }
        if (!pdv.isLast) continue;
        const commandBytes = Buffer.concat(parts.command);
        command ??= decodeCommand(commandBytes);
        if (command.hasDataset && pdv.isCommand) continue;
        const dataset = Buffer.concat(parts.dataset);
        return { command, commandBytes, dataset, datasetBytes, fragments, pduBytes };
      }
    }
  }
  send(command: Buffer, dataset?: Buffer, contextId = CONTEXT_ID): void {
    const head = { contextId, isLast: true };
    this.socket.write(encodePdvPdu({ ...head, isCommand: true, value: command }));
    if (dataset) this.socket.write(encodePdvPdu({ ...head, isCommand: false, value: dataset }));
  }
  /** The response to a request, with a status and possibly a dataset. */
  answer(
    { field, messageId }: Pick<DimseCommand, 'field' | 'messageId'>,
    status: number,
    dataset?: Buffer,
    contextId = CONTEXT_ID,
  ): void {
    const fields = { 0x0100: field | 0x8000, 0x0120: messageId, 0x0900: status };
    this.send(commandSet({ ...fields, 0x0800: dataset ? 1 : 0x0101 }), dataset, contextId);
  }
  /** Waits for A-RELEASE-RQ and answers it. */
  async release(): Promise<void> {
    const pdu = await this.next();
    if (pdu?.type !== PDU_TYPE.releaseRequest) throw new Error(`no release but ${pdu?.type}`);
    this.socket.end(encodePdu(PDU_TYPE.releaseResponse, Buffer.alloc(4)));
  }

  async *#read(): AsyncGenerator<Pdu> {
    const reader = new PduReader();
    for await (const chunk of this.socket) yield* reader.push(chunk as Buffer);
  }
}

function text(type: number, value: string): Buffer {
  return item(type, Buffer.from(value, 'latin1'));
}

export class ScriptedScp {
  /** The scripts that ran, in the order of their connections. */
  readonly runs: Promise<void>[] = [];
  readonly #sockets = new Set<Socket>();

  private constructor(private readonly server: Server) {}

  /** Plays `script` to each connection on a free port of the loopback interface. */
  static async start(
    script: (peer: ScriptedPeer, index: number) => Promise<void>,
    tls?: TlsOptions,
  ): Promise<ScriptedScp> {
    const server = tls ? createTlsServer(tls) : createServer();
    const scp = new ScriptedScp(server);
    server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => {
      scp.#sockets.add(socket);
      // The other side may leave at any time; the script sees that in what it reads.
      socket.on('error', () => undefined);
      const run = script(new ScriptedPeer(socket), scp.runs.length);
      run.catch(() => socket.destroy());
      scp.runs.push(run);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return scp;
  }
  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }
  /** Ends everything; rejects when a script did. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((done) => this.server.close(done));
    await Promise.all(this.runs);
  }
}
