/**
 * NewestStream: of several streams of one gateway in this process only the newest goes on.
 * Decides that an older one ends at once, so that a half-open stream takes nothing from its
 * successor; between processes the lease of the outcome store does the same.
 * Invariant: at most one open entry for each gateway. Source: reliability specification P5.
 */
import type { LinkPeer } from '@aifi/hub-identity';

export class NewestStream {
  readonly #open = new Map<string, AbortController>();

  /** Runs `work` until it ends or a newer stream of the same gateway comes. */
  async run<T>(
    { siteId, gateway }: LinkPeer,
    work: (overtaken: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const key = `${siteId}/${gateway}`;
    this.#open.get(key)?.abort();
    const own = new AbortController();
    this.#open.set(key, own);
    try {
      return await work(own.signal);
    } finally {
      if (this.#open.get(key) === own) this.#open.delete(key);
    }
  }

  get size(): number {
    return this.#open.size;
  }
}
