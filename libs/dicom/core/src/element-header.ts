/**
 * Headers of elements: tag, VR and length, as bytes.
 * Decides which VRs exist: one that PS3.5 does not know has no certain length field, and two
 * readers must never see two different datasets. Invariant: nothing is allocated per element.
 * Source: PS3.5 6.2, 7.1.2, 7.1.3.
 */
import { vrOf } from './dictionary.js';
import { LONG_LENGTH_VRS, type Encoding } from './transfer-syntax.js';

export interface VrRule {
  readonly vr: string;
  /** Bytes of tag, VR and length in the explicit form. */
  readonly headerBytes: 8 | 12;
}
const SHORT_LENGTH_VRS = 'AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US';

const ruleByCode = new Map<number, VrRule>();
for (const vr of [...SHORT_LENGTH_VRS.split(' '), ...LONG_LENGTH_VRS]) {
  const headerBytes = LONG_LENGTH_VRS.has(vr) ? 12 : 8;
  ruleByCode.set((vr.charCodeAt(0) << 8) | vr.charCodeAt(1), { vr, headerBytes });
}

/** The VR of the two bytes at `at`; undefined when there is no such VR. */
export function vrRuleAt(bytes: Uint8Array, at: number): VrRule | undefined {
  return ruleByCode.get((bytes[at]! << 8) | bytes[at + 1]!);
}

const implicitRules = new Map<string, VrRule>();
/** What an element of an Implicit VR dataset has: the VR of the dictionary, a 32-bit length. */
export function implicitRuleOf(tag: number): VrRule {
  const vr = vrOf(tag);
  let rule = implicitRules.get(vr);
  if (!rule) implicitRules.set(vr, (rule = { vr, headerBytes: 8 }));
  return rule;
}

export function tagAt(bytes: Uint8Array, at: number, { littleEndian }: Encoding): number {
  const [a, b, c, d] = [bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!];
  const tag = littleEndian ? (b << 24) | (a << 16) | (d << 8) | c : uint32(a, b, c, d);
  return tag >>> 0;
}
export function lengthAt(bytes: Uint8Array, at: number, { littleEndian }: Encoding): number {
  const [a, b, c, d] = [bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!];
  return (littleEndian ? uint32(d, c, b, a) : uint32(a, b, c, d)) >>> 0;
}
export function shortLengthAt(bytes: Uint8Array, at: number, { littleEndian }: Encoding): number {
  const [a, b] = [bytes[at]!, bytes[at + 1]!];
  return littleEndian ? (b << 8) | a : (a << 8) | b;
}
function uint32(a: number, b: number, c: number, d: number): number {
  return (a << 24) | (b << 16) | (c << 8) | d;
}

/** The tags of one dataset so far. In ascending order, as the standard has it, one costs a push. */
export class SeenTags {
  readonly #tags: number[] = [];
  #last = -1;
  /** Only when an element came out of order. */
  #all: Set<number> | undefined;

  get count(): number {
    return this.#tags.length;
  }
  /** False when the tag was seen before. */
  add(tag: number): boolean {
    if (tag > this.#last) {
      this.#last = tag;
    } else {
      this.#all ??= new Set(this.#tags);
      if (this.#all.has(tag)) return false;
    }
    this.#tags.push(tag);
    this.#all?.add(tag);
    return true;
  }
}
