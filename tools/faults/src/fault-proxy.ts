/**
 * FaultProxy: a TCP proxy before one port that can misbehave, changeable while it runs.
 * Decides what the network does: forward, latency with jitter, bandwidth limit, pause, black hole
 * (no FIN, no RST: half-open), RST at a byte, refusal of new connections; each way on its own.
 * Invariants: healthy, it changes no byte and keeps half-closed connections half-closed; a
 * connection that lost a byte never carries another; all chance comes from who made it.
 * Source: reliability specification 3 (network faults).
 */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { FaultStream, HEALTHY, type LinkState } from './fault-stream.js';

const HOST = '127.0.0.1';
export type { LinkState } from './fault-stream.js';
/** `up`: from who dialled to the port behind. */
export type Direction = 'up' | 'down' | 'both';

export interface FaultProxyOptions {
  /** Of the process that is called. */
  readonly targetPort: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}
interface Connection {
  readonly client: Socket;
  readonly target: Socket;
  readonly up: FaultStream;
  readonly down: FaultStream;
}

export class FaultProxy {
  readonly #connections = new Set<Connection>();
  #server: Server | undefined;
  #port = 0;
  #up: LinkState = HEALTHY;
  #down: LinkState = HEALTHY;
  #nextCut: { readonly direction: 'up' | 'down'; readonly bytes: number } | undefined;
  /** Bytes that went on, both ways, and connections that were taken. */
  readonly counts = { up: 0, down: 0, connections: 0 };

  private constructor(private readonly options: FaultProxyOptions) {}

  /** Listens on a free port of the loopback interface. */
  static async start(options: FaultProxyOptions): Promise<FaultProxy> {
    const proxy = new FaultProxy(options);
    await proxy.#listen();
    return proxy;
  }

  get port(): number {
    return this.#port;
  }
  /** Connections that are open at this moment, silent ones as well. */
  get openConnections(): number {
    return this.#connections.size;
  }
  /** Of these, connections that have lost a byte: half-open for who does not ask. */
  get silentConnections(): number {
    return [...this.#connections].filter(({ up, down }) => up.isSilent || down.isSilent).length;
  }

  /** Changes how bytes are treated from now on, of open and of new connections. */
  set(direction: Direction, change: Partial<LinkState>): void {
    if (direction !== 'down') this.#up = { ...this.#up, ...change };
    if (direction !== 'up') this.#down = { ...this.#down, ...change };
    this.#notify();
  }
  /** RST to both ends of every connection, now. */
  cut(): void {
    for (const connection of this.#connections) this.#reset(connection);
  }
  /** RST after so many more bytes that way; without a connection, of the next one. */
  cutAfter(direction: 'up' | 'down', bytes: number): void {
    this.#nextCut = { direction, bytes };
    for (const connection of this.#connections) this.#armCut(connection);
  }
  /** New connections are refused (ECONNREFUSED); open ones stay. */
  async refuse(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    // Resolves when the last connection has ended; that is not waited for.
    server?.close();
  }
  /** Everything as at the start; what was lost stays lost, so silent connections stay silent. */
  async heal(): Promise<void> {
    [this.#up, this.#down, this.#nextCut] = [HEALTHY, HEALTHY, undefined];
    if (!this.#server) await this.#listen();
    this.#notify();
  }
  async close(): Promise<void> {
    await this.refuse();
    for (const connection of this.#connections) this.#reset(connection);
  }

  async #listen(): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
    server.on('connection', (socket) => this.#accept(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, HOST, resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  #accept(client: Socket): void {
    const target = connect({
      ...{ host: HOST, port: this.options.targetPort },
      ...{ allowHalfOpen: true, noDelay: true },
    });
    this.counts.connections += 1;
    const common = { random: this.options.random, reset: () => this.#reset(connection) };
    const connection: Connection = {
      client,
      target,
      up: new FaultStream({
        ...common,
        ...{ from: client, to: target, state: () => this.#up },
        onBytes: (count) => (this.counts.up += count),
      }),
      down: new FaultStream({
        ...common,
        ...{ from: target, to: client, state: () => this.#down },
        onBytes: (count) => (this.counts.down += count),
      }),
    };
    this.#connections.add(connection);
    this.#armCut(connection);
    for (const socket of [client, target]) {
      socket.on('error', () => this.#lost(connection));
      socket.on('close', (hadError) => this.#closed(connection, socket, hadError));
    }
    client.resume();
  }

  #armCut({ up, down }: Connection): void {
    const cut = this.#nextCut;
    if (!cut) return;
    (cut.direction === 'up' ? up : down).cutAfter(cut.bytes);
  }

  /** A reset of one side is passed on, unless the way there is a black hole. */
  #lost(connection: Connection): void {
    const { up, down } = connection;
    const isHole = up.isSilent || down.isSilent || this.#isDropping;
    if (!isHole) this.#reset(connection);
  }
  get #isDropping(): boolean {
    return this.#up.mode === 'drop' || this.#down.mode === 'drop';
  }

  #closed(connection: Connection, socket: Socket, hadError: boolean): void {
    const other = socket === connection.client ? connection.target : connection.client;
    if (other.destroyed) {
      connection.up.close();
      connection.down.close();
      this.#connections.delete(connection);
    } else if (socket.readableEnded && !hadError) {
      // Its end is in the queue; half-closed connections end by themselves.
      if (other.writableEnded) other.destroySoon();
    } else this.#lost(connection);
  }

  #reset(connection: Connection): void {
    if (this.#nextCut) this.#nextCut = undefined;
    for (const socket of [connection.client, connection.target]) {
      // A reset only exists of a connection that was made.
      if (socket.connecting) socket.destroy();
      else socket.resetAndDestroy();
    }
    connection.up.close();
    connection.down.close();
    this.#connections.delete(connection);
  }

  #notify(): void {
    for (const { up, down } of this.#connections) {
      up.notify();
      down.notify();
    }
  }
}
