/**
 * Free TCP ports on the loopback interface.
 * Decides that nothing in tests or the demo has a fixed port, and that none comes from the range
 * out of which the system takes the near ends of connections: such a port may be in use again
 * before its server listens. Systems begin that range at 32768 or above.
 */
import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';

const [LOWEST, HIGHEST] = [15_000, 32_767];
/** Many of them are taken on a busy machine, never all. */
const TRIES_MAX = 200;

/** `count` ports that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const held: { readonly server: Server; readonly port: number }[] = [];
  for (let tries = 0; held.length < count && tries < TRIES_MAX + count; tries += 1) {
    const port = randomInt(LOWEST, HIGHEST + 1);
    const server = await listening(port);
    if (server) held.push({ server, port });
  }
  await Promise.all(held.map(({ server }) => new Promise((done) => server.close(done))));
  if (held.length < count) throw new Error('no free TCP port was found');
  return held.map(({ port }) => port);
}

function listening(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
