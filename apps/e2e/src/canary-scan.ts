/**
 * Canary scan: looks for planted identities in everything that a process left behind.
 * Decides which encodings of a text count as a find: UTF-8, Latin-1, UTF-16, base64, hex, any case.
 * Invariant: a find names carrier and place, so that a leak can be followed to its source.
 * Source: pseudonymisation specification 2.2; hazard H11, T-PHI.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** A DT value with its fraction has 20 digits (PS3.5 6.2). */
const NUMBER_DIGITS_MAX = 20;

export interface ScanCanary {
  readonly carrier: string;
  readonly text: string;
}
export interface Find {
  readonly carrier: string;
  readonly place: string;
  readonly encoding: string;
}

/** All finds in one sequence of bytes, one per carrier and encoding. */
export function scanBytes(bytes: Buffer, place: string, canaries: readonly ScanCanary[]): Find[] {
  return new NeedleIndex(canaries).scan(bytes, place);
}

/** All finds in the files of a folder, compressed ones also unpacked, and in their names. */
export function scanFolder(folder: string, canaries: readonly ScanCanary[]): Find[] {
  const index = new NeedleIndex(canaries);
  return filesBelow(folder).flatMap((path) => {
    const place = relative(folder, path);
    const bytes = readIfStillThere(path);
    if (!bytes) return [];
    const unpacked = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : undefined;
    return [
      ...index.scan(Buffer.from(place), `name of ${place}`),
      ...index.scan(bytes, place),
      ...(unpacked ? index.scan(unpacked, `${place} (unpacked)`) : []),
    ];
  });
}

/** A running server replaces its cache files: what is gone by now was not left behind. */
function readIfStillThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

interface Needle {
  readonly carrier: string;
  readonly encoding: string;
  readonly bytes: Buffer;
}

/**
 * Needles by their first three bytes, so that one pass over the haystack serves all of them:
 * thousands of searches over the object store would take minutes.
 */
class NeedleIndex {
  readonly #starts = new Uint8Array(0x1000000);
  readonly #needles = new Map<number, Needle[]>();

  constructor(canaries: readonly ScanCanary[]) {
    for (const { carrier, text } of canaries) {
      for (const [encoding, needles] of Object.entries(encodingsOf(text))) {
        for (const needle of needles) this.#add({ carrier, encoding, bytes: latin1(needle) });
      }
    }
  }

  #add(needle: Needle): void {
    const start = needle.bytes.readUIntLE(0, 3);
    this.#starts[start] = 1;
    const known = this.#needles.get(start);
    if (known) known.push(needle);
    else this.#needles.set(start, [needle]);
  }

  scan(haystack: Buffer, place: string): Find[] {
    const lower = lowerCased(haystack);
    const starts = this.#starts;
    const found = new Set<Needle>();
    let start = lower.length > 1 ? lower.readUInt16LE(0) << 8 : 0;
    for (let at = 0; at + 2 < lower.length; at += 1) {
      start = (start >>> 8) | (lower[at + 2]! << 16);
      if (starts[start] === 0) continue;
      for (const needle of this.#needles.get(start)!) {
        const end = at + needle.bytes.length;
        if (needle.bytes.compare(lower, at, Math.min(end, lower.length)) !== 0) continue;
        if (!isChance(lower, at, end)) found.add(needle);
      }
    }
    const keys = new Set([...found].map(({ carrier, encoding }) => `${encoding} ${carrier}`));
    return [...keys].map((key) => {
      const [encoding = '', ...carrier] = key.split(' ');
      return { carrier: carrier.join(' '), place, encoding };
    });
  }
}

/**
 * True for digits inside a longer number than any date, time or identifier: UIDs made from UUIDs
 * have up to 39 digits, and among thousands of them any birth date turns up.
 */
export function isChance(bytes: Buffer, from: number, to: number): boolean {
  const isDigit = (at: number): boolean => bytes[at]! >= 0x30 && bytes[at]! <= 0x39;
  let [start, end] = [from, from];
  while (start > 0 && isDigit(start - 1)) start -= 1;
  while (end < bytes.length && isDigit(end)) end += 1;
  return end >= to && end - start > NUMBER_DIGITS_MAX;
}

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

/** ASCII capitals to small letters, byte by byte: what `toLowerCase` does to a needle's ASCII. */
export function lowerCased(bytes: Buffer): Buffer {
  const lower = Buffer.from(bytes);
  for (let at = 0; at < lower.length; at += 1) {
    const byte = lower[at]!;
    if (byte >= 0x41 && byte <= 0x5a) lower[at] = byte + 0x20;
  }
  return lower;
}

export function encodingsOf(text: string): Record<string, string[]> {
  const lower = (bytes: Buffer): string => lowerCased(bytes).toString('latin1');
  const utf8 = Buffer.from(text, 'utf8');
  const utf16 = Buffer.from(text, 'utf16le');
  return {
    'utf-8': [lower(utf8)],
    'utf-16': [lower(utf16), lower(Buffer.from(utf16).swap16())],
    hex: [utf8.toString('hex')],
    base64: base64Cores(utf8),
  };
}

/** What base64 shows of a text at each of its three alignments, the unsure ends cut off. */
function base64Cores(text: Buffer): string[] {
  return [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), text]).toString('base64');
    const start = Math.ceil((shift * 8) / 6);
    const end = Math.floor(((shift + text.length) * 8) / 6);
    return encoded.slice(start, end).toLowerCase();
  });
}
