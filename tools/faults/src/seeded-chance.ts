/**
 * SeededChance: the only source of chance of a run with faults.
 * Decides that the same seed gives the same choices, and that parts which run side by side each get
 * a source of their own, so that the order in which they ask does not matter.
 * Source: SplitMix (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014), its
 * 32-bit form, written anew.
 */
const UINT32 = 2 ** 32;
/** Odd, 2^32 divided by the golden ratio: the sequence visits every state. */
const STEP = 0x9e3779b9;
/** FNV-1a, 32 bit. */
const [FNV_BASIS, FNV_PRIME] = [0x811c9dc5, 0x01000193];

export class SeededChance {
  #state: number;

  constructor(readonly seed: string) {
    this.#state = hashOf(seed);
  }

  /** A source for one part; equal names give equal sources. */
  of(part: string): SeededChance {
    return new SeededChance(`${this.seed}/${part}`);
  }
  /** Uniform in [0, 1). */
  next(): number {
    this.#state = (this.#state + STEP) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / UINT32;
  }
  /** Whole number, both ends included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }
  chance(share: number): boolean {
    return this.next() < share;
  }
  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.next() * list.length)]!;
  }
  /** One of a table of weights. */
  weighted<T extends string>(weights: Readonly<Record<T, number>>): T {
    const entries = Object.entries(weights) as [T, number][];
    let at = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      at -= weight;
      if (at < 0) return name;
    }
    return entries.at(-1)![0];
  }
}

function hashOf(text: string): number {
  let hash = FNV_BASIS;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, FNV_PRIME);
  return hash >>> 0;
}
