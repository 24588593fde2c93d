/**
 * AssociationPermits: how many requests to the PACS are open at once, whoever asks.
 * Decides who waits: first come, first served. Invariants: never more than `most`; a permit comes
 * back whatever becomes of the request. Source: reliability specification H15 (at most 2
 * associations to the PACS).
 */
export class AssociationPermits {
  #open = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(private readonly most: number) {}

  async run<T>(request: () => Promise<T>): Promise<T> {
    if (this.#open >= this.most) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#open += 1;
    try {
      return await request();
    } finally {
      // Handed on: the number of open ones stays.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#open -= 1;
    }
  }
}
