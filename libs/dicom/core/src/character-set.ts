/**
 * Character sets: bytes of text values to Unicode, by Specific Character Set (0008,0005).
 * Decides which defined terms and escape sequences are read; what does not decode is an error.
 * Without a declared set, bytes beyond ASCII are read as Latin-1: modalities write it undeclared.
 * Source: PS3.3 C.12.1.1.2, PS3.5 6.1 (6.1.2.5.3: where the initial set comes back), annexes H-K.
 */
import { AifiError } from '@aifi/shared-kernel';

// Defined term → WHATWG encoding of the bytes beyond ASCII. ISO 2022 terms share their ISO_IR twin.
const ENCODINGS: Readonly<Record<string, string | undefined>> = {
  '': 'windows-1252',
  'ISO_IR 6': 'windows-1252',
  'ISO_IR 100': 'windows-1252',
  'ISO_IR 101': 'iso-8859-2',
  'ISO_IR 109': 'iso-8859-3',
  'ISO_IR 110': 'iso-8859-4',
  'ISO_IR 144': 'iso-8859-5',
  'ISO_IR 127': 'iso-8859-6',
  'ISO_IR 126': 'iso-8859-7',
  'ISO_IR 138': 'iso-8859-8',
  'ISO_IR 148': 'windows-1254',
  'ISO_IR 13': 'shift_jis',
  'ISO_IR 166': 'windows-874',
  'ISO_IR 192': 'utf-8',
  // Nothing beyond ASCII: these are reached by escape sequences only.
  'ISO_IR 87': 'us-ascii',
  'ISO_IR 159': 'us-ascii',
  'ISO_IR 149': 'euc-kr',
  'ISO_IR 58': 'gbk',
  GB18030: 'gb18030',
  GBK: 'gbk',
};
/** Sets whose characters may hold the bytes of ESC or of delimiters; they allow no extensions. */
const WHOLE_VALUE_ENCODINGS: ReadonlySet<string> = new Set(['utf-8', 'gb18030']);

/** What the bytes below 0x80 are: one byte each, or pairs of JIS X 0208 or JIS X 0212. */
type LowSet = 'single' | 'jis0208' | 'jis0212';
// PS3.3 tables C.12-3 and C.12-4: escape sequence without its ESC → what it designates.
const LOW_DESIGNATIONS: Readonly<Record<string, LowSet | undefined>> = {
  ...{ '(B': 'single', '(J': 'single', $B: 'jis0208', '$@': 'jis0208', '$(D': 'jis0212' },
};
const HIGH_DESIGNATIONS: Readonly<Record<string, string | undefined>> = {
  ...{ '-A': 'windows-1252', '-B': 'iso-8859-2', '-C': 'iso-8859-3', '-D': 'iso-8859-4' },
  ...{ '-L': 'iso-8859-5', '-G': 'iso-8859-6', '-F': 'iso-8859-7', '-H': 'iso-8859-8' },
  ...{ '-M': 'windows-1254', '-T': 'windows-874', ')I': 'shift_jis' },
  ...{ '$)C': 'euc-kr', '$)A': 'gbk' },
};
const ESCAPE = 0x1b;
const TEXT_DELIMITERS: ReadonlySet<number> = new Set(Buffer.from('\\\t\n\f\r'));
const NAME_DELIMITERS: ReadonlySet<number> = new Set(Buffer.from('\\^='));

/**
 * Unicode text of `bytes` under the values of Specific Character Set (empty: the default).
 * `vr` decides the delimiters after which the first set is active again.
 */
export function decodeText(bytes: Uint8Array, characterSets: readonly string[], vr = 'LO'): string {
  const initial = initialEncodingOf(characterSets);
  // Every set has ASCII where ASCII is, as long as nothing is designated.
  if (isPlainAscii(bytes)) {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  }
  if (WHOLE_VALUE_ENCODINGS.has(initial)) return decoded(bytes, initial);
  return decodeExtended(bytes, initial, vr === 'PN' ? NAME_DELIMITERS : TEXT_DELIMITERS);
}

/** All values of a dataset ask with the same list. */
const initialEncodings = new WeakMap<readonly string[], string>();

function initialEncodingOf(characterSets: readonly string[]): string {
  const known = initialEncodings.get(characterSets);
  if (known !== undefined) return known;
  const terms = characterSets.map((term) => term.trim().replace('ISO 2022 IR', 'ISO_IR'));
  const encodings = terms.map((term) => ENCODINGS[term]);
  if (encodings.includes(undefined)) throw malformed('unknown character set');
  const [first = 'windows-1252'] = encodings;
  // With code extensions everything beyond ASCII is designated: then nothing is left to a guess.
  const isGuess = terms.length > 1 && ['', 'ISO_IR 6'].includes(terms[0]!);
  const initial = isGuess ? 'us-ascii' : first;
  initialEncodings.set(characterSets, initial);
  return initial;
}

function isPlainAscii(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at]!;
    if (byte > 0x7f || byte === ESCAPE) return false;
  }
  return true;
}

/** ISO 2022 (PS3.5 6.1.2.5): runs of bytes between escape sequences, each in its own set. */
function decodeExtended(
  bytes: Uint8Array,
  initial: string,
  delimiters: ReadonlySet<number>,
): string {
  let [low, high, runStart, text]: [LowSet, string, number, string] = ['single', initial, 0, ''];
  const flush = (end: number): void => {
    text += decodedRun(bytes.subarray(runStart, end), low, high);
    runStart = end;
  };
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at]!;
    if (byte === ESCAPE) {
      flush(at);
      const designation = designationAt(bytes, at + 1);
      low = LOW_DESIGNATIONS[designation] ?? low;
      high = HIGH_DESIGNATIONS[designation] ?? high;
      at += designation.length;
      runStart = at + 1;
    } else if (high !== initial && low === 'single' && delimiters.has(byte)) {
      flush(at);
      high = initial;
    }
  }
  flush(bytes.length);
  return text;
}

function designationAt(bytes: Uint8Array, at: number): string {
  for (const length of [2, 3]) {
    const text = Buffer.from(bytes.subarray(at, at + length)).toString('latin1');
    if (text in LOW_DESIGNATIONS || text in HIGH_DESIGNATIONS) return text;
  }
  throw malformed('unknown escape sequence');
}

function decodedRun(run: Uint8Array, low: LowSet, high: string): string {
  if (low === 'single') return decoded(run, high);
  if (run.some((byte) => byte > 0x7f)) throw malformed('text does not decode');
  // EUC-JP writes the same two sets with the high bit, JIS X 0212 behind a prefix of 0x8F.
  const euc: number[] = [];
  run.forEach((byte, i) => {
    if (low === 'jis0212' && i % 2 === 0) euc.push(0x8f);
    euc.push(byte | 0x80);
  });
  return decoded(Uint8Array.from(euc), 'euc-jp');
}

function decoded(bytes: Uint8Array, encoding: string): string {
  if (encoding === 'us-ascii') {
    if (bytes.some((byte) => byte > 0x7f)) throw malformed('text does not decode');
    return Buffer.from(bytes).toString('latin1');
  }
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (error) {
    throw malformed('text does not decode', error);
  }
}

function malformed(what: string, cause?: unknown): AifiError {
  return new AifiError('DICOM_MALFORMED', what, { cause });
}
