/**
 * startStoreScp: the listener for C-ECHO and C-STORE (and C-FIND where a stand-in PACS offers it).
 * Decides who may connect: known calling AE title from its known address, within the limits of
 * connections. Invariant: nothing of an unknown peer reaches the handler.
 * Source: PS3.4 A and B, PS3.8 9.2; reliability specification F3, F4, F9.
 */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { AifiError, LIMITS, systemClock, type Clock } from '@aifi/shared-kernel';
import {
  ScpConnection,
  type ConnectionOptions,
  type FindHandler,
  type RefusalListener,
  type StoreHandler,
} from './scp-connection.js';

/** A peer that may open associations. */
export interface AllowedCaller {
  readonly aeTitle: string;
  /** Its IP address. */
  readonly host: string;
}
export interface StoreScpOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** The called AE title that is answered. */
  readonly aeTitle: string;
  /** 'any' is for stand-ins on a test machine only. */
  readonly callers: readonly AllowedCaller[] | 'any';
  readonly handler: StoreHandler;
  /** Offers C-FIND (Study Root) when present. */
  readonly find?: FindHandler;
  /** Told of everything that is not taken. Must not throw. */
  readonly onRefusal?: RefusalListener;
  readonly clock?: Clock;
}
export interface RunningScp {
  readonly port: number;
  /** Stops listening and destroys what is open; sinks are aborted before it resolves. */
  close(): Promise<void>;
}

/** Starts listening; CONFIG_INVALID when the address cannot be bound. */
export async function startStoreScp(options: StoreScpOptions): Promise<RunningScp> {
  const { callers, onRefusal = () => undefined } = options;
  const open = new Map<ScpConnection, { address: string; over: Promise<void> }>();
  const connectionOptions: ConnectionOptions = {
    aeTitle: options.aeTitle,
    handler: options.handler,
    find: options.find,
    onRefusal,
    clock: options.clock ?? systemClock,
    isKnownCaller: (aeTitle, host) =>
      callers === 'any' || callers.some((c) => c.aeTitle === aeTitle && c.host === host),
  };
  const accept = (socket: Socket): void => {
    const address = socket.remoteAddress ?? '';
    const ofPeer = [...open.values()].filter((other) => other.address === address).length;
    if (open.size >= LIMITS.associationsMax || ofPeer >= LIMITS.associationsPerPeerMax) {
      onRefusal({ what: 'association', code: 'LIMIT_EXCEEDED', callingAeTitle: '' });
      socket.destroy();
      return;
    }
    const connection = new ScpConnection(socket, connectionOptions);
    const over = connection.run().then(() => void open.delete(connection));
    open.set(connection, { address, over });
  };
  const server = createServer({ noDelay: true }, accept);
  await listen(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = new Promise((done) => server.close(done));
      const ending = [...open.values()].map(({ over }) => over);
      for (const connection of open.keys()) connection.destroy();
      await Promise.all([closed, ...ending]);
    },
  };
}

function listen(server: Server, { host, port }: StoreScpOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new AifiError('CONFIG_INVALID', 'the DICOM port cannot be opened', { cause })),
    );
    server.listen(port, host, resolve);
  });
}
