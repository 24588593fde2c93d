/**
 * TestFeed: one stream between the senders and a gateway of the test, in memory; not exported.
 * Decides nothing: what the hub writes is kept, what the gateway says is handed on in order.
 */
import type { downlink } from '@aifi/contracts-proto';
import { peerFromAlternativeNames, type LinkPeer, type SiteStream } from '@aifi/hub-identity';

/** As a certificate names it: a site comes from nowhere else at the hub. */
export const PEER: LinkPeer = peerFromAlternativeNames('URI:spiffe://aifi/site/site-a/gw/1');

export class TestFeed<Request, Response> implements SiteStream<Request, Response> {
  readonly written: Response[] = [];
  readonly #gone = new AbortController();
  readonly signal = this.#gone.signal;
  readonly #said: Request[] = [];
  #bell: (() => void) | undefined;
  #hasEnded = false;

  constructor(readonly peer: LinkPeer = PEER) {}

  /** The gateway says something. */
  say(request: Request): void {
    this.#said.push(request);
    this.#bell?.();
  }
  /** The gateway has nothing more to say. */
  end(): void {
    this.#hasEnded = true;
    this.#bell?.();
  }
  /** The link is cut. */
  cut(): void {
    this.#gone.abort();
    this.end();
  }
  async write(response: Response): Promise<void> {
    this.written.push(response);
  }
  readonly requests: AsyncIterable<Request> = {
    [Symbol.asyncIterator]: () => ({
      next: async (): Promise<IteratorResult<Request>> => {
        for (;;) {
          const request = this.#said.shift();
          if (request !== undefined) return { done: false, value: request };
          if (this.#hasEnded) return { done: true, value: undefined };
          await new Promise<void>((resolve) => (this.#bell = resolve));
        }
      },
    }),
  };
}

/** Sequence numbers of the outcomes that went out whole. */
export const sentOf = (written: readonly downlink.StreamOutcomesResponse[]): number[] =>
  written.flatMap(({ part }) => (part?.$case === 'end' ? [part.value.sequence] : []));

/** Lets everything that waits for nothing but its turn happen. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
