/**
 * ByteTap: a TCP proxy that writes down every byte in both directions.
 * Decides nothing about content: it forwards first and remembers in the order of arrival, so that a
 * test can compare what was on the wire with what both ends say.
 * Invariant: a tap changes no byte and closes one side when the other is closed.
 */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

const HOST = '127.0.0.1';

export interface TappedChunk {
  readonly fromClient: boolean;
  readonly bytes: Buffer;
}
export interface TappedConnection {
  readonly clientPort: number;
  readonly serverPort: number;
  /** In the order of arrival at the tap. */
  readonly chunks: readonly TappedChunk[];
}

export class ByteTap {
  readonly connections: TappedConnection[] = [];
  readonly #sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly targetPort: number,
  ) {}

  /** Listens on a free port of the loopback interface; each connection is dialled on. */
  static async start(targetPort: number): Promise<ByteTap> {
    // Half-open: an end of one side is passed on as an end, and the answer still comes back.
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const tap = new ByteTap(server, targetPort);
    server.on('connection', (socket) => tap.#accept(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, HOST, resolve);
    });
    return tap;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }
  /** What the clients of all connections sent, one buffer per connection. */
  get fromClients(): Buffer[] {
    return this.connections.map(({ chunks }) =>
      Buffer.concat(chunks.filter((chunk) => chunk.fromClient).map((chunk) => chunk.bytes)),
    );
  }
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #accept(client: Socket): void {
    const target = connect({
      host: HOST,
      port: this.targetPort,
      allowHalfOpen: true,
      noDelay: true,
    });
    const chunks: TappedChunk[] = [];
    const clientPort = client.remotePort ?? 0;
    this.connections.push({ clientPort, serverPort: this.targetPort, chunks });
    const sides: [Socket, Socket, boolean][] = [
      [client, target, true],
      [target, client, false],
    ];
    for (const [from, to, fromClient] of sides) {
      this.#sockets.add(from);
      from.on('data', (bytes: Buffer) => chunks.push({ fromClient, bytes }));
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroySoon();
      });
    }
  }
}
