/**
 * Text of an identity under its own Specific Character Set.
 * Decides whether new text can be written in the set that the study already has; what is written is
 * read back and compared, so that no character is ever lost in silence.
 * Invariant: undefined, and never a question mark, when the set lacks a character.
 * Source: PS3.5 6.1.2.5 (ISO 2022), annex H; PS3.3 C.12.1.1.2.
 */
import { decodeText } from '@aifi/dicom-core';
import { AifiError } from '@aifi/shared-kernel';

/** JIS X 0208 has 94 rows of 94 characters (PS3.5 annex H). */
const ROW_FIRST = 0x21;
const ROW_LAST = 0x7e;
/** More than PS3.3 C.12.1.1.2 has of one byte. */
const SETS_MAX = 32;
const TO_KANJI = Buffer.from('\x1b$B', 'latin1');
const TO_ASCII = Buffer.from('\x1b(B', 'latin1');

/** The bytes, or undefined when the declared sets cannot write this text. */
export function encodeText(text: string, sets: readonly string[], vr: string): Buffer | undefined {
  for (const encode of [utf8, singleBytes, kanji]) {
    const bytes = encode(text, sets);
    if (bytes && readsAs(bytes, text, sets, vr)) return bytes;
  }
  return undefined;
}
const utf8 = (text: string): Buffer => Buffer.from(text, 'utf8');

function readsAs(bytes: Buffer, ...[text, sets, vr]: Parameters<typeof encodeText>): boolean {
  try {
    return decodeText(bytes, sets, vr) === text;
  } catch (error) {
    if (AifiError.from(error).code !== 'DICOM_MALFORMED') throw error;
    return false;
  }
}

/** One byte a character, in the first set. */
function singleBytes(text: string, [first = '']: readonly string[]): Buffer | undefined {
  const table = singleByteTable(first);
  const bytes = [...text].map((c) => (c.charCodeAt(0) < 0x80 ? c.charCodeAt(0) : table.get(c)));
  return bytes.includes(undefined) ? undefined : Buffer.from(bytes as number[]);
}

const singleByteTables = new Map<string, ReadonlyMap<string, number>>();
/** Made once for a set: asking for each byte what it is takes half a millisecond. */
function singleByteTable(set: string): ReadonlyMap<string, number> {
  const known = singleByteTables.get(set);
  if (known) return known;
  const table = new Map<string, number>();
  // 0x80 to 0x9F are no characters of DICOM, whatever a decoder makes of them.
  for (let byte = 0xa0; byte <= 0xff; byte += 1) {
    const character = characterOf(Buffer.of(byte), [set]);
    if (character?.length === 1) table.set(character, byte);
  }
  // Sets come out of files: only so many are worth keeping.
  if (singleByteTables.size < SETS_MAX) singleByteTables.set(set, table);
  return table;
}

/** Pairs of JIS X 0208 between escape sequences; ASCII again before every delimiter. */
function kanji(text: string, sets: readonly string[]): Buffer | undefined {
  if (!sets.some((set) => /^ISO 2022 IR 87$/.test(set.trim()))) return undefined;
  const parts: Buffer[] = [];
  let isWide = false;
  for (const character of text) {
    const isNarrow = character.charCodeAt(0) < 0x80;
    const bytes = isNarrow ? Buffer.from(character) : jis0208().get(character);
    if (!bytes) return undefined;
    if (isNarrow === isWide) parts.push(isNarrow ? TO_ASCII : TO_KANJI);
    isWide = !isNarrow;
    parts.push(bytes);
  }
  return Buffer.concat(isWide ? [...parts, TO_ASCII] : parts);
}

let jisTable: ReadonlyMap<string, Buffer> | undefined;
function jis0208(): ReadonlyMap<string, Buffer> {
  if (jisTable) return jisTable;
  const table = new Map<string, Buffer>();
  for (let row = ROW_FIRST; row <= ROW_LAST; row += 1) {
    for (let cell = ROW_FIRST; cell <= ROW_LAST; cell += 1) {
      const pair = Buffer.of(row, cell);
      const character = characterOf(Buffer.concat([TO_KANJI, pair]), ['', 'ISO 2022 IR 87']);
      if (character && !table.has(character)) table.set(character, pair);
    }
  }
  jisTable = table;
  return table;
}

function characterOf(bytes: Buffer, sets: readonly string[]): string | undefined {
  try {
    return decodeText(bytes, sets);
  } catch {
    // Not assigned in this set.
    return undefined;
  }
}
