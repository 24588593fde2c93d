/**
 * The client of the REST interface, made from the route tables: `call(routes.study, { params })`.
 * Decides addresses, headers, repeats and that every answer is what its contract says.
 * Invariants: a POST carries the session's token and an idempotency key, the same one when it is
 * repeated; only what may be repeated is repeated; nothing is kept in the browser's storage.
 * Source: libs/contracts/rest; RFC 9110 9.2.2 (idempotent methods).
 */
import {
  CSRF_HEADER,
  IDEMPOTENCY_HEADER,
  type RouteContract,
  type RouteOutput,
} from '@aifi/contracts-rest';
import type { z } from 'zod';
import { ProblemError, problemOfAnswer } from './problem-error.js';

type Input<S> = S extends z.ZodType ? z.input<S> : never;
/** A part is asked for when the contract has it; a query whose values are all optional is too. */
type Part<K extends string, S> = [S] extends [z.ZodType]
  ? object extends Input<S>
    ? { readonly [P in K]?: Input<S> }
    : { readonly [P in K]: Input<S> }
  : object;
export type CallInput<R extends RouteContract> = Part<'params', R['params']> &
  Part<'query', R['query']> &
  Part<'body', R['body']>;

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Of the act, when the caller keeps it for a repeat; else a new one. */
  readonly idempotencyKey?: string | undefined;
}
export interface ApiOptions {
  readonly fetch: (address: string, init: RequestInit) => Promise<Response>;
  readonly csrfToken: () => string | undefined;
  readonly newKey: () => string;
  readonly sleep: (ms: number) => Promise<void>;
}
export type Call = <R extends RouteContract>(
  route: R,
  input: CallInput<R>,
  options?: CallOptions,
) => Promise<RouteOutput<R>>;

/** Waits between tries; as many tries more as there are waits. @unit ms */
const REPEAT_AFTER_MS = [300, 1_500];

interface AnyInput {
  readonly params?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
}

/** `/api/v1/studies/1.2.3?limit=50`; values that are undefined or '' are left out of the query. */
export function addressOf(path: string, { params = {}, query = {} }: AnyInput): string {
  const filled = path.replace(/:(\w+)/g, (_, name: string) => {
    const value = params[name];
    if (value === undefined) throw new Error(`the address needs ${name}`);
    return encodeURIComponent(String(value));
  });
  const entries = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  if (entries.length === 0) return filled;
  const search = new URLSearchParams(entries.map(([key, value]) => [key, String(value)]));
  return `${filled}?${search.toString()}`;
}

export function createCall(options: ApiOptions): Call {
  return async <R extends RouteContract>(
    route: R,
    input: CallInput<R>,
    { signal, idempotencyKey }: CallOptions = {},
  ) => {
    const address = addressOf(route.path, input);
    const init = initOf(route, input, { ...options, idempotencyKey });
    if (signal) init.signal = signal;
    const answer = await fetchWithRepeats(address, init, options);
    return parsed(route, answer);
  };
}

function initOf(
  { method }: RouteContract,
  { body }: AnyInput,
  { csrfToken, newKey, idempotencyKey }: ApiOptions & CallOptions,
): RequestInit {
  const headers: Record<string, string> = {
    accept: 'application/json, application/problem+json',
  };
  const init: RequestInit = { method, headers, credentials: 'same-origin', cache: 'no-store' };
  if (method !== 'POST') return init;
  const token = csrfToken();
  headers['content-type'] = 'application/json';
  headers[IDEMPOTENCY_HEADER] = idempotencyKey ?? newKey();
  if (token) headers[CSRF_HEADER] = token;
  return { ...init, body: JSON.stringify(body ?? {}) };
}

/** Repeats what did not arrive or met a server that is away: same key, so it happens once. */
async function fetchWithRepeats(
  address: string,
  init: RequestInit,
  { fetch, sleep }: ApiOptions,
): Promise<Response> {
  for (let tries = 0; ; tries += 1) {
    const waitMs = REPEAT_AFTER_MS[tries];
    const answer = await fetch(address, init).catch((error: unknown) => {
      if (init.signal?.aborted) throw error;
      return undefined;
    });
    if (answer && answer.status !== 503) return answer;
    if (waitMs === undefined) {
      if (answer) return answer;
      throw new ProblemError('OFFLINE', null, null);
    }
    await sleep(waitMs);
  }
}

async function parsed<R extends RouteContract>(
  { response }: R,
  answer: Response,
): Promise<RouteOutput<R>> {
  if (!answer.ok) throw await problemOfAnswer(answer);
  if (!response) return undefined as RouteOutput<R>;
  const body: unknown = await answer.json().catch(() => undefined);
  const result = response.safeParse(body);
  if (!result.success) throw new ProblemError('UNREADABLE', answer.status, null);
  return result.data as RouteOutput<R>;
}
