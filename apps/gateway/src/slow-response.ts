/**
 * Slow response: a long answer at the speed of whoever reads it.
 * Decides that nothing is made before the reader has taken what came before, and that a reader who
 * takes nothing for STALL_MS_MAX is cut. Invariant: an answer that did not come to its end is
 * broken off, never closed as if it were whole. Source: RFC 9112 7.1 (chunked: a missing last
 * chunk).
 */
import type { Clock } from '@aifi/shared-kernel';

/** What of the framework's response is used. */
export interface SlowResponse {
  readonly destroyed: boolean;
  readonly writableEnded: boolean;
  status(code: number): this;
  set(name: string, value: string): this;
  write(chunk: string): boolean;
  end(): unknown;
  destroy(): unknown;
  on(event: 'close' | 'drain', listener: () => void): unknown;
  off(event: 'close' | 'drain', listener: () => void): unknown;
}
export interface SlowAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly chunks: AsyncIterable<string>;
  readonly clock: Clock;
}
/** Longer than any pause of a download that goes on. @unit ms */
const STALL_MS_MAX = 30_000;

/** Resolves when the answer has left or was cut; throws what the chunks throw, and then cuts. */
export async function sendSlowly(
  response: SlowResponse,
  { headers, chunks, clock }: SlowAnswer,
): Promise<void> {
  response.status(200);
  for (const [name, value] of Object.entries(headers)) response.set(name, value);
  try {
    for await (const chunk of chunks) {
      if (!response.write(chunk)) await drained(response, clock);
      if (response.destroyed) return;
    }
    response.end();
  } finally {
    if (!response.writableEnded) response.destroy();
  }
}

/** Cuts the response of a reader that stalls. */
async function drained(response: SlowResponse, clock: Clock): Promise<void> {
  const ready = new AbortController();
  const stop = (): void => ready.abort();
  response.on('drain', stop);
  response.on('close', stop);
  await clock.sleep(STALL_MS_MAX, ready.signal);
  response.off('drain', stop);
  response.off('close', stop);
  if (!ready.signal.aborted) response.destroy();
}
