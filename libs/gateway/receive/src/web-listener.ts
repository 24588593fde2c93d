/**
 * WebListener: the sockets of the STOW-RS server between their arrival and their end.
 * Decides who gets a connection, how long a peer may take to say what it wants, and who a request
 * is from: by certificate, credential or address on the ports of the hospital, by header on the
 * private socket, which only this user of the machine can open. Invariants: every socket has a
 * timer while no request is in hand; no other path, method or protocol is answered.
 * Source: PS3.18 8 and 10.5; PS3.15 B.13 (BCP 195, RFC 9325); reliability specification F3, F4.
 */
import { constants } from 'node:crypto';
import { createServer as createHttp, type IncomingMessage, type Server as Http } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { TLS_CIPHERS, type RefusalListener, type ScpTls } from '@aifi/dicom-dimse';
import { AifiError, LIMITS, type Clock } from '@aifi/shared-kernel';
import { OutcomeRoom } from './outcome-room.js';
import { privateOriginOf } from './private-origin.js';
import type { SpoolStoreHandler } from './spool-store-handler.js';
import { webCallerOf, type WebCaller, type WebPeer } from './web-caller.js';
import { WebRequest, type Admission } from './web-request.js';

export interface WebListenerOptions {
  readonly handler: Pick<SpoolStoreHandler, 'begin' | 'isOpenTo'>;
  readonly callers: readonly WebCaller[];
  readonly onRefusal: RefusalListener;
  readonly clock: Clock;
}
/** @unit bytes */
const HEADER_BYTES_MAX = 16 * 1024;
const PRIVATE = 'private socket';
const BAD_REQUEST = 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';

interface OpenSocket {
  readonly address: string;
  readonly socket: Socket;
  /** A request begins: the timer of a peer that says nothing stops. */
  begun(): void;
  /** It is over: without another one in hand the timer starts anew. */
  over(): void;
}
/** Names a connection while it is open; those of the private socket have no name. */
const nameOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;
const addressOf = (socket: Socket): string => (socket.remoteAddress ?? '').replace(/^::ffff:/, '');

export class WebListener {
  readonly #servers: Server[] = [];
  readonly #open = new Set<OpenSocket>();
  /** By the socket that speaks HTTP: for TLS that is not the one which was accepted. */
  readonly #bySocket = new WeakMap<Socket, OpenSocket>();
  readonly #byName = new Map<string, OpenSocket>();
  readonly #requests = new Set<Promise<void>>();
  readonly #room = new OutcomeRoom();
  #isClosing = false;

  constructor(private readonly options: WebListenerOptions) {}

  /** The port that was taken. CONFIG_INVALID when it cannot be. */
  async listenPlain(host: string, port: number): Promise<number> {
    const http = createHttp(SETTINGS);
    this.#serve(http, (request) => this.#admitPeer(request));
    const server = await this.#listen({ host, port }, (socket) => this.#accept(socket, http));
    return (server.address() as AddressInfo).port;
  }

