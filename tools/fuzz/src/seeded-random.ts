/**
 * SeededRandom: the only source of chance of the fuzzer.
 * Decides that the same seed gives the same run. Invariant: no other randomness anywhere here.
 * Source: sfc32 (PractRand, public domain algorithm), written anew.
 */
const UINT32 = 2 ** 32;
/** FNV-1a offset basis and prime, 32 bit. */
const [FNV_BASIS, FNV_PRIME] = [0x811c9dc5, 0x01000193];

/** A number that stands for these bytes: the seed of what is derived from an input. */
export function hashOf(bytes: Uint8Array): number {
  let hash = FNV_BASIS;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, FNV_PRIME);
  return hash >>> 0;
}

export class SeededRandom {
  #a: number;
  #b = 0x9e3779b9;
  #c = 0x243f6a88;
  #counter = 1;

  constructor(seed: number) {
    this.#a = seed | 0;
    // The first numbers of neighbouring seeds are alike.
    for (let round = 0; round < 12; round += 1) this.uint32();
  }
  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }
  /** 0 to `limit` - 1; 0 when there is no choice. */
  below(limit: number): number {
    return limit <= 1 ? 0 : Math.floor((this.uint32() / UINT32) * limit);
  }
  /** Both ends included. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }
  chance(share: number): boolean {
    return this.uint32() < share * UINT32;
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.uint32() & 0xff);
  }
  /** Small numbers often, large ones seldom. */
  skewed(limit: number): number {
    return this.below(1 + this.below(1 + this.below(limit)));
  }
}

/** Cuts of `length` bytes into chunks, as arrays of positions: tiny, large and mixed ones. */
export function chunkEnds(length: number, random: SeededRandom): number[] {
  const largest = random.pick([1, 2, 7, 64, 1500, 65_536]);
  const ends: number[] = [];
  // Single bytes of a long input would only cost time.
  const least = Math.floor(length / 512);
  for (let at = 0; at < length;) {
    at = Math.min(length, at + Math.max(least, random.between(1, largest)));
    ends.push(at);
  }
  return ends;
}
