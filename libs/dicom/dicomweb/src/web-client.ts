/**
 * WebClient: one HTTP request to the configured service, and its answer.
 * Decides what is sent with each request and when a peer is given up. Invariants: the origin is the
 * configured one, whatever an answer says; a body streams and is never whole in memory; an answer
 * is bounded in size and time; over TLS both names are checked.
 * Source: RFC 9110, RFC 9112; PS3.18 8; BCP 195 (RFC 9325); reliability specification F6.
 */
import { request as requestHttp, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import {
  connectionFault,
  PeerNonsense,
  RequestDeadline,
  serverIdentity,
  TLS_CIPHERS,
  type DeadlineLimits,
} from '@aifi/dicom-dimse';
import { AifiError, LIMITS, type Clock } from '@aifi/shared-kernel';

/** Certificates in PEM. */
export interface DicomWebTls {
  /** Who signs the certificate of the PACS. */
  readonly ca: Buffer;
  /** Ours, where the PACS asks for one. */
  readonly certificate?: Buffer | undefined;
  readonly key?: Buffer | undefined;
  /** Name in the certificate of the PACS. @default the host of the URL */
  readonly serverName?: string | undefined;
}
export interface WebClientOptions {
  /** Where the service begins, such as https://pacs.example/dicom-web. */
  readonly baseUrl: string;
  /** Needed for https. */
  readonly tls?: DicomWebTls | undefined;
  /** Allows http. @default false */
  readonly plain?: boolean | undefined;
  /** Value of the Authorization header, asked for before each request; never logged. */
  readonly authorization?: (() => string | Promise<string>) | undefined;
  readonly clock: Clock;
}
export interface WebRequest {
  readonly method: 'GET' | 'POST';
  /** Below the base URL; begins with a slash. */
  readonly path: string;
  readonly accept: string;
  readonly contentType?: string;
  readonly body?: AsyncIterable<Uint8Array>;
  /** Known length of the body; without it the body is sent chunked. @unit bytes */
  readonly bodyBytes?: number | undefined;
}
export interface WebAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/** Takes the body of an answer as it comes. */
export interface BodyReader {
  /** Called once, before the first byte; may throw for another type than was asked for. */
  begin(contentType: string): void;
  take(chunk: Buffer): Promise<void>;
  /** The body is whole. */
  end(): void;
}

/** Answer of a PACS to what we ask: one study or one instance. @unit bytes */
const ANSWER_BYTES_MAX = LIMITS.headerValueBytesMax;
/** @unit bytes */
const HEADER_BYTES_MAX = 16 * 1024;
/** A service may put away what it was sent this slowly before its answer is due. */
const DIGEST_BYTES_PER_MS = 10_000;

/** The body could not be read: a fault of ours, whatever the peer did. */
class SourceFault {
  constructor(readonly error: unknown) {}
}

export class WebClient {
  readonly #base: URL;

  constructor(private readonly options: WebClientOptions) {
    this.#base = parseBase(options);
  }

  /** The answer, whatever its status; PEER_UNAVAILABLE, UNTRUSTED or DEADLINE_EXCEEDED. */
  ask(request: WebRequest, limits: DeadlineLimits): Promise<WebAnswer> {
    return this.#exchange(request, limits);
  }

  /**
   * As ask(), but the body of a 200 goes to `reader`, which is bounded by the deadline alone; what
   * `reader` throws is thrown as it is. The end of `signal` ends it.
   */
  async read(
    request: WebRequest,
    limits: DeadlineLimits,
    { reader, signal }: { readonly reader: BodyReader; readonly signal: AbortSignal },
  ): Promise<WebAnswer> {
    return this.#exchange(request, limits, { reader, signal });
  }

  async #exchange(
    request: WebRequest,
    limits: DeadlineLimits,
    reading?: { readonly reader: BodyReader; readonly signal: AbortSignal },
  ): Promise<WebAnswer> {
    const authorization = await this.options.authorization?.();
    const sent = this.#open(request, authorization);
    const deadline = new RequestDeadline(this.options.clock, limits);
    const exchange = new Exchange(sent, deadline);
    const onAbort = (): void => void sent.destroy();
    reading?.signal.addEventListener('abort', onAbort, { once: true });
    if (reading?.signal.aborted) onAbort();
    try {
      const run = exchange.run(request.body, reading?.reader);
      return await Promise.race([run, deadline.passed]);
    } catch (error) {
      throw error instanceof SourceFault ? error.error : error;
    } finally {
      reading?.signal.removeEventListener('abort', onAbort);
      deadline.stop();
      sent.destroy();
    }
  }

  #open(request: WebRequest, authorization: string | undefined): ClientRequest {
    const { protocol, hostname, port, pathname } = this.#base;
    const { method, path, accept, contentType, bodyBytes } = request;
    const host = hostname.replace(/^\[|\]$/g, '');
    const options = {
      ...{ host, port, method, path: `${pathname.replace(/\/$/, '')}${path}` },
      // A connection of its own: nothing of an earlier answer can be left in it.
      agent: false as const,
      maxHeaderSize: HEADER_BYTES_MAX,
      headers: {
        accept,
        ...(authorization === undefined ? {} : { authorization }),
        ...(contentType === undefined ? {} : { 'content-type': contentType }),
        ...(bodyBytes === undefined ? {} : { 'content-length': bodyBytes }),
      },
    };
    try {
      if (protocol === 'http:') return requestHttp(options);
      const { ca, certificate, key, serverName } = this.options.tls!;
      return requestHttps({
        ...options,
        ca,
        ...(certificate && key ? { cert: certificate, key } : {}),
        minVersion: 'TLSv1.2',
        ciphers: TLS_CIPHERS,
        ...serverIdentity(serverName ?? host),
      });
    } catch (cause) {
      // A key that does not parse, or a credential with a line break in it.
      throw new AifiError('CONFIG_INVALID', 'certificate, key or credential is unusable', {
        cause,
      });
    }
  }
}

