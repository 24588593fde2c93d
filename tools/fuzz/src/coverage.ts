/**
 * Coverage: what the instrumented files did during one execution.
 * Decides when an input is new: a statement or branch was reached for the first time, or an order
 * of magnitude more often than before. Invariant: counters are zero before every execution.
 * Source: istanbul-lib-instrument (global coverage object).
 */
interface FileCounters {
  /** Statements by number. */
  readonly s: Record<number, number>;
  /** Ways out of each branch. */
  readonly b: Record<number, number[]>;
}
declare global {
  var __coverage__: Record<string, FileCounters> | undefined;
}

/** Bit of a count: 1, 2, 3, 4-7, 8-15, 16-31, 32-127, more. */
function bucketOf(count: number): number {
  if (count < 4) return 1 << (count - 1);
  if (count < 8) return 8;
  if (count < 16) return 16;
  if (count < 32) return 32;
  return count < 128 ? 64 : 128;
}

export class Coverage {
  readonly #statements: [Record<number, number>, number][] = [];
  readonly #branches: number[][] = [];
  readonly #seen: Uint8Array;
  #reached = 0;
  /** Statements and ways out of branches of all files that are covered. */
  readonly total: number;

  constructor(files: Record<string, FileCounters> = globalThis.__coverage__ ?? {}) {
    let total = 0;
    for (const { s, b } of Object.values(files)) {
      const count = Object.keys(s).length;
      this.#statements.push([s, count]);
      this.#branches.push(...Object.values(b));
      total += count;
    }
    for (const ways of this.#branches) total += ways.length;
    this.total = total;
    this.#seen = new Uint8Array(total);
  }

  /** How many of them any execution so far has reached. */
  get reached(): number {
    return this.#reached;
  }

  reset(): void {
    for (const [counters, count] of this.#statements) {
      for (let i = 0; i < count; i += 1) counters[i] = 0;
    }
    for (const ways of this.#branches) ways.fill(0);
  }

  /** Takes the execution since `reset` into account; the features that nobody had before. */
  collect(): number[] {
    const fresh: number[] = [];
    this.#visit((index, bucket) => {
      if ((this.#seen[index]! & bucket) !== 0) return;
      if (this.#seen[index] === 0) this.#reached += 1;
      this.#seen[index]! |= bucket;
      fresh.push(index * 256 + bucket);
    });
    return fresh;
  }

  /** Whether the execution since `reset` had all these features. */
  hasAll(features: readonly number[]): boolean {
    const missing = new Set(features);
    this.#visit((index, bucket) => missing.delete(index * 256 + bucket));
    return missing.size === 0;
  }

  #visit(visitor: (index: number, bucket: number) => void): void {
    let index = 0;
    for (const [counters, count] of this.#statements) {
      for (let i = 0; i < count; i += 1, index += 1) {
        const value = counters[i]!;
        if (value > 0) visitor(index, bucketOf(value));
      }
    }
    for (const ways of this.#branches) {
      for (let i = 0; i < ways.length; i += 1, index += 1) {
        const value = ways[i]!;
        if (value > 0) visitor(index, bucketOf(value));
      }
    }
  }
}
