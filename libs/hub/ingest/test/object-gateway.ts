/**
 * A gateway of aifi-objects/1 for tests: it says whatever a test wants, in any order.
 * Decides nothing; what it hears is kept.
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { FRAME, frameHead, frameOf, FrameReader, uplink } from '@aifi/contracts-proto';
import { sha256Hex } from '@aifi/shared-kernel';

/** The job of all these objects. */
export const JOB = 'a'.repeat(32);

export interface Made {
  readonly bytes: Buffer;
  readonly header: uplink.ObjectHeader;
}
export function objectOf(bytes: Buffer, changed: Partial<uplink.ObjectHeader> = {}): Made {
  const own = { jobId: JOB, sha256: sha256Hex(bytes), sizeBytes: bytes.length };
  return { bytes, header: { ...own, offsetBytes: 0, encoding: '', ...changed } };
}

/** A gateway that says whatever a test wants. */
export class ObjectGateway {
  readonly said: string[] = [];
  readonly acks: string[] = [];
  readonly closed: Promise<unknown>;
  readonly #reader = new FrameReader(new Set(Object.values(FRAME)));
  #changed = Promise.withResolvers<void>();

  constructor(readonly socket: Socket) {
    this.closed = once(socket, 'close');
    socket.on('error', () => undefined);
    socket.on('data', (data: Buffer) => {
      for (const { kind, bytes } of this.#reader.read(data)) this.#hear(kind, bytes);
    });
    socket.on('end', () => socket.end());
  }
  #hear(kind: number, bytes: Buffer): void {
    if (kind === FRAME.ack) this.acks.push(uplink.ObjectAck.decode(bytes).sha256);
    if (kind === FRAME.fault) this.said.push(bytes.toString());
    if (kind === FRAME.drain) this.said.push(`drain ${uplink.Drain.decode(bytes).retryAfterMs}`);
    if (kind === FRAME.alive) this.said.push('alive');
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
  async until(done: () => boolean): Promise<void> {
    while (!done()) await Promise.race([this.#changed.promise, this.closed]);
  }
  header(header: uplink.ObjectHeader): void {
    this.socket.write(frameOf(FRAME.header, uplink.ObjectHeader.encode(header).finish()));
  }
  bytes(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += 256 * 1024) {
      const chunk = bytes.subarray(at, at + 256 * 1024);
      this.socket.write(frameHead(FRAME.chunk, chunk.length));
      this.socket.write(chunk);
    }
  }
  send({ bytes, header }: Made): void {
    this.header(header);
    this.bytes(bytes.subarray(header.offsetBytes));
  }
}
