/**
 * aifi-objects/1: the bytes of objects between a gateway and the hub, over TLS, in frames.
 * Decides the wire: one octet kind, four octets length (big endian), payload. Payloads are the
 * messages of aifi.uplink.v1, so that this and PutObjects are one contract; a chunk is the bytes
 * themselves and is handed on in the pieces that the network gives, never gathered.
 * Invariants: no frame is longer than its kind allows; a header is at most 8 KiB.
 * Source: docs/adr/0020-bulk-transport.md; RFC 7301 (ALPN); reliability specification P2, F7.
 */
import { AifiError, LIMITS } from '@aifi/shared-kernel';

/** Protocol name in the TLS handshake. */
export const OBJECTS_ALPN = 'aifi-objects/1';

export const FRAME = {
  /** Gateway: ObjectHeader; the chunks after it belong to that object. */
  header: 1,
  /** Gateway: bytes of the object, at most LIMITS.linkChunkBytesMax. */
  chunk: 2,
  /** Hub: ObjectAck. */
  ack: 17,
  /** Hub: Drain. */
  drain: 18,
  /** Hub: a code of the catalogue in ASCII; the hub ends the connection after it. */
  fault: 19,
  /** Both: nothing to say, but here. */
  alive: 32,
} as const;
export type FrameKind = (typeof FRAME)[keyof typeof FRAME];

/** @unit bytes */
export const FRAME_HEAD_BYTES = 5;
/** Header, ack, drain: names and numbers; far below it in practice. @unit bytes */
const MESSAGE_BYTES_MAX = 8 * 1024;
/** The longest code has 27 characters. @unit bytes */
const FAULT_BYTES_MAX = 64;

const LONGEST: ReadonlyMap<number, number> = new Map<FrameKind, number>([
  [FRAME.header, MESSAGE_BYTES_MAX],
  [FRAME.chunk, LIMITS.linkChunkBytesMax],
  [FRAME.ack, MESSAGE_BYTES_MAX],
  [FRAME.drain, MESSAGE_BYTES_MAX],
  [FRAME.fault, FAULT_BYTES_MAX],
  [FRAME.alive, 0],
]);

/**
 * How long an end may be silent while the other one waits for it; both say that they are there
 * three times as often. With the time of one look that is within 35 s. @unit ms
 */
export const OBJECTS_SILENCE_MS = 30_000;
export const OBJECTS_ALIVE_MS = 10_000;

/** The first five octets of a frame. */
export function frameHead(kind: FrameKind, payloadBytes: number): Buffer {
  const head = Buffer.allocUnsafe(FRAME_HEAD_BYTES);
  head.writeUInt8(kind, 0);
  head.writeUInt32BE(payloadBytes, 1);
  return head;
}
/** A whole frame; chunks are written as head and bytes instead. */
export function frameOf(kind: FrameKind, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  return Buffer.concat([frameHead(kind, payload.length), payload]);
}

/** Bytes of a chunk, or a whole frame of another kind. */
export type FramePiece =
  | { readonly kind: typeof FRAME.chunk; readonly bytes: Buffer; readonly endsChunk: boolean }
  | { readonly kind: Exclude<FrameKind, typeof FRAME.chunk>; readonly bytes: Buffer };

/** Takes a connection's bytes apart, in whatever pieces they come. */
export class FrameReader {
  readonly #head = Buffer.alloc(FRAME_HEAD_BYTES);
  #headBytes = 0;
  #kind: FrameKind = FRAME.alive;
  /** Of the payload, still to come. */
  #left = 0;
  #parts: Buffer[] = [];

  constructor(private readonly allowed: ReadonlySet<FrameKind>) {}

  /** False within a frame: the other side owes the rest of it. */
  get isBetweenFrames(): boolean {
    return this.#headBytes === 0;
  }

  /** INVALID_ARGUMENT for a kind that may not come, LIMIT_EXCEEDED for one that is too long. */
  *read(bytes: Buffer): Generator<FramePiece> {
    for (let at = 0; at < bytes.length;) {
      if (this.#headBytes < FRAME_HEAD_BYTES) {
        const taken = bytes.copy(this.#head, this.#headBytes, at);
        at += taken;
        this.#headBytes += taken;
        if (this.#headBytes < FRAME_HEAD_BYTES) return;
        this.#begin();
      } else {
        const piece = bytes.subarray(at, at + this.#left);
        at += piece.length;
        this.#left -= piece.length;
        if (this.#kind === FRAME.chunk) {
          yield { kind: FRAME.chunk, bytes: piece, endsChunk: this.#left === 0 };
        } else if (this.#left > 0 || this.#parts.length > 0) {
          // Copied: a piece keeps the whole network buffer that it came in.
          this.#parts.push(Buffer.from(piece));
        } else this.#parts.push(piece);
      }
      if (this.#left === 0) yield* this.#end();
    }
  }

  #begin(): void {
    const kind = this.#head.readUInt8(0) as FrameKind;
    const longest = this.allowed.has(kind) ? LONGEST.get(kind) : undefined;
    if (longest === undefined) throw new AifiError('INVALID_ARGUMENT', 'a frame of another kind');
    this.#left = this.#head.readUInt32BE(1);
    if (this.#left > longest) throw new AifiError('LIMIT_EXCEEDED', 'a frame is too long');
    this.#kind = kind;
  }

  *#end(): Generator<FramePiece> {
    this.#headBytes = 0;
    if (this.#kind === FRAME.chunk) return;
    const [first = Buffer.alloc(0), ...others] = this.#parts;
    this.#parts = [];
    yield { kind: this.#kind, bytes: others.length ? Buffer.concat([first, ...others]) : first };
  }
}
