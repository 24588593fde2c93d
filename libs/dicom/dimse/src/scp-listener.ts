/**
 * ScpListener: the sockets of a store SCP between their arrival and their end.
 * Decides who gets a connection: at most so many in all and per address, TLS handshakes included;
 * one too many is told so where that costs nothing. Invariants: every socket has its ARTIM timer
 * from the first moment; what does not become an association is reported.
 * Source: PS3.8 9.1.5 (ARTIM), 9.3.4; PS3.15 B.12; reliability specification F4.
 */
import type { Socket } from 'node:net';
import type { Server as TlsServer, TLSSocket } from 'node:tls';
import { LIMITS, type ErrorCode } from '@aifi/shared-kernel';
import { ASSOCIATE_REJECTION, encodeAssociateReject } from './pdu.js';
import { PduNormaliser } from './pdu-normaliser.js';
import { ScpConnection, type ConnectionOptions } from './scp-connection.js';

/** Peers that are being told that they are one too many; more than that are cut off. */
const REFUSING_MAX = 64;

/** The ARTIM timer of one socket, PS3.8 9.1.5. */
interface Artim {
  readonly stop: () => void;
  readonly isExpired: boolean;
}
interface OpenPeer {
  readonly address: string;
  destroy(): void;
  readonly over: Promise<void>;
}

/** The address as it is configured: without the prefix of IPv4 in IPv6. */
function addressOf(socket: Socket): string {
  return (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
}
/** Names a TCP connection while it is open. */
function nameOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}
export class ScpListener {
  readonly #open = new Set<OpenPeer>();
  readonly #refusing = new Set<Socket>();
  /** Called with the TLS socket of a handshake that succeeded. */
  readonly #handshakes = new Map<string, (secured: TLSSocket) => void>();
  #isClosing = false;

  constructor(
    private readonly options: ConnectionOptions,
    private readonly tls: TlsServer | undefined,
  ) {
    tls?.on('secureConnection', (secured) => {
      const proceed = this.#handshakes.get(nameOf(secured));
      if (proceed) proceed(secured);
      else secured.destroy();
    });
    // The end of the TCP connection tells it: nothing more is to be known of a failed handshake.
    tls?.on('tlsClientError', (_error, socket) => socket.destroy());
  }

  acceptPlain(raw: Socket): void {
    if (this.#isFull(raw)) {
      this.#refuse(raw);
      return;
    }
    const artim = this.#startArtim(raw);
    const peer = { address: addressOf(raw), certificateSha256: undefined };
    const accepted = { socket: raw, peer, onAssociateRequest: artim.stop };
    const connection = new ScpConnection(accepted, this.options);
    const over = connection.run().then(() => {
      if (artim.isExpired) this.#report('DEADLINE_EXCEEDED');
    });
    this.#keep(peer.address, () => connection.destroy(), over);
  }

  acceptTls(raw: Socket): void {
    if (this.#isFull(raw)) {
      this.#report('LIMIT_EXCEEDED');
      raw.destroy();
      return;
    }
    const address = addressOf(raw);
    this.#keep(address, () => raw.destroy(), this.#overTls(raw, address));
  }

  /** Destroys what is open; resolves when all sinks are closed. */
  async close(): Promise<void> {
    this.#isClosing = true;
    const ending = [...this.#open].map(({ over }) => over);
    for (const socket of this.#refusing) socket.destroy();
    for (const peer of this.#open) peer.destroy();
    await Promise.all(ending);
  }

  #isFull(raw: Socket): boolean {
    const address = addressOf(raw);
    let ofPeer = 0;
    for (const other of this.#open) if (other.address === address) ofPeer += 1;
    return this.#open.size >= LIMITS.associationsMax || ofPeer >= LIMITS.associationsPerPeerMax;
  }
  #keep(address: string, destroy: () => void, run: Promise<void>): void {
    const over = run.then(() => void this.#open.delete(peer));
    const peer = { address, destroy, over };
    this.#open.add(peer);
  }
  #report(code: ErrorCode): void {
    if (this.#isClosing) return;
    this.options.onRefusal({ what: 'association', code, callingAeTitle: '' });
  }

  /** Destroys the socket when the timer runs out before it is stopped. */
  #startArtim(raw: Socket): Artim {
    const stop = new AbortController();
    const artim = { stop: () => stop.abort(), isExpired: false };
    raw.once('close', artim.stop);
    void this.options.clock.sleep(LIMITS.artimMs, stop.signal).then(() => {
      if (stop.signal.aborted) return;
      artim.isExpired = true;
      raw.destroy();
    });
    return artim;
  }

  /** Reads the A-ASSOCIATE-RQ, however it is, and answers that there is no room. */
  #refuse(raw: Socket): void {
    this.#report('LIMIT_EXCEEDED');
    raw.on('error', () => undefined);
    if (this.#refusing.size >= REFUSING_MAX) {
      raw.destroy();
      return;
    }
    this.#refusing.add(raw);
    raw.once('close', () => this.#refusing.delete(raw));
    this.#startArtim(raw);
    const normaliser = new PduNormaliser(false);
    const answer = (chunk: Buffer): void => {
      try {
        const { done } = normaliser.push(chunk).next();
        if (done) return;
        raw.off('data', answer);
        raw.resume();
        raw.end(encodeAssociateReject(ASSOCIATE_REJECTION.localLimitExceeded));
      } catch {
        raw.destroy();
      }
    };
    raw.on('data', answer);
  }

  /** The handshake, then the association; resolves when both are over. */
  async #overTls(raw: Socket, address: string): Promise<void> {
    const artim = this.#startArtim(raw);
    const secured = await this.#handshake(raw);
    if (secured) {
      const fingerprint = secured.getPeerX509Certificate()?.fingerprint256 ?? '';
      const certificateSha256 = fingerprint.replaceAll(':', '').toLowerCase();
      const peer = { address, certificateSha256 };
      const accepted = { socket: secured, peer, onAssociateRequest: artim.stop };
      await new ScpConnection(accepted, this.options).run();
    }
    if (artim.isExpired) this.#report('DEADLINE_EXCEEDED');
    // Who said nothing at all only looked whether the port is open.
    else if (!secured && raw.bytesRead > 0) this.#report('UNTRUSTED');
  }
  /** The socket of a handshake that succeeded; undefined when the connection ended first. */
  async #handshake(raw: Socket): Promise<TLSSocket | undefined> {
    const name = nameOf(raw);
    raw.on('error', () => undefined);
    const secured = await new Promise<TLSSocket | undefined>((resolve) => {
      this.#handshakes.set(name, resolve);
      raw.once('close', () => resolve(undefined));
      if (raw.closed) resolve(undefined);
      else this.tls!.emit('connection', raw);
    });
    this.#handshakes.delete(name);
    return secured;
  }
}
