/**
 * The adversary: somebody who has the hub (database, objects, wire) and knows every identifier of
 * every patient, and wants to know which study at the hub is whose.
 * What is tried, for each known text (names, numbers, BSN, dates, accession numbers, all original
 * UIDs, digests of the original files) and each way to write it (component orders, case, leading
 * zeros, date formats, with issuer, with usual prefixes):
 * - the text itself, in UTF-8, UTF-16, base64 and hexadecimal digits;
 * - MD5, SHA-1, SHA-256 and SHA-512 of it, and HMAC under keys that people choose: as bytes, as
 *   hexadecimal digits, as base64, and cut to the 16 bytes of a UUID;
 * - UIDs made of such a digest (2.25, UUID versions 5 and 8) and base32 tokens made of it;
 * - with keys, of this or of another site, everything that the engine derives with them.
 * Source: pseudonymisation specification 3.7; docs/compliance/dpia-linkage.md for what remains.
 */
import { createHash, createHmac } from 'node:crypto';
import type { DicomDataset } from '@aifi/dicom-core';
import { DEFAULT_CONTRACT, pseudonymiseHeader } from '@aifi/dicom-deidentification';
import { uidFromBytes } from '@aifi/shared-kernel';
import type { SiteKeys } from '@aifi/shared-site-keys';
import { NeedleIndex, TextNeedles, type Found } from './needle-index.js';

/** One thing that is known of a patient or a study. */
export interface Fact {
  /** What it is, without its value. */
  readonly carrier: string;
  readonly text: string;
}
/** What the adversary got hold of. */
export interface Material {
  readonly place: string;
  readonly bytes: Buffer;
}
export interface StolenKeys {
  readonly siteCode: string;
  readonly keys: SiteKeys;
  /** Headers of original images, which the adversary pseudonymises again. */
  readonly headers: readonly DicomDataset[];
}
export interface Link extends Found {
  readonly place: string;
}

const HASHES = ['md5', 'sha1', 'sha256', 'sha512'] as const;
/** Keys that are no secret. */
const GUESSED_KEYS = ['', 'aifi', 'secret', 'uid'] as const;
/** Texts shorter than this occur by chance. @unit characters */
const TEXT_MIN = 6;
const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const RFC4648 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
/** UIDs, and runs of base32 that are long enough for 80 bits: what pseudonyms look like. */
const TOKENS = /2\.25\.\d{10,39}|[0-9A-Z]{16,26}(?![0-9A-Z])/g;
/** RFC 9562 6.6: name spaces of DNS, URL, OID and X.500. */
const NAME_SPACES = [0, 1, 2, 4].map((n) =>
  Buffer.from(`6ba7b81${n}9dad11d180b400c04fd430c8`, 'hex'),
);

export class Adversary {
  readonly #digests = new NeedleIndex();
  readonly #texts = new TextNeedles();
  readonly #tokens = new Map<string, Found>();

  constructor(facts: readonly Fact[], stolen: readonly StolenKeys[] = []) {
    const known = new Set<string>();
    for (const { carrier, text } of facts) {
      for (const way of waysToWrite(text)) {
        // The same study date is in thousands of images.
        if (known.has(`${carrier} ${way}`)) continue;
        known.add(`${carrier} ${way}`);
        this.#learn(carrier, way);
      }
    }
    for (const each of stolen) this.#learnKeys(each);
  }
  /** How many guesses there are: a test of none would find nothing. */
  get guesses(): number {
    return this.#digests.size + this.#tokens.size + this.#texts.size;
  }

  #learn(carrier: string, text: string): void {
    if (text.length >= TEXT_MIN) this.#texts.add(text, carrier);
    for (const salted of [text, `uid\0${text}`, `|${text}`, `${text}\n`]) {
      for (const [by, digest] of digestsOf(Buffer.from(salted))) {
        const found = { carrier, by };
        for (const form of formsOf(digest)) {
          this.#digests.add({ ...found, bytes: form.subarray(0, DIGEST_BYTES) });
        }
        const token = { carrier, by: `token of ${by}` };
        for (const each of tokensOf(digest)) this.#tokens.set(each, token);
      }
    }
  }

  #learnKeys({ siteCode, keys, headers }: StolenKeys): void {
    const contract = { ...DEFAULT_CONTRACT, recognisableVisualFeatures: 'allow' } as const;
    for (const header of headers) {
      const context = { siteCode, keys, contract };
      const output = pseudonymiseHeader(header, context, { isExamined: true });
      // What the engine refuses has never left.
      if (!output.ok) continue;
      const pseudonym = output.value.dataset.string('PatientID')!;
      for (const token of pseudonym.match(TOKENS) ?? []) {
        this.#tokens.set(token, { carrier: 'PatientID', by: 'key' });
      }
      for (const uid of output.value.uids.keys()) {
        this.#tokens.set(uid, { carrier: 'UID', by: 'key' });
      }
    }
  }

  /** Every link from known to found; one per carrier, place and way. */
  links(material: Iterable<Material>): Link[] {
    const links = new Map<string, Link>();
    for (const { place, bytes } of material) {
      const found = [...this.#texts.scan(bytes), ...this.#digests.scan(bytes)];
      for (const token of tokensIn(bytes)) {
        const known = this.#tokens.get(token);
        if (known) found.push(known);
      }
      for (const { carrier, by } of found) {
        links.set(`${carrier} ${place} ${by}`, { carrier, place, by });
      }
    }
    return [...links.values()];
  }
}