  /** As above, with TLS. Who has a credential in place of a certificate need not show one. */
  async listenTls(host: string, tls: ScpTls): Promise<number> {
    const isCertificateNeeded = this.options.callers.every(({ tokenSha256 }) => !tokenSha256);
    const http = httpsServer(tls, isCertificateNeeded);
    this.#serve(http, (request) => this.#admitPeer(request));
    http.on('secureConnection', (secured: TLSSocket) => {
      const known = this.#byName.get(nameOf(secured));
      if (known) this.#bySocket.set(secured, known);
      else secured.destroy();
    });
    http.on('tlsClientError', (_error, socket) => {
      this.#report('UNTRUSTED');
      socket.destroy();
    });
    const server = await this.#listen({ host, port: tls.port }, (socket) =>
      this.#accept(socket, http),
    );
    return (server.address() as AddressInfo).port;
  }

  /** For the gateway's own parts; nobody but this user may open it. */
  async listenPrivate(path: string): Promise<void> {
    const http = createHttp(SETTINGS);
    this.#serve(http, privateOriginOf);
    const before = process.umask(0o177);
    try {
      await this.#listen({ path }, (socket) => this.#accept(socket, http, PRIVATE));
    } finally {
      process.umask(before);
    }
  }

  /** Stops listening and destroys what is open; sinks are aborted before it resolves. */
  async close(): Promise<void> {
    this.#isClosing = true;
    const closed = this.#servers.map((server) => new Promise((done) => server.close(done)));
    for (const { socket } of this.#open) socket.destroy();
    await Promise.all([...closed, ...this.#requests]);
  }

  #serve(http: Http, admit: (request: IncomingMessage) => Admission): void {
    const { handler, clock } = this.options;
    const onRefusal: RefusalListener = (refusal) => {
      if (!this.#isClosing) this.options.onRefusal(refusal);
    };
    const room = this.#room;
    const handle: Parameters<typeof createHttp>[1] = (request, response) => {
      const known = this.#bySocket.get(request.socket);
      known?.begun();
      const run = new WebRequest(request, response, { handler, admit, onRefusal, room, clock })
        .run()
        .then(() => {
          known?.over();
          this.#requests.delete(run);
        });
      this.#requests.add(run);
    };
    http.on('request', handle).on('checkContinue', handle);
    http.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      // That a peer is gone is told by its request.
      const isGone = error.code === 'ECONNRESET' || error.code === 'HPE_INVALID_EOF_STATE';
      if (!isGone) this.#report('INVALID_ARGUMENT');
      if (socket.writable) socket.end(BAD_REQUEST);
      else socket.destroy();
    });
  }

  #accept(socket: Socket, http: Http, address = addressOf(socket)): void {
    let ofPeer = 0;
    for (const other of this.#open) if (other.address === address) ofPeer += 1;
    const isFull = ofPeer >= LIMITS.associationsPerPeerMax;
    socket.on('error', () => undefined);
    if (this.#isClosing || isFull || this.#open.size >= LIMITS.associationsMax) {
      this.#report('LIMIT_EXCEEDED');
      socket.destroy();
      return;
    }
    const open = this.#opened(socket, address);
    const name = nameOf(socket);
    this.#open.add(open);
    this.#bySocket.set(socket, open);
    if (address !== PRIVATE) this.#byName.set(name, open);
    socket.once('close', () => {
      open.begun();
      this.#open.delete(open);
      if (this.#byName.get(name) === open) this.#byName.delete(name);
    });
    http.emit('connection', socket);
  }
  #opened(socket: Socket, address: string): OpenSocket {
    let [inHand, timer] = [1, new AbortController()];
    const begun = (): void => {
      inHand += 1;
      timer.abort();
    };
    const over = (): void => {
      inHand -= 1;
      if (inHand > 0 || socket.destroyed) return;
      const own = (timer = new AbortController());
      void this.options.clock.sleep(LIMITS.artimMs, own.signal).then(() => {
        if (!own.signal.aborted) socket.destroy();
      });
    };
    over();
    return { address, socket, begun, over };
  }

  #admitPeer(request: IncomingMessage): Admission {
    const peer = peerOf(request.socket);
    const { callers } = this.options;
    const caller = webCallerOf(callers, peer, request.headers.authorization);
    if (!caller) {
      return { refusal: callers.some(({ tokenSha256 }) => tokenSha256) ? 401 : 403 };
    }
    const { name, lane } = caller;
    const { address: peerAddress } = peer;
    return { callingAeTitle: name, calledAeTitle: '', peerAddress, way: 'web', lane };
  }

  async #listen(
    at: { readonly host: string; readonly port: number } | { readonly path: string },
    accept: (socket: Socket) => void,
  ): Promise<Server> {
    const server = createServer({ noDelay: true }, accept);
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) =>
        reject(new AifiError('CONFIG_INVALID', 'the web listener cannot be opened', { cause })),
      );
      server.listen(at, resolve);
    });
    this.#servers.push(server);
    return server;
  }
  #report(code: 'INVALID_ARGUMENT' | 'LIMIT_EXCEEDED' | 'UNTRUSTED'): void {
    if (this.#isClosing) return;
    this.options.onRefusal({ what: 'association', code, callingAeTitle: '' });
  }
}

/** Times are kept by our own clock: those of the library are off. */
const SETTINGS = {
  maxHeaderSize: HEADER_BYTES_MAX,
  headersTimeout: 0,
  requestTimeout: 0,
  keepAliveTimeout: 0,
  insecureHTTPParser: false,
};

function httpsServer({ certificate, key, ca }: ScpTls, isCertificateNeeded: boolean) {
  try {
    return createHttps({
      ...SETTINGS,
      ...{ cert: certificate, key, ca },
      requestCert: true,
      rejectUnauthorized: isCertificateNeeded,
      minVersion: 'TLSv1.2',
      ciphers: TLS_CIPHERS,
      honorCipherOrder: true,
      secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
    });
  } catch (cause) {
    throw new AifiError('CONFIG_INVALID', 'the TLS files of the web listener do not fit', {
      cause,
    });
  }
}

/** A certificate that our authority did not sign counts as none. */
function peerOf(socket: Socket): WebPeer {
  const address = addressOf(socket);
  if (!isTls(socket)) return { address, isTls: false, certificateSha256: undefined };
  const fingerprint = socket.authorized ? socket.getPeerX509Certificate()?.fingerprint256 : '';
  const certificateSha256 = fingerprint?.replaceAll(':', '').toLowerCase() || undefined;
  return { address, isTls: true, certificateSha256 };
}
const isTls = (socket: Socket): socket is TLSSocket => 'authorized' in socket;
