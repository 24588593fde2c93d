/**
 * A TCP proxy that adds a round trip, for the link bench.
 * Decides that bytes wait half the round trip in each direction, in their order, and that what is
 * on its way is bounded, so that it is a long line and not a deep buffer.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** More than a line of 1 Gbit/s holds in 200 ms. @unit bytes */
const ON_ITS_WAY_MAX = 32 * 1024 * 1024;

export interface DelayProxy {
  readonly port: number;
  close(): void;
}

function carry(from: Socket, to: Socket, delayMs: number): void {
  let held = 0;
  from.on('data', (bytes: Buffer) => {
    held += bytes.length;
    if (held > ON_ITS_WAY_MAX) from.pause();
    // Timers of one length fire in their order.
    setTimeout(() => {
      held -= bytes.length;
      if (held <= ON_ITS_WAY_MAX) from.resume();
      to.write(bytes);
    }, delayMs);
  });
  from.on('end', () => setTimeout(() => to.end(), delayMs));
  from.on('error', () => to.destroy());
  from.on('close', () => setTimeout(() => to.destroy(), delayMs));
}

export async function startDelayProxy(port: number, roundTripMs: number): Promise<DelayProxy> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    for (const socket of [near, far]) {
      open.add(socket.setNoDelay(true));
      socket.on('close', () => open.delete(socket));
    }
    carry(near, far, roundTripMs / 2);
    carry(far, near, roundTripMs / 2);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