/** What looks like a pseudonym; read once, however many adversaries look at the bytes. */
function tokensIn(bytes: Buffer): ReadonlySet<string> {
  let tokens = TOKENS_IN.get(bytes);
  if (!tokens) {
    const all = bytes.toString('latin1').match(TOKENS) ?? [];
    TOKENS_IN.set(bytes, (tokens = new Set(all)));
  }
  return tokens;
}
const TOKENS_IN = new WeakMap<Buffer, ReadonlySet<string>>();

/** A text as people and programs write it. */
export function waysToWrite(text: string): string[] {
  const ways = [text, text.toUpperCase(), text.toLowerCase(), text.trim()];
  if (text.includes('^')) {
    const [family = '', given = ''] = text.split('^');
    ways.push(
      `${given} ${family}`,
      `${family}, ${given}`,
      `${family} ${given}`,
      `${family}${given}`,
    );
  }
  const day = /^(\d{4})(\d{2})(\d{2})$/.exec(text);
  if (day) {
    const [, year, month, date] = day;
    ways.push(`${year}-${month}-${date}`, `${date}-${month}-${year}`, `${date}${month}${year}`);
    ways.push(`${Number(date)}-${Number(month)}-${year}`, `${date}/${month}/${year}`);
  }
  if (/^0+\d+$/.test(text)) ways.push(text.replace(/^0+/, ''));
  return [...new Set(ways)].filter((way) => way !== '');
}

function* digestsOf(bytes: Buffer): Generator<readonly [by: string, digest: Buffer]> {
  for (const hash of HASHES) yield [hash, createHash(hash).update(bytes).digest()];
  for (const key of GUESSED_KEYS) {
    yield [`hmac "${key}"`, createHmac('sha256', key).update(bytes).digest()];
  }
  for (const space of NAME_SPACES) {
    const digest = createHash('sha1').update(space).update(bytes).digest();
    yield ['uuid5', uuidOf(digest, 5)];
  }
}

function uuidOf(digest: Buffer, version: number): Buffer {
  const uuid = Buffer.from(digest.subarray(0, 16));
  uuid[6] = (uuid[6]! & 0x0f) | (version << 4);
  uuid[8] = (uuid[8]! & 0x3f) | 0x80;
  return uuid;
}

function tokensOf(digest: Buffer): string[] {
  const decimal = (bytes: Buffer): string => `2.25.${BigInt(`0x${bytes.toString('hex')}`)}`;
  const uids = [uidFromBytes(digest), decimal(digest.subarray(0, 16)), decimal(uuidOf(digest, 5))];
  const base32 = [CROCKFORD, RFC4648].flatMap((alphabet) => {
    const whole = base32Of(digest, alphabet);
    const padded = base32Of(Buffer.concat([Buffer.alloc(1), digest.subarray(0, 16)]), alphabet);
    return [whole.slice(0, 26), whole.slice(0, 16), padded.slice(-26), padded.slice(-26, -10)];
  });
  return [...uids, ...base32];
}
/** Five bits a character, from the last one on. */
function base32Of(bytes: Buffer, alphabet: string): string {
  let [bits, count, text] = [0, 0, ''];
  for (let at = bytes.length - 1; at >= 0; at -= 1) {
    bits |= bytes[at]! << count;
    for (count += 8; count >= 5; count -= 5, bits >>>= 5) text = alphabet[bits & 31]! + text;
  }
  return count === 0 ? text : alphabet[bits & 31]! + text;
}

/** Twelve bytes tell digests apart; a UUID sets other bits from byte 6 on. */
const DIGEST_BYTES = 12;

/** A digest as bytes, hexadecimal digits and base64. */
function formsOf(digest: Buffer): Buffer[] {
  const hex = digest.subarray(0, 16).toString('hex');
  const base64 = digest.subarray(0, 15).toString('base64');
  const texts = [hex, hex.toUpperCase(), dashed(hex), base64, base64url(base64)];
  return [digest, ...[...new Set(texts)].map((text) => Buffer.from(text))];
}
const dashed = (hex: string): string => hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
const base64url = (text: string): string => text.replaceAll('+', '-').replaceAll('/', '_');
