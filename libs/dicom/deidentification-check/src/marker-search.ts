/**
 * Marker search: which of many texts occur in a file, in whatever encoding.
 * Decides the encodings that are tried: Latin-1, UTF-8, UTF-16 in both byte orders, and JIS X 0208
 * behind ISO 2022 escape sequences; ASCII letters count in either case.
 * Invariant: a raw search, without any parsing that could skip a place. Compressed data is the
 * caller's to decompress first. Source: pseudonymisation specification 2.2 (a).
 */

import { createReadStream } from 'node:fs';

/** The file is searched in pieces that overlap by more than the longest needle. @unit bytes */
const PIECE_BYTES = 4 * 1024 * 1024;

/** ASCII capitals as small letters; other bytes, and so the halves of UTF-16, as they are. */
function folded(bytes: Uint8Array): Buffer {
  const out = Buffer.from(bytes);
  for (let at = 0; at < out.length; at += 1) {
    const byte = out[at]!;
    if (byte >= 0x41 && byte <= 0x5a) out[at] = byte + 0x20;
  }
  return out;
}

let jisByCharacter: Map<string, readonly [number, number]> | undefined;
/** Rows and cells of JIS X 0208, from the decoder of EUC-JP, which has them with the high bit. */
function jisTable(): Map<string, readonly [number, number]> {
  if (jisByCharacter) return jisByCharacter;
  jisByCharacter = new Map();
  const decoder = new TextDecoder('euc-jp');
  for (let row = 0x21; row <= 0x7e; row += 1) {
    for (let cell = 0x21; cell <= 0x7e; cell += 1) {
      const character = decoder.decode(Uint8Array.of(row | 0x80, cell | 0x80));
      if (!character.includes('\ufffd')) jisByCharacter.set(character, [row, cell]);
    }
  }
  return jisByCharacter;
}
function jisBytes(text: string): Buffer | undefined {
  const pairs = [...text].map((character) => jisTable().get(character));
  return pairs.every((pair) => pair !== undefined) ? Buffer.from(pairs.flat()) : undefined;
}

function encodingsOf(marker: string): Buffer[] {
  const isLatin = [...marker].every((character) => character.codePointAt(0)! <= 0xff);
  const isAscii = [...marker].every((character) => character.codePointAt(0)! <= 0x7f);
  const littleEndian = Buffer.from(marker, 'utf16le');
  const encodings = [Buffer.from(marker, 'utf8'), littleEndian, swapped16(littleEndian)];
  if (isLatin && !isAscii) encodings.push(Buffer.from(marker, 'latin1'));
  const jis = isAscii ? undefined : jisBytes(marker);
  if (jis) encodings.push(jis, Buffer.from(jis.map((byte) => byte | 0x80)));
  return encodings;
}
const swapped16 = (bytes: Buffer): Buffer => Buffer.from(bytes).swap16();

/**
 * One pass for all needles: a table over the first two bytes lets nearly every place go at once.
 * Files are large and markers many; a search per marker would take minutes.
 */
class NeedleSet {
  readonly #isStart = new Uint8Array(65_536);
  readonly #byStart = new Map<number, { readonly marker: string; readonly needle: Buffer }[]>();
  readonly longest: number;

  constructor(markers: readonly string[]) {
    let longest = 0;
    for (const marker of markers.filter((text) => text.length > 1)) {
      for (const needle of encodingsOf(marker).map(folded)) {
        const start = needle.readUInt16LE(0);
        this.#isStart[start] = 1;
        this.#byStart.set(start, [...(this.#byStart.get(start) ?? []), { marker, needle }]);
        longest = Math.max(longest, needle.length);
      }
    }
    this.longest = longest;
  }

  /** Adds the markers of `bytes`, which are folded already, to `found`. */
  search(bytes: Buffer, found: Set<string>): void {
    for (let at = 0; at + 1 < bytes.length; at += 1) {
      const start = bytes[at]! | (bytes[at + 1]! << 8);
      if (this.#isStart[start] === 0) continue;
      for (const { marker, needle } of this.#byStart.get(start)!) {
        const end = at + needle.length;
        if (end > bytes.length || found.has(marker)) continue;
        if (needle.compare(bytes, at, end) === 0) found.add(marker);
      }
    }
  }
}

/** The markers that occur in `bytes`, each once, in the order given. Two characters at least. */
export function markersIn(bytes: Uint8Array, markers: readonly string[]): string[] {
  const found = new Set<string>();
  new NeedleSet(markers).search(folded(bytes), found);
  return markers.filter((marker) => found.has(marker));
}
export function countMarkers(bytes: Uint8Array, markers: readonly string[]): number {
  return markersIn(bytes, markers).length;
}

/** Whether a file holds one of the markers; memory does not grow with the file. */
export async function holdsAny(path: string, markers: readonly string[]): Promise<boolean> {
  const needles = new NeedleSet(markers);
  const found = new Set<string>();
  let tail: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(path, { highWaterMark: PIECE_BYTES })) {
    const piece = folded(Buffer.concat([tail, chunk as Buffer]));
    needles.search(piece, found);
    if (found.size > 0) return true;
    tail = piece.subarray(Math.max(0, piece.length - needles.longest));
  }
  return false;
}
