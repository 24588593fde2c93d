/**
 * ProblemError: why a call gave no answer, as a code that the pages have words for.
 * Decides that a page never shows what a server or browser wrote: words come from the dictionary,
 * and the instance id is there to be quoted. Source: RFC 9457; libs/contracts/rest problem.ts.
 */
import { problemSchema } from '@aifi/contracts-rest';
import type { Words } from '../words/words.js';

export type ProblemCode = keyof Words['problems'];

export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  constructor(
    /** Of the kernel's catalogue, or one that has no words here. */
    readonly code: string,
    readonly status: number | null,
    /** `urn:uuid:...`; null when the server did not get that far. */
    readonly instance: string | null,
  ) {
    super(code);
  }
}

/** What an answer that is no success says. */
export async function problemOfAnswer(answer: Response): Promise<ProblemError> {
  const body: unknown = await answer.json().catch(() => undefined);
  const parsed = problemSchema.safeParse(body);
  if (!parsed.success) return new ProblemError(codeOfStatus(answer.status), answer.status, null);
  const { code, status, instance } = parsed.data;
  return new ProblemError(code ?? codeOfStatus(status), status, instance);
}

/** A proxy in between has no code of ours. */
function codeOfStatus(status: number): ProblemCode {
  if (status === 401) return 'UNAUTHENTICATED';
  if (status === 403) return 'FORBIDDEN';
  if (status === 404) return 'NOT_FOUND';
  if (status === 413 || status === 429) return 'LIMIT_EXCEEDED';
  return status >= 502 && status <= 504 ? 'PEER_UNAVAILABLE' : 'OTHER';
}

/** Any thrown thing as a problem. */
export const problemOf = (error: unknown): ProblemError =>
  error instanceof ProblemError ? error : new ProblemError('OTHER', null, null);

export function problemWords({ code }: ProblemError, words: Words): string {
  const known: Readonly<Record<string, string>> = words.problems;
  return Object.hasOwn(known, code) ? (known[code] ?? code) : `${words.problems.OTHER} (${code})`;
}
