/**
 * Goal: a channel whose dial was swallowed by a black hole serves again after a redial, and no call
 * is left hanging on it.
 * Method: a real grpc-js server behind a forwarder that swallows what is dialled while it is told
 * to, for good. Nothing here waits for a time: what is awaited are the calls and the first bytes.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { credentials, Server, ServerCredentials, status } from '@grpc/grpc-js';
import { downlink } from '@aifi/contracts-proto';
import { systemClock } from '@aifi/shared-kernel';
import { CHANNEL_OPTIONS, SwappableChannel } from './index.js';

describe('a channel after a black hole', () => {
  const sockets: Socket[] = [];
  let isBlackHole: boolean;
  let swallowed: PromiseWithResolvers<void>;
  let hub: Server;
  let forwarder: ReturnType<typeof createServer>;
  let channel: SwappableChannel;
  let client: downlink.DownlinkServiceClient;
  beforeEach(async () => {
    [isBlackHole, swallowed] = [false, Promise.withResolvers()];
    hub = new Server();
    hub.addService(downlink.DownlinkServiceService, {
      getRoutingRules: (_call, callback) => callback({ code: status.NOT_FOUND }),
      getAuditAnchors: (_call, callback) => callback(null, { anchors: [] }),
      streamControl: (call) => call.end(),
      streamOutcomes: (call) => call.end(),
    } satisfies downlink.DownlinkServiceServer);
    const port = await new Promise<number>((resolve, reject) =>
      hub.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    forwarder = createServer((near) => {
      sockets.push(near.on('error', () => undefined));
      if (isBlackHole) return void near.on('data', () => swallowed.resolve());
      const far = connect(port, '127.0.0.1').on('error', () => undefined);
      sockets.push(far);
      near.pipe(far).pipe(near);
    });
    await once(forwarder.listen(0, '127.0.0.1'), 'listening');
    const target = `127.0.0.1:${(forwarder.address() as AddressInfo).port}`;
    const insecure = credentials.createInsecure();
    const parts = { target, credentials: insecure, options: CHANNEL_OPTIONS };
    channel = new SwappableChannel(parts, systemClock);
    client = new downlink.DownlinkServiceClient(target, insecure, { channelOverride: channel });
  });
  afterEach(() => {
    channel.close();
    hub.forceShutdown();
    for (const socket of sockets.splice(0)) socket.destroy();
    forwarder.close();
  });

  const ask = (): Promise<number> =>
    new Promise((resolve) =>
      client.getAuditAnchors({ fromDay: '' }, (error) => resolve(error?.code ?? status.OK)),
    );

  it('ends the calls of the dial that hangs, and serves the next ones', async () => {
    isBlackHole = true;
    const hanging = ask();
    await swallowed.promise;
    isBlackHole = false;
    // The hole is healed, and grpc-js waits for what was lost in it.
    expect(channel.isUp()).toBe(false);
    channel.redial();
    expect(await hanging).toBe(status.UNAVAILABLE);
    expect(await ask()).toBe(status.OK);
    expect(channel.isUp()).toBe(true);
  });
});
