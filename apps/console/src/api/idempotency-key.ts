/**
 * The key of an act while a person tries to do it.
 * Decides that pressing the button again after a lost answer is the same act, and that another
 * body or a next act is not. Source: conventions "Idempotency keys".
 */
export class ActKey {
  #key: string | undefined;
  #body: string | undefined;

  constructor(private readonly newKey: () => string) {}

  /** The key to send with this body. */
  keyFor(body: unknown): string {
    const text = JSON.stringify(body);
    if (this.#key === undefined || text !== this.#body) {
      this.#key = this.newKey();
      this.#body = text;
    }
    return this.#key;
  }
  /** The server has answered, with yes or no: what comes next is another act. */
  settled(): void {
    this.#key = undefined;
    this.#body = undefined;
  }
}
