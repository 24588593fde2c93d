/**
 * MllpFramer: bytes of a connection into frames (VT, content, FS, CR), and what is no frame.
 * Decides what each breach means: a new frame before the end of the last one loses only that one;
 * bytes that belong to no frame, or a frame that is too long, end the connection.
 * Invariants: one frame in memory, of `bytesMax` bytes at most; the same frames for any chunks.
 * Source: HL7 v2 MLLP release 1 (content has no VT and no FS).
 */
const [VT, FS, CR, LF] = [0x0b, 0x1c, 0x0d, 0x0a];

/** Of a frame that was not whole: enough for its header. @unit bytes */
const HEAD_BYTES = 4_096;
/** Nearly every message fits. @unit bytes */
const FIRST_BYTES = 8_192;

export type FrameEvent =
  | { readonly kind: 'frame'; readonly bytes: Buffer }
  /** A frame that will never be whole, with its beginning. */
  | { readonly kind: 'broken'; readonly reason: 'no-end' | 'too-long'; readonly head: Buffer }
  /** Bytes outside of a frame. */
  | { readonly kind: 'junk' };

type State = 'between' | 'within' | 'ending' | 'over';

export class MllpFramer {
  #state: State = 'between';
  /** Grows to what the frame needs: a peer that sends single bytes costs no more than its bytes. */
  #kept = Buffer.alloc(FIRST_BYTES);
  #size = 0;

  constructor(private readonly bytesMax: number) {}

  /** True between VT and the end of a frame. */
  get isWithin(): boolean {
    return this.#state === 'within' || this.#state === 'ending';
  }

  /** After `junk` and `too-long` nothing more comes. */
  *push(chunk: Buffer): Generator<FrameEvent> {
    let at = 0;
    while (at < chunk.length && this.#state !== 'over') {
      if (this.#state === 'within') {
        const end = endOfContent(chunk, at);
        const event = this.#keep(chunk.subarray(at, end));
        if (event) yield event;
        else if (end < chunk.length) {
          if (chunk[end] === FS) this.#state = 'ending';
          else yield this.#restart();
        }
        at = end + 1;
      } else {
        const event = this.#state === 'ending' ? this.#end(chunk[at]!) : this.#begin(chunk[at]!);
        at += 1;
        if (event) yield event;
      }
    }
  }

  /** The connection has ended: what it was in the middle of. */
  end(): FrameEvent | undefined {
    return this.isWithin ? this.#broken('no-end', 'over') : undefined;
  }

  #begin(byte: number): FrameEvent | undefined {
    if (byte === VT) this.#state = 'within';
    // Some senders end a frame with a line feed of their own.
    else if (byte !== CR && byte !== LF) return this.#junk();
    return undefined;
  }
  #end(byte: number): FrameEvent {
    if (byte !== CR) return this.#broken('no-end', 'over');
    const bytes = Buffer.from(this.#kept.subarray(0, this.#size));
    this.#clear('between');
    return { kind: 'frame', bytes };
  }
  #keep(piece: Buffer): FrameEvent | undefined {
    const size = this.#size + piece.length;
    if (size > this.bytesMax) {
      // The beginning of the frame may be in this very piece.
      this.#append(piece.subarray(0, Math.max(0, HEAD_BYTES - this.#size)));
      return this.#broken('too-long', 'over');
    }
    this.#append(piece);
    return undefined;
  }
  #append(piece: Buffer): void {
    const size = this.#size + piece.length;
    if (size > this.#kept.length) {
      const larger = Buffer.alloc(Math.max(size, 2 * this.#kept.length));
      this.#kept.copy(larger, 0, 0, this.#size);
      this.#kept = larger;
    }
    piece.copy(this.#kept, this.#size);
    this.#size = size;
  }
  #restart(): FrameEvent {
    return this.#broken('no-end', 'within');
  }
  #broken(reason: 'no-end' | 'too-long', next: State): FrameEvent {
    const head = Buffer.from(this.#kept.subarray(0, Math.min(this.#size, HEAD_BYTES)));
    this.#clear(next);
    return { kind: 'broken', reason, head };
  }
  #junk(): FrameEvent {
    this.#clear('over');
    return { kind: 'junk' };
  }
  #clear(next: State): void {
    this.#state = next;
    this.#size = 0;
    if (this.#kept.length > FIRST_BYTES) this.#kept = Buffer.alloc(FIRST_BYTES);
  }
}

/** Where the content ends: at an FS, or at the VT of another frame. */
function endOfContent(chunk: Buffer, from: number): number {
  const [fs, vt] = [chunk.indexOf(FS, from), chunk.indexOf(VT, from)];
  const ends = [fs, vt].filter((end) => end >= 0);
  return ends.length === 0 ? chunk.length : Math.min(...ends);
}

/** A message as a frame. */
export function framed(content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([VT]), content, Buffer.from([FS, CR])]);
}
