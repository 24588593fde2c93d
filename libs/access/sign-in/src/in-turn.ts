/**
 * InTurn: work on one session at a time, in the order of arrival.
 * Decides that a refresh token is used once although many requests arrive together: a provider
 * that rotates takes the second use for a theft and ends everything.
 * Invariant: nothing is kept for a key that has no work. Source: RFC 9700 4.14 (rotation).
 */
export class InTurn {
  readonly #last = new Map<string, Promise<unknown>>();

  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    // The one before answers its own caller; its failure is not ours.
    const mine = before.then(work, work);
    this.#last.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.#last.get(key) === mine) this.#last.delete(key);
    }
  }
}
