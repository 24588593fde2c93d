/**
 * LinkFront: the one port of the hub for gateways; it ends TLS and knows who is there.
 * Decides who gets in (certificate, records, room) and hands the socket on by ALPN; looks every few
 * seconds whether those inside still may, and whether its own certificate or anchors have changed.
 * Invariants: nothing reaches a protocol before its peer is known, except strangers where a
 * protocol says so; a certificate that holds no longer has no connection a minute later.
 * Source: reliability specification C1; security specification 4; RFC 7301.
 */
import { createServer as createNetServer, type AddressInfo, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server, type TLSSocket } from 'node:tls';
import { AifiError, sha256Hex, type Clock } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import { addressKey } from './address-key.js';
import {
  ConnectionBook,
  enterAll,
  LINK_LIMITS,
  type Leave,
  type LinkLimits,
} from './connection-book.js';
import { GRPC_ALPN, refuseCalls } from './grpc-protocol.js';
import { LineQuota } from './line-quota.js';
import type { LinkMeter } from './link-meter.js';
import {
  isForStrangers,
  type AnyProtocol,
  type LinkProtocol,
  type StrangerProtocol,
} from './link-protocol.js';
import type { Admission, LinkTrust, ServerIdentity } from './link-trust.js';
import { secureContextOf } from './tls-settings.js';

/** TLS handshake. @unit ms */
const HANDSHAKE_MS_MAX = 5_000;
/** Between two looks at revocations, anchors and the own certificate. @unit ms */
export const REFRESH_MS = 5_000;
/** A look that takes longer has failed. @unit ms */
const LOOK_MS_MAX = 10_000;
/**
 * Without a look that succeeded for so long, every connection ends: with the look in hand that is
 * still within the minute in which a revocation has to work. @unit ms
 */
const BLIND_MS_MAX = 40_000;

export interface LinkFrontOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly meter: LinkMeter;
  readonly trust: LinkTrust;
  /** Read again at each look, so that a renewed certificate is taken up. */
  readonly readIdentity: () => ServerIdentity;
  readonly protocols: readonly AnyProtocol[];
  readonly limits?: LinkLimits;
}

export class LinkFront {
  readonly #protocols: ReadonlyMap<string, AnyProtocol>;
  readonly #book: ConnectionBook;
  readonly #open = new Map<Admission, TLSSocket>();
  readonly #sockets = new Set<Socket>();
  readonly #stopping = new AbortController();
  readonly #net = createNetServer((socket) => this.#onConnection(socket));
  #tls: Server | undefined;
  #contextDigest = '';
  #lookedAtMs = 0;
  readonly #strangers = new Map<string, number>();
  /** Of connections that nobody has let in yet, by the names of their sockets. */
  readonly #handshakes = new Map<string, Leave>();
  readonly #lines: LineQuota;

  constructor(private readonly options: LinkFrontOptions) {
    this.#protocols = new Map(options.protocols.map((protocol) => [protocol.alpn, protocol]));
    this.#book = new ConnectionBook(options.limits ?? LINK_LIMITS);
    this.#lines = new LineQuota(options.clock);
  }

  /** Connections, those in their handshake included. */
  get connectionCount(): number {
    return this.#sockets.size;
  }

