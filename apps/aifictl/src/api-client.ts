/**
 * ApiClient: one question to one service over HTTP.
 * Decides what an answer is: a document of the contract, "not there", or "does not answer".
 * Invariants: a service that hangs costs ten seconds; an answer of another shape is no answer.
 */
import type { z } from 'zod';

/** @unit ms */
const TIMEOUT_MS = 10_000;

export type Answer<T> =
  | { readonly kind: 'found'; readonly document: T }
  | { readonly kind: 'absent' }
  /** In plain words, for the reader. */
  | { readonly kind: 'unreachable'; readonly why: string };

/** GET `<url>/<path>` as a document of `schema`. */
export async function ask<S extends z.ZodType>(
  fetcher: typeof fetch,
  address: { readonly url: string; readonly path: string },
  schema: S,
): Promise<Answer<z.output<S>>> {
  try {
    const response = await fetcher(`${address.url}/${address.path}`, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: { Accept: 'application/json' },
    });
    if (response.status === 404) return { kind: 'absent' };
    if (!response.ok) return { kind: 'unreachable', why: `answers with HTTP ${response.status}` };
    const parsed = schema.safeParse(await response.json());
    if (parsed.success) return { kind: 'found', document: parsed.data };
    return { kind: 'unreachable', why: 'answers, but not as this version of aifictl expects' };
  } catch {
    return { kind: 'unreachable', why: 'does not answer' };
  }
}
