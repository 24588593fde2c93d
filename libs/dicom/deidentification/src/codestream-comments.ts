/**
 * Comments of codestreams: text that a compressed frame carries beside its samples.
 * Decides which bytes of a JPEG, JPEG-LS or JPEG 2000 codestream (also HTJ2K) are a comment:
 * COM and APPn segments wherever they stand, and whatever follows the end of the image. Takes the
 * bytes piece by piece, because nothing here may grow with the pixel data.
 * Invariants: linear in the bytes; at most one segment is held; what is no codestream has none.
 * Source: ISO/IEC 10918-1 B.1, B.2.4.5 (COM), B.2.4.6 (APPn); ISO/IEC 14495-1 C.1 (markers);
 * ISO/IEC 15444-1 A.4.2 (SOT), A.9.2 (COM).
 */

const FILL = 0xff;
const END_OF_IMAGE = 0xd9;
const START_OF_SCAN = 0xda;
const JPEG_COMMENT = 0xfe;
const START_OF_TILE_PART = 0x90;
const START_OF_DATA = 0x93;
const END_OF_PACKET_HEADER = 0x92;
const J2K_COMMENT = 0x64;
/** Lsot, Isot; then Psot. @unit bytes from the marker */
const PSOT_OFFSET = 6;
/** Of what follows an image, at once. @unit bytes */
const TRAILING_MAX = 65_536;

export type OnComment = (bytes: Uint8Array) => void;

/** Bytes that tell how a codestream begins. */
export const START_BYTES = 4;

/**
 * `jpeg` also for JPEG-LS; undefined when no codestream begins with these bytes, of which a short
 * fragment may have fewer.
 */
export function codestreamKind(start: Uint8Array): 'jpeg' | 'j2k' | undefined {
  const [first, second, third = FILL, fourth = 0x51] = start;
  if (first !== FILL || third !== FILL) return undefined;
  if (second === 0xd8) return 'jpeg';
  return second === 0x4f && fourth === 0x51 ? 'j2k' : undefined;
}

/** What the next byte is: one of a marker, of a length, of a segment, of samples, or behind all. */
type State = 'marker' | 'length' | 'segment' | 'scan' | 'skip' | 'trailing';

/** Walks one codestream from its first byte. */
export class CodestreamComments {
  readonly #isJpeg: boolean;
  #state: State = 'marker';
  #marker = 0;
  #length = 0;
  /** Of the segment or of a tile part. @unit bytes */
  #left = 0;
  #held: Buffer[] | undefined;
  #heldBytes = 0;
  /** The byte before was FF. */
  #isAfterFill = false;
  /** Bytes of the codestream before this piece. */
  #before = 0;
  #tilePart = { start: 0, length: 0 };

