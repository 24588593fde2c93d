/**
 * RunQueue: one model run at a time, and a bounded number of requests that wait for it.
 * Decides when a request is turned away at once: a model fills the machine, so waiting at the hub,
 * which can choose another worker, is better than waiting here.
 * Invariant: a request holds its place from before its body is read until its answer is sent.
 */
export class RunQueue {
  #admitted = 0;
  #tail: Promise<unknown> = Promise.resolve();

  /** @param admittedMax requests running, waiting and being received, together. */
  constructor(private readonly admittedMax: number) {}

  /** Takes a place, to be given back by `leave`; false when all are taken. */
  tryEnter(): boolean {
    if (this.#admitted >= this.admittedMax) return false;
    this.#admitted += 1;
    return true;
  }
  leave(): void {
    this.#admitted -= 1;
  }
  /** Runs the task when every earlier one has ended, however it ended. */
  alone<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(task);
    this.#tail = result.catch(() => undefined);
    return result;
  }
}
