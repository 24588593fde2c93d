/**
 * Join exchange: the token's secret and a certificate request to the hub, once.
 * Decides the order: first look who answers, without saying anything; only when the authority that
 * the token pins is among what is shown, dial again with that one as the only anchor, and ask.
 * Invariants: the secret goes to nobody else; an answer is bounded in size and time; after the
 * secret has left, a lost answer is told as such, because the token may be used up.
 * Source: docs/runbooks/link.md; RFC 9112.
 */
import { request, type IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { z } from 'zod';
import { AifiError, crashPoint } from '@aifi/shared-kernel';
import type { JoinToken } from './join-token.js';
import { linkFault, presentedOf } from './link-fault.js';
import { targetOf, type LinkSettings } from './link-settings.js';
import { dialHub, inspected, presentedChain } from './tls-dial.js';

/** The hub signs a certificate and writes a row: a moment. @unit ms */
const ANSWER_TIMEOUT_MS = 20_000;
/** @unit bytes */
const ANSWER_BYTES_MAX = 512 * 1024;
const pem = z.string().startsWith('-----BEGIN ');
const base64 = z.base64().transform((text) => Buffer.from(text, 'base64'));

const answerSchema = z.object({
  siteId: z.string(),
  gateway: z.int().positive(),
  certificate: pem,
  trustAnchors: z.array(pem).min(1).max(32),
  signingKeys: z.array(pem).min(1).max(8),
  configuration: z.object({ document: base64, signature: base64 }),
});
export type JoinAnswer = z.output<typeof answerSchema>;

export interface JoinExchangeOptions {
  readonly settings: LinkSettings;
  readonly token: JoinToken;
  /** PKCS #10, PEM. */
  readonly csr: string;
  readonly gatewayVersion: string;
  readonly signal?: AbortSignal;
}

/** Link fault or JOIN_REFUSED: the token is still good, or was before; JOIN_OUTCOME_UNKNOWN. */
export async function exchangeToken(options: JoinExchangeOptions): Promise<JoinAnswer> {
  const { settings, token, csr, gatewayVersion, signal } = options;
  const anchor = await pinnedAnchor(options);
  const socket = await dialHub({
    ...{ settings, protocol: 'aifi-join/1', ...(signal && { signal }) },
    credentials: { trustAnchors: [anchor] },
  });
  crashPoint('gateway.link.before-join-sent');
  try {
    const body = JSON.stringify({ secret: token.secret, csr, gatewayVersion });
    const { status, text } = await post(socket, targetOf(settings).serverName, body);
    crashPoint('gateway.link.after-join-answered');
    return answerOf(status, text);
  } finally {
    socket.destroy();
  }
}

/** The authority's certificate with the fingerprint of the token, PEM. */
async function pinnedAnchor({ settings, token, signal }: JoinExchangeOptions): Promise<string> {
  const options = { settings, protocol: 'aifi-join/1', ...(signal && { signal }) } as const;
  const chain = await presentedChain(options);
  const hasPin = (fingerprint: string): boolean =>
    fingerprint.replaceAll(':', '').toLowerCase() === token.ca;
  const anchor = chain.find(({ fingerprint256 }) => hasPin(fingerprint256));
  if (anchor) return pemOf(anchor.raw);
  const [shown] = chain;
  throw inspected(targetOf(settings), shown && presentedOf(shown));
}

const pemOf = (der: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${der
    .toString('base64')
    .replace(/(.{64})/g, '$1\n')
    .trimEnd()}\n-----END CERTIFICATE-----\n`;

interface Answer {
  readonly status: number;
  readonly text: string;
}
function post(socket: TLSSocket, host: string, body: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const lost = (error: unknown): void => reject(linkFault('JOIN_OUTCOME_UNKNOWN', {}, error));
    const outgoing = request({
      ...{ method: 'POST', path: '/join', createConnection: () => socket },
      headers: {
        ...{ host, 'content-type': 'application/json', connection: 'close' },
        'content-length': Buffer.byteLength(body),
      },
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
    outgoing.once('error', lost);
    outgoing.once('response', (response: IncomingMessage) => {
      readBounded(response).then(
        (text) => resolve({ status: response.statusCode ?? 0, text }),
        lost,
      );
    });
    outgoing.end(body);
  });
}

async function readBounded(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > ANSWER_BYTES_MAX) throw new AifiError('LIMIT_EXCEEDED', 'the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function answerOf(status: number, text: string): JoinAnswer {
  // Busy: it did not look at the token.
  if (status === 429 || status === 503) throw linkFault('PEER_UNAVAILABLE', { status });
  if (status >= 400 && status < 500) throw linkFault('JOIN_REFUSED', { status });
  if (status !== 200) throw linkFault('JOIN_OUTCOME_UNKNOWN', { status });
  const parsed = answerSchema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  throw new AifiError('UNTRUSTED', 'the answer of the hub does not have its form');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
