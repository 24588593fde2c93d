/**
 * ServerClient: one server of a stack (hub or gateway) as a script sees it, signed in as the client
 * `automation` of the server's own OpenID provider.
 * Decides when a token is fetched anew: shortly before its end, and once after a refusal, because a
 * provider that was killed comes back with other keys.
 * Invariants: the secret is read from its file, so it is in no command line; nothing is printed.
 * Source: RFC 6749 4.4 (client credentials), RFC 6750, RFC 8414.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { PAGE_LIMIT_MAX } from '@aifi/contracts-rest';
import { AifiError, systemClock } from '@aifi/shared-kernel';

export interface ServerOptions {
  /** Origin of pages and interface, as a browser names it. */
  readonly url: string;
  /** Origin of its OpenID provider. */
  readonly issuer: string;
  /** Secret of the client `automation`. */
  readonly secretFile: string;
}

/** Longest wait for an answer of a process on this machine. @unit ms */
const ANSWER_MS_MAX = 5_000;
/** A token that ends sooner is not used any more. @unit ms */
const LEEWAY_MS = 20_000;

interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}
const providerSchema = z.object({ token_endpoint: z.url() });
const tokenSchema = z.object({ access_token: z.string(), expires_in: z.number().positive() });

export class ServerClient {
  readonly url: string;
  readonly issuer: string;
  readonly #secretFile: string;
  #token: Promise<{ readonly value: string; readonly untilMs: number }> | undefined;

  constructor({ url, issuer, secretFile }: ServerOptions) {
    this.url = url;
    this.issuer = issuer;
    this.#secretFile = secretFile;
  }

  /** Bearer token of the client `automation`, good for some seconds at least. */
  async token(): Promise<string> {
    const held = this.#token;
    const isGood = await held?.then(
      ({ untilMs }) => systemClock.monotonicMs() < untilMs,
      () => false,
    );
    // Who comes first fetches; others who found the same old token wait for that one.
    if (!isGood && this.#token === held) this.#token = this.#fetchToken();
    return (await this.#token!).value;
  }

  /** GET as `automation`. PEER_UNAVAILABLE when nobody answers; any status is an answer. */
  async get(path: string): Promise<Response> {
    const response = await this.#getAs(await this.token(), path);
    if (response.status !== 401) return response;
    await response.body?.cancel();
    this.#token = undefined;
    return this.#getAs(await this.token(), path);
  }

  /** GET of a document of the contract. */
  async read<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S>> {
    return parsed(await this.get(path), schema);
  }

  /** Every item of a list of the contract, page by page. */
  async list<T>(path: string, page: z.ZodType<Page<T>>): Promise<T[]> {
    const items: T[] = [];
    let cursor: string | null = null;
    do {
      const after: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const found = await this.read(`${path}?limit=${PAGE_LIMIT_MAX}${after}`, page);
      items.push(...found.items);
      cursor = found.nextCursor;
    } while (cursor !== null);
    return items;
  }

  #getAs(token: string, path: string): Promise<Response> {
    return request(`${this.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
  }

  async #fetchToken(): Promise<{ value: string; untilMs: number }> {
    const discovery = `${this.issuer}/.well-known/openid-configuration`;
    const provider = await parsed(await request(discovery), providerSchema);
    const secret = readFileSync(this.#secretFile, 'utf8').trim();
    const basic = Buffer.from(`automation:${encodeURIComponent(secret)}`).toString('base64');
    const askedAtMs = systemClock.monotonicMs();
    const response = await request(provider.token_endpoint, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    const { access_token, expires_in } = await parsed(response, tokenSchema);
    return { value: access_token, untilMs: askedAtMs + expires_in * 1_000 - LEEWAY_MS };
  }
}

async function request(url: string, init: RequestInit = {}): Promise<Response> {
  try {
    return await fetch(url, { ...init, signal: AbortSignal.timeout(ANSWER_MS_MAX) });
  } catch (error) {
    throw new AifiError('PEER_UNAVAILABLE', 'a server of the stack does not answer', {
      cause: error,
    });
  }
}

async function parsed<S extends z.ZodType>(response: Response, schema: S): Promise<z.output<S>> {
  const { status } = response;
  if (!response.ok) {
    await response.body?.cancel();
    if (status === 404) throw new AifiError('NOT_FOUND', 'the server does not know it');
    // While it starts or stops, a server may answer that it cannot.
    const code = status >= 500 ? 'PEER_UNAVAILABLE' : 'PEER_REFUSED';
    throw new AifiError(code, `a server of the stack answers with HTTP ${status}`);
  }
  let document: unknown;
  try {
    document = await response.json();
  } catch (error) {
    throw new AifiError('PEER_UNAVAILABLE', 'an answer was cut short', { cause: error });
  }
  return schema.parse(document);
}
