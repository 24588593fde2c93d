/**
 * Goal: a link that neither end has closed, and on which nothing passes any more, is given up by
 * both ends, so that no stream is stuck.
 * Method: a real grpc-js server and client with a TCP forwarder between them that stops forwarding
 * without closing anything; the options of the link with shorter times (link-keepalive.ts has the
 * shipped ones and their test). Nothing here waits for a time: the ends of the streams are awaited.
 */
import {
  createServer,
  connect,
  type AddressInfo,
  type Server as TcpServer,
  type Socket,
} from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { credentials, Server, ServerCredentials } from '@grpc/grpc-js';
import { downlink, keepaliveOptions } from '@aifi/contracts-proto';
import { systemClock } from '@aifi/shared-kernel';
import { createGrpcDownlinkPort } from './grpc-downlink-port.js';

const FAST = { timeMs: 100, timeoutMs: 100 };

/** Forwards until it is told to swallow everything, both ways. */
class Forwarder {
  readonly #server: TcpServer;
  readonly #sockets: Socket[] = [];
  isBlackHole = false;

  constructor(port: number) {
    this.#server = createServer((near) => {
      const far = connect(port, '127.0.0.1');
      this.#sockets.push(near, far);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        from.on('data', (bytes) => void (this.isBlackHole || to.write(bytes)));
        from.on('error', () => undefined);
        // A closed end is not told either: that is what half-open means.
        from.on('end', () => undefined);
      }
    });
  }
  listen(): Promise<number> {
    return new Promise((resolve) =>
      this.#server.listen(0, '127.0.0.1', () =>
        resolve((this.#server.address() as AddressInfo).port),
      ),
    );
  }
  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

describe('a half-open link', () => {
  let hub: Server;
  let forwarder: Forwarder;
  let client: downlink.DownlinkServiceClient;
  let opened: PromiseWithResolvers<void>;
  let gone: PromiseWithResolvers<string>;
  beforeEach(async () => {
    [opened, gone] = [Promise.withResolvers(), Promise.withResolvers()];
    hub = new Server(keepaliveOptions(FAST));
    hub.addService(downlink.DownlinkServiceService, {
      getRoutingRules: (_call, callback) => callback({ code: 12 }),
      getAuditAnchors: (_call, callback) => callback({ code: 12 }),
      streamControl: (call) => call.end(),
      streamOutcomes: (call) => {
        call.on('data', () => opened.resolve());
        call.on('error', () => undefined);
        call.on('cancelled', () => gone.resolve('cancelled'));
      },
    } satisfies downlink.DownlinkServiceServer);
    const port = await new Promise<number>((resolve, reject) =>
      hub.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    forwarder = new Forwarder(port);
    const address = `127.0.0.1:${await forwarder.listen()}`;
    const options = keepaliveOptions(FAST);
    client = new downlink.DownlinkServiceClient(address, credentials.createInsecure(), options);
  });
  afterEach(() => {
    client.close();
    hub.forceShutdown();
    forwarder.close();
  });

  it('ends the stream at the gateway and at the hub', async () => {
    const stream = createGrpcDownlinkPort(() => client, systemClock).openOutcomes();
    const ended = (async () => {
      for await (const message of stream.responses) expect(message).toBeUndefined();
    })();
    // Looked at below: it must not count as unhandled before.
    ended.catch(() => undefined);
    stream.send({ part: { $case: 'cursor', value: { afterSequence: 0, exact: true } } });
    await opened.promise;
    forwarder.isBlackHole = true;
    await expect(ended).rejects.toMatchObject({ code: 'PEER_UNAVAILABLE' });
    expect(await gone.promise).toBe('cancelled');
  });
});