function parseBase({ baseUrl, tls, plain }: WebClientOptions): URL {
  const base = URL.parse(baseUrl);
  const isHttps = base?.protocol === 'https:' && tls !== undefined;
  const isHttp = base?.protocol === 'http:' && plain === true && tls === undefined;
  const isBare = base && !base.username && !base.password && !base.search && !base.hash;
  if ((tls?.certificate === undefined) !== (tls?.key === undefined)) {
    throw new AifiError('CONFIG_INVALID', 'a client certificate needs its key');
  }
  if (!isBare || !(isHttps || isHttp)) {
    throw new AifiError('CONFIG_INVALID', 'DICOMweb URL: https with tls, or http where plain');
  }
  return base;
}

class Exchange {
  readonly #answered: Promise<IncomingMessage>;
  #response: IncomingMessage | undefined;

  constructor(
    private readonly sent: ClientRequest,
    private readonly deadline: RequestDeadline,
  ) {
    this.#answered = new Promise((resolve, reject) => {
      sent.on('response', (response) => {
        this.#response = response;
        resolve(response);
      });
      sent.on('error', (error) => reject(this.#fault(error)));
      sent.on('close', () => reject(this.#fault()));
    });
    // It may be over before anybody asks.
    this.#answered.catch(() => undefined);
  }

  async run(
    body: AsyncIterable<Uint8Array> | undefined,
    reader: BodyReader | undefined,
  ): Promise<WebAnswer> {
    if (body) await this.#upload(body);
    else this.sent.end();
    const response = await this.#answered;
    this.deadline.progress();
    if (response.headers['content-encoding'] !== undefined) throw nonsense('encoded answer');
    const status = response.statusCode ?? 0;
    if (!reader || status !== 200) return { status, body: await this.#whole(response) };
    reader.begin(response.headers['content-type'] ?? '');
    await this.#each(response, async (chunk) => {
      await reader.take(chunk).catch((error: unknown) => {
        throw new SourceFault(error);
      });
    });
    reader.end();
    return { status, body: Buffer.alloc(0) };
  }

  async #whole(response: IncomingMessage): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    await this.#each(response, (chunk) => {
      bytes += chunk.length;
      if (bytes > ANSWER_BYTES_MAX) throw nonsense('answer is too long');
      chunks.push(chunk);
    });
    return Buffer.concat(chunks);
  }

  async #each(
    response: IncomingMessage,
    take: (chunk: Buffer) => void | Promise<void>,
  ): Promise<void> {
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        this.deadline.progress();
        await take(chunk);
        // What we did with it is no silence of the service.
        this.deadline.progress();
      }
    } catch (error) {
      const isTold = error instanceof AifiError || error instanceof SourceFault;
      throw isTold ? error : this.#fault(error);
    }
  }

  /** Stops early when the service has answered or gone: it reads no further. */
  async #upload(body: AsyncIterable<Uint8Array>): Promise<void> {
    let sentBytes = 0;
    try {
      for await (const chunk of body) {
        if (this.#response || this.sent.destroyed) return;
        if (!this.sent.write(chunk)) await this.#room();
        this.deadline.progress();
        sentBytes += chunk.length;
      }
    } catch (error) {
      throw new SourceFault(error);
    }
    this.sent.end();
    this.deadline.extend(sentBytes / DIGEST_BYTES_PER_MS);
  }
  #room(): Promise<void> {
    const events = ['drain', 'response', 'close'] as const;
    return new Promise((resolve) => {
      const done = (): void => {
        for (const event of events) this.sent.off(event, done);
        resolve();
      };
      for (const event of events) this.sent.on(event, done);
    });
  }
  #fault(error?: unknown): AifiError {
    const { socket } = this.sent;
    const phase = this.#response ? 'answer' : socket?.remoteAddress ? 'request' : 'connect';
    return connectionFault(socket, phase, error);
  }
}

export function nonsense(what: string): AifiError {
  const cause = new PeerNonsense(what);
  return new AifiError('PEER_UNAVAILABLE', 'the DICOMweb service does not answer', { cause });
}
