/**
 * Bounded fetch: the only way in which sign-in talks to the OpenID provider.
 * Decides how long an answer may take and how large it may be, and that plain HTTP never leaves
 * this machine. Invariant: no redirect is followed, so an address is what the metadata named.
 * Source: security specification 7 (V12 no fallback, V15 resource limits).
 */
import { AifiError } from '@aifi/shared-kernel';

/** A provider that needs longer is away. [policy] @unit ms */
const PROVIDER_TIMEOUT_MS = 5_000;
/** Metadata, key sets and tokens of real providers stay under 64 KiB. @unit bytes */
const ANSWER_BYTES_MAX = 256 * 1024;
const LOOPBACK = /^(localhost|[\w-]+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/;

export type Fetch = (address: string, init: RequestInit) => Promise<Response>;

export const isLoopback = ({ hostname }: URL): boolean => LOOPBACK.test(hostname);
/** HTTPS, or HTTP that stays on this machine. */
export const isConfidential = (address: URL): boolean =>
  address.protocol === 'https:' || (address.protocol === 'http:' && isLoopback(address));

export function boundedFetch(inner: Fetch): Fetch {
  return async (address, init) => {
    if (!isConfidential(new URL(address))) {
      throw new AifiError('UNTRUSTED', 'the provider is only read over HTTPS');
    }
    const signals = [init.signal, AbortSignal.timeout(PROVIDER_TIMEOUT_MS)];
    const response = await inner(address, {
      ...init,
      redirect: 'manual',
      signal: AbortSignal.any(signals.filter((signal) => signal instanceof AbortSignal)),
    });
    const body = await bytesOf(response);
    const headers: Record<string, string> = {};
    // Only what the protocol reads: the body is decoded already, its encoding headers are not true.
    for (const name of ['content-type', 'www-authenticate']) {
      const value = response.headers.get(name);
      if (value !== null) headers[name] = value;
    }
    return new Response(body, { status: response.status, headers });
  };
}

/** Null where a response has no body, as statuses 204 and 304 demand. */
async function bytesOf(response: Response): Promise<Uint8Array<ArrayBuffer> | null> {
  if (!response.body) return null;
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    sizeBytes += chunk.byteLength;
    // Leaving the loop cancels the rest of the body.
    if (sizeBytes > ANSWER_BYTES_MAX) {
      throw new AifiError('LIMIT_EXCEEDED', 'an answer of the provider is too large');
    }
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
