/**
 * MultipartReader: a multipart body, piece by piece as it comes.
 * Decides where a part begins and ends; a body that leaves room for two readings is refused.
 * Invariants: bytes of a part are views of what was given, never gathered; memory is bounded by the
 * header of one part, whatever the length or number of parts; no bytes are lost or made up.
 * Source: RFC 2046 5.1.1 (delimiters), RFC 2387 (related), RFC 5322 2.2 (header fields).
 */
import { AifiError } from '@aifi/shared-kernel';

export type MultipartEvent =
  /** Field names in lower case. */
  | { readonly kind: 'part'; readonly headers: ReadonlyMap<string, string> }
  | { readonly kind: 'data'; readonly bytes: Uint8Array }
  | { readonly kind: 'part-end' };

export interface MultipartLimits {
  /** Parts of one body. */
  readonly partsMax: number;
}

/** RFC 2046 5.1.1: no space at the end, and at most 70 characters; Orthanc makes 73. */
const BOUNDARY = /^[\w'()+,./:=? -]{0,127}[\w'()+,./:=?-]$/;
/** Header of one part: real ones have three fields. @unit bytes */
const HEADER_BYTES_MAX = 8 * 1024;
const FIELDS_MAX = 32;
/** What stands before the first part and after the last; nobody reads it. @unit bytes */
const MARGIN_BYTES_MAX = 4 * 1024;
/** White space between delimiter and line end. @unit bytes */
const PADDING_BYTES_MAX = 64;
const CRLF = Buffer.from('\r\n');
const HEADER_END = Buffer.from('\r\n\r\n');
const FIELD = /^([\w!#$%&'*+.^`|~-]{1,64}):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/;
const EMPTY = Buffer.alloc(0);

const broken = (what: string): AifiError => new AifiError('INVALID_ARGUMENT', what);
const exceeded = (what: string): AifiError => new AifiError('LIMIT_EXCEEDED', what);

type State = 'preamble' | 'delimiter' | 'headers' | 'body' | 'epilogue';

export class MultipartReader {
  readonly #delimiter: Buffer;
  #state: State = 'preamble';
  /** What was given and is not dealt with: less than a delimiter, or the start of a header. */
  #held: Buffer = CRLF;
  #parts = 0;
  #marginBytes = 0;

  /** INVALID_ARGUMENT for a boundary that is none. */
  constructor(
    boundary: string,
    private readonly limits: MultipartLimits,
  ) {
    if (!BOUNDARY.test(boundary)) throw broken('the multipart body has no valid boundary');
    // The line end before a delimiter belongs to it; before the first one there may be none.
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  }

  /** Parts that have begun. */
  get parts(): number {
    return this.#parts;
  }

  /** What these bytes bring; INVALID_ARGUMENT or LIMIT_EXCEEDED, after which it is not used. */
  *push(chunk: Uint8Array): Generator<MultipartEvent> {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let rest = this.#held.length > 0 ? Buffer.concat([this.#held, bytes]) : bytes;
    this.#held = EMPTY;
    for (;;) {
      const before = rest;
      switch (this.#state) {
        case 'preamble':
          rest = this.#skipPreamble(rest);
          break;
        case 'delimiter':
          rest = this.#readDelimiter(rest);
          break;
        case 'headers':
          rest = yield* this.#readHeaders(rest);
          break;
        case 'body':
          rest = yield* this.#readBody(rest);
          break;
        case 'epilogue':
          this.#margin(rest.length);
          return;
      }
      // Nothing more can be said until more has come.
      if (rest === before || rest.length === 0) break;
    }
    this.#held = this.#held.length > 0 ? this.#held : keep(rest);
  }

  /** INVALID_ARGUMENT when the body ended before its last delimiter. */
  end(): void {
    if (this.#state !== 'epilogue') throw broken('the multipart body is cut short');
  }

  #skipPreamble(bytes: Buffer): Buffer {
    const { at, length } = this.#find(bytes);
    this.#margin(at);
    return this.#advance(bytes, at, length, 'delimiter');
  }

  /** The rest of the line of a delimiter: two hyphens after the last part, else white space. */
  #readDelimiter(bytes: Buffer): Buffer {
    if (bytes.length < 2) return bytes;
    if (bytes[0] === HYPHEN && bytes[1] === HYPHEN) {
      this.#state = 'epilogue';
      this.#marginBytes = 0;
      return bytes.subarray(2);
    }
    let at = 0;
    while (bytes[at] === SPACE || bytes[at] === TAB) at += 1;
    if (at > PADDING_BYTES_MAX) throw broken('a delimiter is followed by something else');
    if (bytes.length < at + 2) return bytes;
    if (bytes[at] !== CR || bytes[at + 1] !== LF) {
      throw broken('a delimiter is followed by something else');
    }
    if (this.#parts === this.limits.partsMax)
      throw exceeded('the multipart body has too many parts');
    this.#parts += 1;
    this.#state = 'headers';
    // The line end stays: with it, a header without fields ends like any other.
    return bytes.subarray(at);
  }

  *#readHeaders(bytes: Buffer): Generator<MultipartEvent, Buffer> {
    const end = bytes.indexOf(HEADER_END);
    if (end === -1 ? bytes.length > HEADER_BYTES_MAX : end > HEADER_BYTES_MAX) {
      throw exceeded('the header of a part is too long');
    }
    if (end === -1) return bytes;
    yield { kind: 'part', headers: fieldsOf(bytes.subarray(CRLF.length, end)) };
    this.#state = 'body';
    return bytes.subarray(end + HEADER_END.length);
  }

  *#readBody(bytes: Buffer): Generator<MultipartEvent, Buffer> {
    const { at, length } = this.#find(bytes);
    if (at > 0) yield { kind: 'data', bytes: bytes.subarray(0, at) };
    if (length > 0) yield { kind: 'part-end' };
    return this.#advance(bytes, at, length, 'delimiter');
  }

  /** Where the delimiter is; length 0: not here, but it may begin at `at`. */
  #find(bytes: Buffer): { at: number; length: number } {
    const delimiter = this.#delimiter;
    const at = bytes.indexOf(delimiter);
    if (at !== -1) return { at, length: delimiter.length };
    let from = Math.max(0, bytes.length - delimiter.length + 1);
    for (; from < bytes.length; from += 1) {
      if (bytes.compare(delimiter, 0, bytes.length - from, from) === 0) break;
    }
    return { at: from, length: 0 };
  }
  /** Past what was dealt with; what may be the start of a delimiter waits for more. */
  #advance(bytes: Buffer, at: number, length: number, next: State): Buffer {
    if (length > 0) {
      this.#state = next;
      return bytes.subarray(at + length);
    }
    this.#held = keep(bytes.subarray(at));
    return EMPTY;
  }
  #margin(bytes: number): void {
    this.#marginBytes += bytes;
    if (this.#marginBytes > MARGIN_BYTES_MAX) throw exceeded('too much beside the parts');
  }
}

const [HYPHEN, SPACE, TAB, CR, LF] = [0x2d, 0x20, 0x09, 0x0d, 0x0a];

/** A copy: a few bytes must not hold on to the piece that they came in. */
const keep = (bytes: Buffer): Buffer => (bytes.length === 0 ? EMPTY : Buffer.from(bytes));

function fieldsOf(bytes: Buffer): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  if (bytes.length === 0) return headers;
  const lines = bytes.toString('latin1').split('\r\n');
  if (lines.length > FIELDS_MAX) throw exceeded('a part has too many header fields');
  for (const line of lines) {
    const [, name, value] = FIELD.exec(line) ?? [];
    if (name === undefined) throw broken('the header of a part does not read');
    const key = name.toLowerCase();
    if (headers.has(key)) throw broken('a header field of a part comes twice');
    headers.set(key, value!.trim());
  }
  return headers;
}
