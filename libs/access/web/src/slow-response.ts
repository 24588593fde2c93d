/**
 * Slow response: a long answer at the speed of whoever reads it.
 * Decides that nothing is made before the reader has taken what came before, and that a reader who
 * takes nothing for STALL_MS_MAX is cut. Invariant: an answer that did not come to its end is
 * broken off, never closed as if whole. Source: RFC 9112 7.1 (a chunked body without its end).
 */
import type { Clock } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';

/** What of the framework's response is used. */
export interface SlowResponse {
  readonly destroyed: boolean;
  readonly writableEnded: boolean;
  status(code: number): this;
  set(name: string, value: string): this;
  write(chunk: string | Uint8Array): boolean;
  end(): unknown;
  destroy(): unknown;
  once(event: 'close' | 'drain', listener: () => void): unknown;
  off(event: 'close' | 'drain', listener: () => void): unknown;
}
export interface SlowAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly chunks: AsyncIterable<string | Uint8Array>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Longer than any pause of a download that goes on. @unit ms */
const STALL_MS_MAX = 30_000;

/** Resolves when the answer has left or was cut; the fault of a cut is logged. */
export async function sendSlowly(response: SlowResponse, answer: SlowAnswer): Promise<void> {
  const { headers, chunks, clock, logger } = answer;
  response.status(200);
  for (const [name, value] of Object.entries(headers)) response.set(name, value);
  try {
    for await (const chunk of chunks) {
      const isTaken = response.write(chunk) || (await drained(response, clock));
      if (!isTaken || response.destroyed) return;
    }
    response.end();
  } catch (error) {
    logger.fault('an answer was broken off', error);
  } finally {
    if (!response.writableEnded) response.destroy();
  }
}

/** False when the reader has gone or stalls. */
async function drained(response: SlowResponse, clock: Clock): Promise<boolean> {
  const ready = new AbortController();
  let isTaken = false;
  const onDrain = (): void => {
    isTaken = true;
    ready.abort();
  };
  const onClose = (): void => ready.abort();
  response.once('drain', onDrain);
  response.once('close', onClose);
  await clock.sleep(STALL_MS_MAX, ready.signal);
  response.off('drain', onDrain);
  response.off('close', onClose);
  return isTaken;
}
