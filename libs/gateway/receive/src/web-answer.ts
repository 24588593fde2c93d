/**
 * Answers of the web listener.
 * Decides their fixed words and headers, and how a connection ends whose request was not read to
 * its end: the peer gets the answer before the connection goes. Invariants: nothing of a request
 * is in an answer but UIDs of instances; an answer is written in pieces, at the pace of the peer.
 * Source: RFC 9110 15; RFC 9112 9.6 (lingering close); PS3.18 10.5.3.
 */
import type { ServerResponse } from 'node:http';
import { LIMITS, type Clock } from '@aifi/shared-kernel';

export const REFUSALS = {
  400: 'the request is no multipart/related body of DICOM objects',
  401: 'a credential is needed',
  403: 'this peer may not store',
  404: 'POST /studies and POST /studies/{study} are what there is',
  405: 'objects are stored here by POST',
  406: 'answers are application/dicom+json',
  413: 'the request has too many parts, or a part with too long a header',
  415: 'what is taken is multipart/related; type="application/dicom", without encoding',
  503: 'there is no room now: try again later',
} as const;
export type Refusal = keyof typeof REFUSALS;

/** Time after which a sender that found no room should try again. @unit s */
const RETRY_AFTER_S = 60;
const FURTHER_FIELDS: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  401: { 'www-authenticate': 'Bearer' },
  405: { allow: 'POST' },
  503: { 'retry-after': `${RETRY_AFTER_S}` },
};
const JSON_TYPE = 'application/dicom+json';

export interface Answer {
  readonly status: number;
  /** Of the instances of the request; absent: fixed words. */
  readonly json?: () => Iterable<string>;
}

/** What is read of a request that was answered early. */
export interface RequestRest {
  /** False when there is nothing more. */
  readonly next: () => Promise<boolean>;
}

/** Resolves when the answer is written, or the peer is gone. */
export async function writeAnswer(
  response: ServerResponse,
  { status, json }: Answer,
  rest: RequestRest | undefined,
  clock: Clock,
): Promise<void> {
  const pieces = json ?? (() => [`${REFUSALS[status as Refusal]}\n`]);
  let length = 0;
  for (const piece of pieces()) length += Buffer.byteLength(piece);
  response.writeHead(status, {
    'content-type': json ? JSON_TYPE : 'text/plain; charset=utf-8',
    'content-length': length,
    'cache-control': 'no-store',
    ...FURTHER_FIELDS[status],
    ...(rest && { connection: 'close' }),
  });
  for (const piece of pieces()) {
    if (response.destroyed) return;
    if (!response.write(piece)) await drained(response);
  }
  if (rest) await linger(rest, clock);
  response.end();
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}

/** Reads and drops what the peer still sends: unread bytes would reset the connection. */
async function linger(rest: RequestRest, clock: Clock): Promise<void> {
  const over = new AbortController();
  const read = async (): Promise<void> => {
    while (!over.signal.aborted && (await rest.next().catch(() => false)));
  };
  await Promise.race([read(), clock.sleep(LIMITS.socketGraceMs, over.signal)]);
  over.abort();
}