  /** The port that it listens on; CONFIG_INVALID when port or certificate cannot be used. */
  async start({ host, port }: { readonly host: string; readonly port: number }): Promise<number> {
    const { clock, readIdentity, trust } = this.options;
    const context = secureContextOf(readIdentity(), await trust.anchors());
    try {
      this.#tls = createTlsServer({
        ...context,
        ...{ requestCert: true, rejectUnauthorized: false, handshakeTimeout: HANDSHAKE_MS_MAX },
        // Undefined ends the handshake with the alert no_application_protocol (RFC 7301 3.2).
        ALPNCallback: ({ protocols }) => protocols.find((name) => this.#protocols.has(name)),
      });
    } catch (error) {
      throw new AifiError('CONFIG_INVALID', 'the link certificate is not usable', { cause: error });
    }
    this.#contextDigest = digestOf(context);
    this.#tls.on('secureConnection', (socket) => void this.#onSecure(socket));
    this.#tls.on('tlsClientError', (_error, socket) => {
      this.options.meter.refused('HANDSHAKE');
      socket.destroy();
    });
    await listen(this.#net, host, port);
    this.#lookedAtMs = clock.monotonicMs();
    void this.#keepLooking();
    return (this.#net.address() as AddressInfo).port;
  }

  /** Takes no new connection; those that are open are the protocols' to end. */
  close(): void {
    this.#stopping.abort();
    this.#net.close();
  }
  /** Cuts what is still open. */
  destroy(): void {
    this.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  /** One look: own certificate and anchors, then whether those inside still may be. */
  async look(): Promise<void> {
    const { clock, logger } = this.options;
    try {
      await this.#within(LOOK_MS_MAX, this.#renewContext());
    } catch (error) {
      // The old certificate and anchors stay in use: a broken file must not end the link.
      logger.fault('the certificates of the link were not read again', error);
    }
    try {
      const open = [...this.#open.keys()];
      const lapsed = await this.#within(LOOK_MS_MAX, this.options.trust.lapsed(open));
      this.#lookedAtMs = clock.monotonicMs();
      this.#cut([...lapsed]);
    } catch (error) {
      logger.fault('the certificates of connected gateways were not checked', error);
      if (clock.monotonicMs() - this.#lookedAtMs >= BLIND_MS_MAX) this.#cut([...this.#open.keys()]);
    }
  }

  async #keepLooking(): Promise<void> {
    const { clock } = this.options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await clock.sleep(REFRESH_MS, signal);
      if (!signal.aborted) await this.look();
    }
  }

  async #renewContext(): Promise<void> {
    const { readIdentity, trust, logger } = this.options;
    const context = secureContextOf(readIdentity(), await trust.anchors());
    const digest = digestOf(context);
    if (digest === this.#contextDigest) return;
    this.#tls!.setSecureContext(context);
    this.#contextDigest = digest;
    logger.info('the link has new certificates');
  }

  #cut(admissions: readonly Admission[]): void {
    for (const admission of admissions) {
      const socket = this.#open.get(admission);
      if (!socket) continue;
      const { siteId } = admission.peer;
      this.options.logger.warn('a connection ended with its certificate', { siteId });
      this.options.meter.cut();
      socket.destroy();
    }
  }

  #onConnection(socket: Socket): void {
    socket.on('error', () => undefined);
    const leave = this.#book.enterHandshake(socket.remoteAddress ?? '');
    if (!leave) {
      this.options.meter.refused('LIMIT_EXCEEDED');
      socket.destroy();
      return;
    }
    const name = nameOf(socket);
    this.#sockets.add(socket);
    this.#handshakes.set(name, leave);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      leave();
      if (this.#handshakes.get(name) === leave) this.#handshakes.delete(name);
    });
    this.#tls!.emit('connection', socket);
  }

  /** The connection is somebody's, or a stranger's: it has a place of its own now. */
  #leaveHandshake(socket: TLSSocket): void {
    this.#handshakes.get(nameOf(socket))?.();
  }

  async #onSecure(socket: TLSSocket): Promise<void> {
    socket.on('error', () => undefined);
    const protocol = this.#protocols.get(socket.alpnProtocol || '');
    try {
      // Without ALPN at all the handshake succeeds; nothing is spoken on such a connection.
      if (!protocol) throw new NotVerified('INVALID_ARGUMENT', 'no protocol was named');
      if (isForStrangers(protocol)) return this.#acceptStranger(socket, protocol);
      await this.#acceptGateway(socket, protocol);
    } catch (error) {
      this.#refuse(socket, AifiError.from(error));
    }
  }

  #acceptStranger(socket: TLSSocket, protocol: StrangerProtocol): void {
    const { alpn, connectionsMax, perAddressMax, timeoutMs } = protocol;
    const address = addressKey(socket.remoteAddress ?? '');
    const leave = enterAll([
      [this.#strangers, alpn, connectionsMax],
      [this.#strangers, `${alpn} ${address}`, perAddressMax],
    ]);
    if (!leave) throw new AifiError('LIMIT_EXCEEDED', 'too many strangers');
    this.#leaveHandshake(socket);
    const closed = new AbortController();
    socket.on('close', () => {
      leave();
      this.options.meter.closed(alpn);
      closed.abort();
    });
    this.options.meter.opened(alpn);
    void this.options.clock.sleep(timeoutMs, closed.signal).then(() => socket.destroy());
    protocol.acceptStranger(socket);
  }

  async #acceptGateway(socket: TLSSocket, protocol: LinkProtocol): Promise<void> {
    const certificate = socket.getPeerX509Certificate();
    if (!socket.authorized || !certificate) {
      throw new NotVerified('UNTRUSTED', 'no certificate of a trusted authority');
    }
    const admitting = this.options.trust.admit(certificate);
    const admission = await this.#within(LOOK_MS_MAX, admitting).catch((error: unknown) => {
      // Whoever is admitted too late is nobody.
      admitting.then(
        (late) => late.release(),
        () => undefined,
      );
      throw error;
    });
    const { alpn, perPeerMax } = protocol;
    const address = socket.remoteAddress ?? '';
    const leave = this.#book.enterPeer({ address, peer: admission.peer, alpn, perPeerMax });
    if (!leave || socket.destroyed || this.#stopping.signal.aborted) {
      leave?.();
      admission.release();
      if (leave) return void socket.destroy();
      throw new AifiError('LIMIT_EXCEEDED', 'the gateway has too many connections');
    }
    this.#leaveHandshake(socket);
    this.#open.set(admission, socket);
    this.options.meter.opened(alpn);
    socket.on('close', () => {
      this.#open.delete(admission);
      leave();
      admission.release();
      this.options.meter.closed(alpn);
    });
    protocol.accept(socket, admission.peer);
  }

  #refuse(socket: TLSSocket, fault: AifiError): void {
    const { clock, logger, meter } = this.options;
    meter.refused(fault.code);
    const isKnownAuthority = !(fault instanceof NotVerified);
    // Whoever can reach the port could fill the log: what anybody can cause is only counted.
    const isLogged = isKnownAuthority && fault.code !== 'LIMIT_EXCEEDED';
    if (isLogged && this.#lines.allows(fault.code)) {
      logger.fault('a connection was refused', fault);
    }
    if (socket.destroyed || socket.alpnProtocol !== GRPC_ALPN || !isKnownAuthority) {
      socket.destroy();
      return;
    }
    void refuseCalls(socket, fault, clock);
  }

  /** The result of `work`, or DEADLINE_EXCEEDED. */
  async #within<T>(limitMs: number, work: Promise<T>): Promise<T> {
    const done = new AbortController();
    const late = this.options.clock.sleep(limitMs, done.signal).then((): never => {
      throw new AifiError('DEADLINE_EXCEEDED', 'the records of enrolment did not answer');
    });
    late.catch(() => undefined);
    try {
      return await Promise.race([work, late]);
    } finally {
      done.abort();
    }
  }
}

/** No protocol or no certificate of an authority trusted here: such a peer is told nothing. */
class NotVerified extends AifiError {}

/** Of one connection while it is open: of the socket below TLS as of the one above. */
const nameOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress}:${remotePort}`;

const digestOf = (context: object): string => sha256Hex(JSON.stringify(context));

function listen(
  server: ReturnType<typeof createNetServer>,
  host: string,
  port: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(new AifiError('CONFIG_INVALID', 'the link port does not open', { cause: error }));
    });
    server.listen(port, host, () => resolve());
  });
}
