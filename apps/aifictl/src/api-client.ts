/**
 * ApiClient: one question to one service over HTTP.
 * Decides what an answer is: a document of the contract, "not there", or why there is none, in
 * words that say what to do. Invariants: a service that hangs costs ten seconds; an answer of
 * another shape is no answer; a redirect is not followed, so that no token goes elsewhere.
 * Source: RFC 9457 (problem+json); RFC 9470 (step-up).
 */
import type { z } from 'zod';
import { IDEMPOTENCY_HEADER, problemSchema } from '@aifi/contracts-rest';

/** @unit ms */
const TIMEOUT_MS = 10_000;

export type Answer<T> =
  | { readonly kind: 'found'; readonly document: T }
  | { readonly kind: 'absent' }
  /** In plain words, for the reader. */
  | { readonly kind: 'unreachable'; readonly why: string };

interface Address {
  readonly url: string;
  /** Without a slash before it. */
  readonly path: string;
}

/** GET `<url>/<path>` as a document of `schema`. */
export function ask<S extends z.ZodType>(
  fetcher: typeof fetch,
  address: Address,
  schema: S,
): Promise<Answer<z.output<S>>> {
  return exchange(fetcher, address, schema, {});
}

interface Order {
  readonly body: object;
  readonly key: string;
  /** @unit ms @default 10000 */
  readonly timeoutMs?: number;
}
/** POST `body`; `key` makes it safe to repeat. */
export function tell<S extends z.ZodType>(
  fetcher: typeof fetch,
  address: Address,
  { body, key, timeoutMs = TIMEOUT_MS }: Order,
  schema: S,
): Promise<Answer<z.output<S>>> {
  const headers = { 'content-type': 'application/json', [IDEMPOTENCY_HEADER]: key };
  const signal = AbortSignal.timeout(timeoutMs);
  const order = { method: 'POST', headers, body: JSON.stringify(body), signal };
  return exchange(fetcher, address, schema, order);
}

async function exchange<S extends z.ZodType>(
  fetcher: typeof fetch,
  { url, path }: Address,
  schema: S,
  order: { readonly headers?: Record<string, string> } & RequestInit,
): Promise<Answer<z.output<S>>> {
  try {
    const response = await fetcher(`${url}/${path}`, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...order,
      redirect: 'error',
      headers: { ...order.headers, accept: 'application/json' },
    });
    if (response.status === 404) return { kind: 'absent' };
    if (!response.ok) return { kind: 'unreachable', why: await refusalOf(response) };
    const parsed = schema.safeParse(await response.json());
    if (parsed.success) return { kind: 'found', document: parsed.data };
    return { kind: 'unreachable', why: 'answers, but not as this version of aifictl expects' };
  } catch {
    return { kind: 'unreachable', why: 'does not answer' };
  }
}

const NO_BODY = { code: undefined, title: undefined };
const WORDS: Readonly<Record<string, string>> = {
  UNAUTHENTICATED: 'asks who you are: sign in with aifictl login',
  STEP_UP_REQUIRED: 'asks for a fresh sign-in first: aifictl login --step-up',
  FORBIDDEN: 'refuses: no role of yours allows this',
  APPROVAL_REQUIRED: 'wants a second person to agree first: aifictl approvals request',
};

/** Why a server says no. */
export async function refusalOf(response: Response): Promise<string> {
  const body: unknown = await response.json().catch(() => undefined);
  const { code, title } = problemSchema.safeParse(body).data ?? NO_BODY;
  if (code !== undefined && Object.hasOwn(WORDS, code)) return WORDS[code]!;
  if (response.status === 401) return WORDS['UNAUTHENTICATED']!;
  if (response.status === 403) return WORDS['FORBIDDEN']!;
  const isOurs = title !== undefined && response.status < 500;
  return isOurs ? `refuses: ${title}` : `answers with HTTP ${response.status}`;
}

/** Query of an address; what is undefined is left out. */
export function query(values: Readonly<Record<string, string | number | undefined>>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) search.set(name, String(value));
  }
  return search.size === 0 ? '' : `?${search.toString()}`;
}

interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}
/** Pages of a list, until `limit` items are there; `path` without a query. */
export async function askPages<T>(
  fetcher: typeof fetch,
  { url, path }: Address,
  schema: z.ZodType<Page<T>>,
  filter: { readonly limit: number } & Readonly<Record<string, string | number | undefined>>,
): Promise<Answer<Page<T>>> {
  const items: T[] = [];
  let cursor: string | undefined;
  for (;;) {
    const limit = Math.min(PAGE, filter.limit - items.length);
    const address = { url, path: `${path}${query({ ...filter, limit, cursor })}` };
    const page = await ask(fetcher, address, schema);
    if (page.kind !== 'found') return page;
    items.push(...page.document.items);
    const { nextCursor } = page.document;
    if (nextCursor === null || items.length >= filter.limit) {
      return { kind: 'found', document: { items, nextCursor } };
    }
    cursor = nextCursor;
  }
}
/** Items of one request; the contract allows PAGE_LIMIT_MAX. */
const PAGE = 100;
