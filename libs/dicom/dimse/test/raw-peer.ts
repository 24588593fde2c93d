/**
 * RawPeer: a DICOM peer driven byte by byte, over TCP or TLS.
 * Decides how an answer is told in one line, so that a table can say exactly what it must be.
 */
import { once } from 'node:events';
import { connect, type Socket, type TcpSocketConnectOpts } from 'node:net';
import { decodeCommand } from '../src/command-set.js';
import { PDU_TYPE, PduReader, pdvsOf, type Pdu } from '../src/pdu.js';

const HOST = '127.0.0.1';
const COMMANDS: Readonly<Record<number, string>> = {
  0x8001: 'store',
  0x8020: 'find',
  0x8030: 'echo',
  0x8100: 'event-report',
};

/** For example `accept 1:0 3:0`, `reject 1/2/2`, `store#1 0000`, `abort 2/6`. */
export function describePdu({ type, bytes }: Pdu): string {
  if (type === PDU_TYPE.associateReject) return `reject ${bytes[7]}/${bytes[8]}/${bytes[9]}`;
  if (type === PDU_TYPE.abort) return `abort ${bytes[8]}/${bytes[9]}`;
  if (type === PDU_TYPE.releaseResponse) return 'release';
  if (type === PDU_TYPE.associateAccept) return `accept${acceptedContexts(bytes)}`;
  const command = decodeCommand(pdvsOf(bytes)[0]!.value);
  const status = command.status?.toString(16).padStart(4, '0');
  return `${COMMANDS[command.field]}#${command.messageId} ${status}`;
}
/** Each id with its result, PS3.8 9.3.3.2; a role selection as `scu/scp`. */
function acceptedContexts(bytes: Buffer): string {
  let text = '';
  const walk = (from: number, end: number): void => {
    for (let at = from; at < end;) {
      const [type, length] = [bytes[at]!, bytes.readUInt16BE(at + 2)];
      if (type === 0x21) text += ` ${bytes[at + 4]}:${bytes[at + 6]}`;
      if (type === 0x50) walk(at + 4, at + 4 + length);
      if (type === 0x54) text += ` role ${bytes[at + 2 + length]}/${bytes[at + 3 + length]}`;
      at += 4 + length;
    }
  };
  walk(74, bytes.length);
  return text;
}

export class RawPeer {
  readonly #reader = new PduReader();
  readonly #answers: AsyncGenerator<string>;

  constructor(readonly socket: Socket) {
    socket.on('error', () => undefined);
    this.#answers = this.#read();
  }
  static async open(port: number, from: Partial<TcpSocketConnectOpts> = {}): Promise<RawPeer> {
    const peer = new RawPeer(connect({ host: HOST, port, noDelay: true, ...from }));
    await once(peer.socket, 'connect');
    return peer;
  }
  /** Writes and waits for as many answers; `closed` when the connection ends instead. */
  async ask(bytes: Uint8Array, answers = 1): Promise<string[]> {
    this.socket.write(bytes);
    const said: string[] = [];
    while (said.length < answers && said.at(-1) !== 'closed') said.push(await this.next());
    return said;
  }
  async next(): Promise<string> {
    const { value, done } = await this.#answers.next();
    return done ? 'closed' : (value as string);
  }
  async closed(): Promise<void> {
    this.socket.resume();
    if (!this.socket.closed) await once(this.socket, 'close');
  }
  async *#read(): AsyncGenerator<string> {
    try {
      for await (const chunk of this.socket) {
        for (const pdu of this.#reader.push(chunk as Buffer)) yield describePdu(pdu);
      }
    } catch {
      // Reset by the other side: closed as well.
    }
  }
}
