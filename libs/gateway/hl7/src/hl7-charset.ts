/**
 * Character sets of messages: bytes to text, or a refusal.
 * Decides that a message is in the character set that it says, and that what contradicts it is
 * refused: a name that was read in the wrong set would go into a report. UTF-8 that is declared as
 * ISO 8859 is recognised, since no name looks like that.
 * Invariants: no replacement character is ever made; one character set per message.
 * Source: HL7 v2 table 0211 (MSH-18); ISO 8859-1 and 8859-15.
 */
import { refuse } from './hl7-refusal.js';

const PLACE = { segment: 'MSH', field: 18 } as const;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const latin9 = new TextDecoder('iso-8859-15');

type Decode = (bytes: Uint8Array) => string;
const SETS: Readonly<Record<string, Decode>> = {
  '': ascii,
  ASCII: ascii,
  'UNICODE UTF-8': unicode,
  '8859/1': (bytes) => oneByte(bytes, (each) => Buffer.from(each).toString('latin1')),
  '8859/15': (bytes) => oneByte(bytes, (each) => latin9.decode(each)),
};

/** What reads text in the set that MSH-18 names; refuses a set that we do not have. */
export function decoderOf(characterSet: string): Decode {
  const decode = Object.hasOwn(SETS, characterSet) ? SETS[characterSet] : undefined;
  return decode ?? refuse(103, PLACE);
}

/** The beginning of a message, whatever its set: header fields of it are ASCII. */
export const headText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

function ascii(bytes: Uint8Array): string {
  if (!isAscii(bytes)) refuse(102, PLACE);
  return Buffer.from(bytes).toString('latin1');
}
function unicode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return refuse(102, PLACE);
  }
}
/** Sets of one byte: 0x80 to 0x9F are no characters of theirs, but those of Windows are there. */
function oneByte(bytes: Uint8Array, decode: Decode): string {
  if (bytes.some((byte) => byte >= 0x80 && byte <= 0x9f)) refuse(102, PLACE);
  if (!isAscii(bytes) && isUtf8(bytes)) refuse(102, PLACE);
  return decode(bytes);
}

const isAscii = (bytes: Uint8Array): boolean => bytes.every((byte) => byte < 0x80);
function isUtf8(bytes: Uint8Array): boolean {
  try {
    utf8.decode(bytes);
    return true;
  } catch {
    return false;
  }
}
