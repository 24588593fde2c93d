/**
 * The protocol `aifi-join/1`: one HTTP/1.1 exchange on a connection without a client certificate.
 * Decides what a stranger may send: one POST /join of at most 64 KiB JSON, thirty tries a minute
 * from one address. Invariants: an answer is fixed words and a code; one exchange for a connection.
 * Source: docs/adr/0021-enrolment.md; RFC 9112; RFC 9457.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { PROBLEM_CONTENT_TYPE, problemOf } from '@aifi/contracts-rest';
import { addressKey, LineQuota, type StrangerProtocol } from '@aifi/hub-link';
import { AifiError, type Clock } from '@aifi/shared-kernel';
import { AddressRate } from './address-rate.js';
import { joinRequestSchema, type JoinService } from './join-service.js';

export const JOIN_ALPN = 'aifi-join/1';
const BODY_BYTES_MAX = 64 * 1024;
const HEADER_BYTES_MAX = 8 * 1024;
/** @unit ms */
const EXCHANGE_MS_MAX = 10_000;
const CONNECTIONS_MAX = 32;
/** Nobody takes the places of all; a token is good for an hour. */
const PER_ADDRESS_MAX = 4;
/** A hospital group may have its gateways behind one address; no secret is found by trying. */
const TRIES = { tries: 30, windowMs: 60_000 };
/** RFC 6585 4: try again later; the token was not looked at. */
const TOO_MANY = 429;

export interface JoinProtocolOptions {
  readonly service: Pick<JoinService, 'join'>;
  readonly clock: Clock;
  /** Told of refusals, what cannot be answered to a stranger; of each code ten times a minute. */
  readonly onRefused: (fault: AifiError) => void;
}

export function createJoinProtocol(options: JoinProtocolOptions): StrangerProtocol {
  const rate = new AddressRate(options.clock, TRIES);
  const lines = new LineQuota(options.clock);
  const onRefused = (fault: AifiError): void => {
    if (lines.allows(fault.code)) options.onRefused(fault);
  };
  const server = createServer(
    { maxHeaderSize: HEADER_BYTES_MAX, keepAlive: false },
    (request, response) => void answer({ ...options, onRefused }, rate, { request, response }),
  );
  server.maxRequestsPerSocket = 1;
  return {
    alpn: JOIN_ALPN,
    timeoutMs: EXCHANGE_MS_MAX,
    connectionsMax: CONNECTIONS_MAX,
    perAddressMax: PER_ADDRESS_MAX,
    acceptStranger: (socket) => void server.emit('connection', socket),
  };
}

async function answer(
  { service, onRefused }: JoinProtocolOptions,
  rate: AddressRate,
  { request, response }: { request: IncomingMessage; response: ServerResponse },
): Promise<void> {
  try {
    const address = request.socket.remoteAddress ?? '';
    if (!rate.allows(addressKey(address))) {
      onRefused(new AifiError('LIMIT_EXCEEDED', 'too many tries of one address'));
      return send(response, TOO_MANY, { code: 'LIMIT_EXCEEDED' });
    }
    if (request.method !== 'POST' || request.url !== '/join') {
      throw new AifiError('NOT_FOUND', 'there is no such address');
    }
    const parsed = joinRequestSchema.safeParse(jsonOf(await bodyOf(request)));
    if (!parsed.success) throw new AifiError('INVALID_ARGUMENT', 'the request does not match');
    send(response, 200, await service.join(parsed.data, address));
  } catch (error) {
    const fault = AifiError.from(error);
    onRefused(fault);
    send(response, fault.httpStatus, problemOf(fault));
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > BODY_BYTES_MAX) throw new AifiError('LIMIT_EXCEEDED', 'the request is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  const type = status === 200 ? 'application/json' : PROBLEM_CONTENT_TYPE;
  const text = JSON.stringify(body);
  const length = Buffer.byteLength(text);
  response.writeHead(status, {
    ...{ 'content-type': type, 'content-length': length, 'cache-control': 'no-store' },
    connection: 'close',
  });
  response.end(text);
}
