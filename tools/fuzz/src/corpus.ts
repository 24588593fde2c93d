/**
 * Corpus: the inputs of a target, in memory and as files.
 * Decides which input is changed next: half of the time one that is the shortest with some feature.
 * Invariant: files are named by the SHA-256 of their bytes, so that equal inputs are one file.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SeededRandom } from './seeded-random.js';

/** Digits of the digest in a name: no collision in a corpus of thousands. */
const NAME_DIGITS = 16;

export function inputName(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, NAME_DIGITS);
}
/** The inputs in a folder, in the order of their names; none when there is no folder. */
export function readInputs(folder: string): Uint8Array[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).sort();
  return names.map((name) => new Uint8Array(readFileSync(join(folder, name))));
}
/** Writes an input under its name; the path. */
export function writeInput(folder: string, bytes: Uint8Array): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, inputName(bytes));
  if (!existsSync(path)) writeFileSync(path, bytes);
  return path;
}

export class Corpus {
  readonly #inputs: Uint8Array[] = [];
  /** Shortest input with each feature. */
  readonly #shortest = new Map<number, Uint8Array>();
  #favoured: Uint8Array[] | undefined;

  get size(): number {
    return this.#inputs.length;
  }
  add(input: Uint8Array, features: readonly number[]): void {
    this.#inputs.push(input);
    for (const feature of features) {
      const known = this.#shortest.get(feature);
      if (!known || input.length < known.length) this.#shortest.set(feature, input);
    }
    this.#favoured = undefined;
  }
  pick(random: SeededRandom): Uint8Array {
    this.#favoured ??= [...new Set(this.#shortest.values())];
    const list = random.chance(0.5) && this.#favoured.length > 0 ? this.#favoured : this.#inputs;
    // The latest ones lead further.
    if (random.chance(0.3)) return list[list.length - 1 - random.skewed(list.length)]!;
    // The shorter of two: it runs faster, and more of its bytes matter.
    const [one, other] = [random.pick(list), random.pick(list)];
    return one.length <= other.length || random.chance(0.2) ? one : other;
  }
}
