/**
 * FuzzEngine: the loop of mutation, execution and coverage, for one target in one process.
 * Decides which inputs are kept: those that reach something new, cut down first.
 * Invariants: the same seed, corpus and number of executions give the same run; a fault never ends
 * the loop.
 */
import type { Corpus } from './corpus.js';
import type { Coverage } from './coverage.js';
import { faultSignature } from './finding.js';
import type { FuzzTarget } from './fuzz-target.js';
import { mutate } from './mutate.js';
import type { SeededRandom } from './seeded-random.js';

/** Executions that cutting down may cost. */
const TRIM_EXECUTIONS_MAX = 48;
const MINIMISE_EXECUTIONS_MAX = 600;
/** Mutations of one input before another one is picked. */
const ENERGY = 24;

export interface EngineEvents {
  /** Before every execution, also of those that only cut down. */
  onExecution(input: Uint8Array): void;
  onNewInput(input: Uint8Array): void;
  onFault(input: Uint8Array, error: unknown): void;
}
export interface EngineParts {
  readonly target: FuzzTarget;
  readonly corpus: Corpus;
  readonly coverage: Coverage;
  readonly random: SeededRandom;
  readonly events: EngineEvents;
}

export class FuzzEngine {
  readonly #signatures = new Set<string>();
  #executions = 0;
  #parent: Uint8Array = new Uint8Array(0);
  #energy = 0;

  constructor(private readonly parts: EngineParts) {}

  get executions(): number {
    return this.#executions;
  }
  get faults(): number {
    return this.#signatures.size;
  }

  /** Executes an input as it is; it joins the corpus when it is new, or `always`. */
  async replay(input: Uint8Array, always = false): Promise<void> {
    const { corpus, coverage } = this.parts;
    await this.#execute(input);
    const fresh = coverage.collect();
    if (fresh.length > 0 || always) corpus.add(input, fresh);
  }

  /** One execution of a mutated input, and more when it is new. */
  async step(): Promise<void> {
    const { target, corpus, coverage, random, events } = this.parts;
    if (this.#energy === 0) {
      this.#parent = corpus.size > 0 ? corpus.pick(random) : new Uint8Array(0);
      this.#energy = ENERGY;
    }
    this.#energy -= 1;
    const other = corpus.size > 0 ? corpus.pick(random) : this.#parent;
    const { maxBytes, tokens } = target;
    let input = mutate(this.#parent, random, { maxBytes, tokens, other });
    if (target.repair && random.chance(0.7)) input = target.repair(input);
    const isFaulty = await this.#execute(input);
    const fresh = coverage.collect();
    if (isFaulty || fresh.length === 0) return;
    const small = await this.#trimmed(input, fresh);
    corpus.add(small, fresh);
    events.onNewInput(small);
  }

  /** True when it was a fault. */
  async #execute(input: Uint8Array): Promise<boolean> {
    try {
      await this.#run(input);
      return false;
    } catch (error) {
      const signature = faultSignature(error);
      if (!this.#signatures.has(signature)) {
        this.#signatures.add(signature);
        this.parts.events.onFault(await this.#minimised(input, signature), error);
      }
      return true;
    }
  }

  async #run(input: Uint8Array): Promise<void> {
    const { target, coverage, events } = this.parts;
    this.#executions += 1;
    events.onExecution(input);
    coverage.reset();
    const running = target.run(input);
    if (running) await running;
  }

  /** Without the blocks that these features do not need. */
  #trimmed(input: Uint8Array, features: readonly number[]): Promise<Uint8Array> {
    return this.#reduced(input, TRIM_EXECUTIONS_MAX, async (candidate) => {
      try {
        await this.#run(candidate);
        return this.parts.coverage.hasAll(features);
      } catch {
        return false;
      }
    });
  }
  /** A shorter input with the same fault. */
  #minimised(input: Uint8Array, signature: string): Promise<Uint8Array> {
    return this.#reduced(input, MINIMISE_EXECUTIONS_MAX, async (candidate) => {
      try {
        await this.#run(candidate);
        return false;
      } catch (error) {
        return faultSignature(error) === signature;
      }
    });
  }

  async #reduced(
    input: Uint8Array,
    executionsMax: number,
    isSame: (candidate: Uint8Array) => Promise<boolean>,
  ): Promise<Uint8Array> {
    let best = input;
    let left = executionsMax;
    for (let size = best.length >> 1; size > 0 && left > 0; size >>= 1) {
      for (let at = 0; at < best.length && left > 0; left -= 1) {
        const candidate = new Uint8Array(best.length - Math.min(size, best.length - at));
        candidate.set(best.subarray(0, at));
        candidate.set(best.subarray(at + size), at);
        if (await isSame(candidate)) best = candidate;
        else at += size;
      }
    }
    return best;
  }
}