  /** `unknown`: all of it is told, because nobody can say what in it is a comment. */
  constructor(
    kind: 'jpeg' | 'j2k' | 'unknown',
    private readonly onComment: OnComment,
  ) {
    this.#isJpeg = kind === 'jpeg';
    if (kind !== 'unknown') return;
    this.#state = 'trailing';
    this.#holdAnew();
  }

  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) at = this.#step(bytes, at);
    this.#before += bytes.length;
  }

  /** Tells what is held: a segment that is cut short is text all the same. */
  end(): void {
    if (this.#held) this.#tell();
  }

  /** Takes bytes from `at` on; gives the place of the next one that is not taken. */
  #step(bytes: Uint8Array, at: number): number {
    if (this.#state === 'scan') return this.#scanned(bytes, at);
    if (this.#state === 'segment' || this.#state === 'skip') return this.#passed(bytes, at);
    if (this.#state === 'trailing') {
      this.#hold(bytes.subarray(at));
      return bytes.length;
    }
    const byte = bytes[at]!;
    if (this.#state === 'length') this.#lengthByte(byte);
    else if (this.#isAfterFill && byte !== FILL) this.#begin(byte, this.#before + at - 1);
    // No marker where one must be: the next one that can be found.
    else if (byte !== FILL) this.#state = 'scan';
    this.#isAfterFill = byte === FILL && this.#state === 'marker';
    return at + 1;
  }

  #begin(marker: number, start: number): void {
    this.#marker = marker;
    this.#length = 0;
    this.#left = 2;
    if (marker === END_OF_IMAGE) {
      this.#state = 'trailing';
      this.#holdAnew();
    } else if (this.#isJpeg) {
      const isAlone = marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd8);
      this.#state = isAlone ? 'marker' : 'length';
    } else if (marker === START_OF_DATA) {
      const { start: from, length } = this.#tilePart;
      this.#left = from + length - (start + 2);
      // A last tile part may go on to the end of the image.
      this.#state = length > 0 && this.#left > 0 ? 'skip' : length > 0 ? 'marker' : 'scan';
    } else {
      if (marker === START_OF_TILE_PART) this.#tilePart = { start, length: 0 };
      const isAlone = marker === 0x4f || marker === END_OF_PACKET_HEADER;
      this.#state = isAlone || (marker >= 0x30 && marker <= 0x3f) ? 'marker' : 'length';
    }
  }

  #lengthByte(byte: number): void {
    this.#length = this.#length * 256 + byte;
    this.#left -= 1;
    if (this.#left > 0) return;
    this.#left = this.#length - 2;
    this.#state = 'segment';
    if (this.#isComment() || this.#isTilePart()) this.#holdAnew();
    if (this.#left <= 0) this.#endSegment();
  }
  #isComment(): boolean {
    if (!this.#isJpeg) return this.#marker === J2K_COMMENT;
    return this.#marker === JPEG_COMMENT || (this.#marker >= 0xe0 && this.#marker <= 0xef);
  }
  #isTilePart(): boolean {
    return !this.#isJpeg && this.#marker === START_OF_TILE_PART;
  }

  #passed(bytes: Uint8Array, at: number): number {
    const end = Math.min(bytes.length, at + this.#left);
    if (this.#state === 'segment' && this.#held) this.#hold(bytes.subarray(at, end));
    this.#left -= end - at;
    if (this.#left > 0) return end;
    if (this.#state === 'segment') this.#endSegment();
    else this.#state = 'marker';
    return end;
  }

  #endSegment(): void {
    if (this.#isTilePart() && this.#held) {
      const bytes = Buffer.concat(this.#held);
      const length = bytes.length >= 6 ? bytes.readUInt32BE(PSOT_OFFSET - 4) : 0;
      this.#tilePart = { ...this.#tilePart, length };
    } else if (this.#held) {
      this.#tell();
    }
    this.#held = undefined;
    this.#state = this.#isJpeg && this.#marker === START_OF_SCAN ? 'scan' : 'marker';
    this.#isAfterFill = false;
  }

  /** Samples: on to the next marker. FF before a byte below 80, or a restart, is one of them. */
  #scanned(bytes: Uint8Array, from: number): number {
    let at = from;
    if (!this.#isAfterFill) {
      at = bytes.indexOf(FILL, from);
      if (at < 0) return bytes.length;
      this.#isAfterFill = true;
      return at + 1;
    }
    const byte = bytes[at]!;
    if (byte === FILL) return at + 1;
    this.#isAfterFill = false;
    const isSample = this.#isJpeg
      ? byte < 0x80 || (byte >= 0xd0 && byte <= 0xd7)
      : byte !== END_OF_IMAGE;
    if (!isSample) this.#begin(byte, this.#before + at - 1);
    return at + 1;
  }

  #holdAnew(): void {
    this.#held = [];
    this.#heldBytes = 0;
  }
  #hold(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    // The next piece overwrites this one.
    this.#held!.push(Buffer.from(bytes));
    this.#heldBytes += bytes.length;
    if (this.#state !== 'trailing' || this.#heldBytes < TRAILING_MAX) return;
    this.#tell();
    this.#holdAnew();
  }
  #tell(): void {
    const bytes = Buffer.concat(this.#held!);
    if (bytes.length > 0) this.onComment(bytes);
    this.#held = undefined;
  }
}

/** The comments of one codestream in memory; none when it is no codestream. */
export function commentsOf(codestream: Uint8Array): Buffer[] {
  const comments: Buffer[] = [];
  const kind = codestreamKind(codestream);
  if (!kind) return comments;
  const walk = new CodestreamComments(kind, (bytes) => comments.push(Buffer.from(bytes)));
  walk.push(codestream);
  walk.end();
  return comments;
}
