/**
 * startStoreScp: the listener for C-ECHO and C-STORE, for reports of storage commitment, and for
 * C-FIND where a stand-in PACS offers it.
 * Decides the ports and their TLS: 1.2 with ECDHE and AEAD or 1.3, client certificate required.
 * Invariant: nothing of an unknown peer reaches the handler.
 * Source: PS3.4 A, B and J, PS3.8 9.2, PS3.15 B.12 (BCP 195, RFC 9325); reliability F3, F4, F9.
 */
import { constants } from 'node:crypto';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import { AifiError, systemClock, type Clock } from '@aifi/shared-kernel';
import { isKnownCaller, type AllowedCaller } from './caller-check.js';
import type { CommitmentReception } from './commitment-reception.js';
import type { FindHandler, RefusalListener } from './scp-connection.js';
import { ScpListener } from './scp-listener.js';
import { TLS_CIPHERS } from './scu-socket.js';
import type { StoreHandler } from './store-exchange.js';

/** DICOM TLS: a second port, client certificate required. PEM. */
export interface ScpTls {
  /** 0: any free port. */
  readonly port: number;
  readonly certificate: Buffer;
  readonly key: Buffer;
  /** Who signs the certificates of the callers. */
  readonly ca: Buffer;
}
export interface StoreScpOptions {
  readonly host: string;
  /** Port without TLS; 0: any free port; absent: none. */
  readonly port?: number | undefined;
  readonly tls?: ScpTls | undefined;
  /** The called AE title that is answered. */
  readonly aeTitle: string;
  /** Others that are answered like it; the handler is told which one was called. */
  readonly furtherAeTitles?: readonly string[] | undefined;
  /** 'any' is for stand-ins on a test machine only. */
  readonly callers: readonly AllowedCaller[] | 'any';
  readonly handler: StoreHandler;
  /** Offers C-FIND (Study Root) when present. */
  readonly find?: FindHandler;
  /** Takes reports of storage commitment when present. */
  readonly commitment?: CommitmentReception | undefined;
  /** Told of everything that is not taken. Must not throw. */
  readonly onRefusal?: RefusalListener;
  /** Told of each association that is let in, also for a C-ECHO alone. Must not throw. */
  readonly onAdmitted?: ((callingAeTitle: string) => void) | undefined;
  readonly clock?: Clock;
}
export interface RunningScp {
  /** 0 when there is none. */
  readonly port: number;
  readonly tlsPort: number;
  /** Stops listening and destroys what is open; sinks are aborted before it resolves. */
  close(): Promise<void>;
}

/** Starts listening; CONFIG_INVALID when an address cannot be bound or the TLS files do not fit. */
export async function startStoreScp(options: StoreScpOptions): Promise<RunningScp> {
  const { host, port, tls, callers, onRefusal = () => undefined } = options;
  if (port === undefined && !tls) throw new AifiError('CONFIG_INVALID', 'no DICOM port is given');
  const listener = new ScpListener(
    {
      aeTitles: new Set([options.aeTitle, ...(options.furtherAeTitles ?? [])]),
      handler: options.handler,
      find: options.find,
      commitment: options.commitment,
      onRefusal,
      clock: options.clock ?? systemClock,
      isKnownCaller: (aeTitle, peer) => {
        const isKnown = isKnownCaller(callers, aeTitle, peer);
        // It is the last thing that is asked of an association before it is accepted.
        if (isKnown) options.onAdmitted?.(aeTitle);
        return isKnown;
      },
    },
    tls && tlsServer(tls),
  );
  const servers: Server[] = [];
  const close = async (): Promise<void> => {
    const closed = servers.map((server) => new Promise((done) => server.close(done)));
    await Promise.all([...closed, listener.close()]);
  };
  const open = async (at: number, accept: Parameters<typeof createServer>[1]): Promise<number> => {
    const server = createServer({ noDelay: true }, accept);
    await listen(server, at, host);
    servers.push(server);
    return (server.address() as AddressInfo).port;
  };
  try {
    return {
      port: port === undefined ? 0 : await open(port, (socket) => listener.acceptPlain(socket)),
      tlsPort: tls ? await open(tls.port, (socket) => listener.acceptTls(socket)) : 0,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** It does not listen: it is given sockets that are counted and timed already. */
function tlsServer({ certificate, key, ca }: ScpTls): TlsServer {
  try {
    return createTlsServer({
      cert: certificate,
      key,
      ca,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      ciphers: TLS_CIPHERS,
      honorCipherOrder: true,
      // Every association shows its certificate: no session is resumed, none is renegotiated.
      secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
    });
  } catch (cause) {
    throw new AifiError('CONFIG_INVALID', 'the DICOM TLS files do not fit', { cause });
  }
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new AifiError('CONFIG_INVALID', 'the DICOM port cannot be opened', { cause })),
    );
    server.listen(port, host, resolve);
  });
}
