/**
 * MllpServer: the listening sockets, and who gets a connection.
 * Decides by address and certificate who a peer is before a byte of it is read; nobody else gets
 * a word. Invariants: so many connections in all and per sender, TLS handshakes included; messages
 * of one sender are taken one after the other, whatever its connections.
 * Source: security specification 4, 5 (client certificates); IETF BCP 195.
 */
import { constants } from 'node:crypto';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import { AifiError, type Clock } from '@aifi/shared-kernel';
import { senderOf, type Hl7Config } from './hl7.config.js';
import type { MessageIntake } from './message-intake.js';
import { MLLP_LIMITS, MllpConnection } from './mllp-connection.js';

/** TLS 1.2 with ECDHE and AEAD only; those of TLS 1.3 are all sound. */
const TLS_CIPHERS = [
  ...['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'],
  ...['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384'],
  ...['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
].join(':');

export interface TlsMaterial {
  readonly certificate: Buffer;
  readonly key: Buffer;
  readonly ca: Buffer;
}
export interface MllpServerParts {
  readonly config: Hl7Config;
  readonly intake: MessageIntake;
  readonly clock: Clock;
  /** PEM of `config.tls`. */
  readonly tls?: TlsMaterial | undefined;
}
export interface MllpPorts {
  /** 0 when there is none. */
  readonly port: number;
  readonly tlsPort: number;
}

export class MllpServer {
  readonly #open = new Map<MllpConnection, { sender: string; over: Promise<void> }>();
  readonly #last = new Map<string, Promise<unknown>>();
  readonly #servers: Server[] = [];
  /** Connections of an address to the TLS port, handshakes included. */
  readonly #ofAddress = new Map<string, number>();

  constructor(private readonly parts: MllpServerParts) {}

  async listen(): Promise<MllpPorts> {
    const { config, tls } = this.parts;
    try {
      const port = config.port === undefined ? 0 : await this.#listenPlain(config.port);
      const tlsPort = config.tls && tls ? await this.#listenTls(config.tls.port, tls) : 0;
      return { port, tlsPort };
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Ends when the messages in hand are answered. */
  async close(): Promise<void> {
    const closed = this.#servers.map(
      (server) => new Promise<void>((resolve) => server.close(() => resolve())),
    );
    const over = [...this.#open.values()].map((open) => open.over);
    for (const connection of this.#open.keys()) connection.stop();
    await Promise.all([...over, ...closed]);
  }

  #listenPlain(port: number): Promise<number> {
    const server = createServer({ noDelay: true }, (socket) => this.#accept(socket, undefined));
    return this.#start(server, port);
  }
  #listenTls(port: number, material: TlsMaterial): Promise<number> {
    const server = tlsServer(material);
    server.on('connection', (raw: Socket) => this.#limitAddress(raw));
    server.on('secureConnection', (socket) => {
      const fingerprint = socket.getPeerX509Certificate()?.fingerprint256 ?? '';
      this.#accept(socket, fingerprint.replaceAll(':', '').toLowerCase());
    });
    server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
      // Who went away without a word only looked whether the port is open.
      if (error.code !== 'ECONNRESET') this.#refused('untrusted');
      socket.destroy();
    });
    return this.#start(server, port);
  }
  #start(server: Server, port: number): Promise<number> {
    server.maxConnections = MLLP_LIMITS.connections;
    server.on('drop', () => this.#refused('too-many'));
    return new Promise((resolve, reject) => {
      server.on('error', (cause) =>
        reject(new AifiError('CONFIG_INVALID', 'the HL7 port cannot be opened', { cause })),
      );
      server.listen(port, this.parts.config.host, () => {
        this.#servers.push(server);
        resolve((server.address() as AddressInfo).port);
      });
    });
  }

  /** Nobody who never ends a handshake takes the place of everybody. */
  #limitAddress(raw: Socket): void {
    const address = addressOf(raw);
    const count = (this.#ofAddress.get(address) ?? 0) + 1;
    this.#ofAddress.set(address, count);
    raw.once('close', () => {
      const left = this.#ofAddress.get(address)! - 1;
      if (left > 0) this.#ofAddress.set(address, left);
      else this.#ofAddress.delete(address);
    });
    if (count <= MLLP_LIMITS.connectionsPerSender) return;
    this.#refused('too-many');
    raw.destroy();
  }

  #accept(socket: Socket, certificateSha256: string | undefined): void {
    const { config, intake, clock } = this.parts;
    const address = addressOf(socket);
    const sender = senderOf(config.senders, { address, certificateSha256 })?.name;
    if (sender === undefined) {
      this.#refused('unknown-sender');
      socket.on('error', () => undefined).destroy();
      return;
    }
    const ofSender = [...this.#open.values()].filter((open) => open.sender === sender);
    if (ofSender.length >= MLLP_LIMITS.connectionsPerSender) {
      intake.count({ sender, type: '', answer: 'closed', detail: 'too-many' });
      socket.on('error', () => undefined).destroy();
      return;
    }
    const connection = new MllpConnection({
      ...{ socket, sender, intake, clock, bytesMax: config.messageBytesMax },
      inOrder: (name, work) => this.#inOrder(name, work),
    });
    const over = connection.run().then(() => void this.#open.delete(connection));
    this.#open.set(connection, { sender, over });
  }

  #refused(detail: string): void {
    this.parts.intake.count({ sender: '', type: '', answer: 'closed', detail });
  }

  /** At most one message of each of its connections waits here. */
  #inOrder<T>(sender: string, work: () => Promise<T>): Promise<T> {
    const done = (this.#last.get(sender) ?? Promise.resolve()).then(work);
    this.#last.set(
      sender,
      done.catch(() => undefined),
    );
    return done;
  }
}

const addressOf = (socket: Socket): string => (socket.remoteAddress ?? '').replace(/^::ffff:/, '');

function tlsServer({ certificate, key, ca }: TlsMaterial): TlsServer {
  try {
    return createTlsServer({
      cert: certificate,
      ...{ key, ca },
      ...{ requestCert: true, rejectUnauthorized: true },
      ...{ minVersion: 'TLSv1.2', ciphers: TLS_CIPHERS, honorCipherOrder: true },
      handshakeTimeout: MLLP_LIMITS.answerMs,
      // Every connection shows its certificate: no session is resumed, none is renegotiated.
      secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
    });
  } catch (cause) {
    throw new AifiError('CONFIG_INVALID', 'the HL7 TLS files do not fit', { cause });
  }
}
