/**
 * NeedleIndex: tens of thousands of byte sequences looked for in one pass over gigabytes.
 * Decides that a needle is found by its last six bytes: known UIDs and names begin alike, and a
 * bucket of thousands would be compared at every second byte. Invariants: the index is made once
 * for all that is searched; every needle that occurs is found; each is told once per haystack.
 * Source: pseudonymisation specification 3.7.
 */
import { encodingsOf, isChance, lowerCased } from '../canary-scan.js';

export interface Found {
  /** Of the fact that was found. */
  readonly carrier: string;
  /** How it was found. */
  readonly by: string;
}
export interface Needle extends Found {
  /** Six or more. */
  readonly bytes: Buffer;
}

const TAIL_BYTES = 6;
const SLOTS = 0x1000000;

export class NeedleIndex {
  readonly #slots = new Uint8Array(SLOTS);
  readonly #needles = new Map<number, Needle[]>();
  size = 0;

  add(needle: Needle): void {
    const { bytes } = needle;
    const at = bytes.length;
    if (at < TAIL_BYTES) throw new RangeError('a needle that occurs by chance');
    const slot = slotOf(bytes.readUIntBE(at - 6, 3), bytes.readUIntBE(at - 3, 3));
    this.#slots[slot] = 1;
    const known = this.#needles.get(slot);
    if (known) known.push(needle);
    else this.#needles.set(slot, [needle]);
    this.size += 1;
  }

  /** Needles that occur; `isFind` may say of a place that it is none. */
  scan(bytes: Buffer, isFind: (from: number, to: number) => boolean = () => true): Needle[] {
    const found = new Set<Needle>();
    if (this.size === 0) return [];
    const slots = this.#slots;
    // The last six bytes, as two numbers of three.
    let [before, last] = [0, 0];
    for (let at = 0; at < bytes.length; at += 1) {
      before = ((before << 8) | (last >>> 16)) & 0xffffff;
      last = ((last << 8) | bytes[at]!) & 0xffffff;
      const slot = slotOf(before, last);
      if (slots[slot] === 0) continue;
      const end = at + 1;
      for (const needle of this.#needles.get(slot)!) {
        const from = end - needle.bytes.length;
        if (from < 0 || found.has(needle)) continue;
        if (needle.bytes.compare(bytes, from, end) !== 0) continue;
        if (isFind(from, end)) found.add(needle);
      }
    }
    return [...found];
  }
}
const slotOf = (before: number, last: number): number =>
  (last ^ (Math.imul(before, 0x9e3779b1) >>> 8)) & (SLOTS - 1);

/** Texts in UTF-8, UTF-16, base64 and hexadecimal digits, whatever their case. */
export class TextNeedles {
  readonly #index = new NeedleIndex();

  get size(): number {
    return this.#index.size;
  }
  add(text: string, carrier: string): void {
    for (const [by, forms] of Object.entries(encodingsOf(text))) {
      for (const form of forms)
        this.#index.add({ carrier, by, bytes: Buffer.from(form, 'latin1') });
    }
  }
  scan(bytes: Buffer): Found[] {
    if (this.size === 0) return [];
    const lower = lowerCased(bytes);
    return this.#index.scan(lower, (from, to) => !isChance(lower, from, to));
  }
}
