/**
 * Goal: "sent" means "read by the receiver", for every way in which a receiver can go away.
 * Method: a TLS receiver of our own that misbehaves on purpose; a well-behaved one is the rsyslog
 * of the shipper's suite.
 */
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { systemClock } from '@aifi/shared-kernel';
import { FakeClock, temporaryFolder } from '@aifi/shared-testing';
import { makeDevelopmentCertificates } from '../../../../deploy/certs/make-certs.mjs';
import { sendFrames, syslogDestinationSchema, type SyslogDestination } from './syslog-transport.js';

const folder = temporaryFolder('syslog-transport');
const frames = Array.from({ length: 200 }, (_, index) => Buffer.from(`5 x${1000 + index}`));
const whole = Buffer.concat(frames).toString();
const never = new AbortController().signal;
const refused = expect.objectContaining({ code: 'PEER_UNAVAILABLE' });
let certificates: Awaited<ReturnType<typeof makeDevelopmentCertificates>>;
let server: Server;
/** Witness first, then the batch. */
let sockets: TLSSocket[];
let read: string;

interface Behaviour {
  readonly onData?: (socket: TLSSocket) => void;
  readonly onEnd?: (socket: TLSSocket) => void;
}
async function receiver({ onData, onEnd }: Behaviour): Promise<SyslogDestination> {
  [sockets, read] = [[], ''];
  const { certificateFile, keyFile, caFile } = certificates.hub;
  const [cert, key] = [readFileSync(certificateFile), readFileSync(keyFile)];
  server = createServer({ cert, key, allowHalfOpen: true } as object, (socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      read += bytes.toString();
      onData?.(socket);
    });
    socket.on('end', () => onEnd?.(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { host: '127.0.0.1', port, caFile };
}
const killAll = (): void => sockets.forEach((socket) => socket.destroy());

beforeAll(async () => {
  certificates = await makeDevelopmentCertificates({ folder: folder.path, sites: ['hospital-a'] });
});
afterEach(() => {
  killAll();
  server.close();
});
afterAll(() => folder.remove());

describe(sendFrames.name, () => {
  it('is done when the receiver has read all and ended its side', async () => {
    const to = await receiver({ onEnd: (socket) => socket.end() });
    await sendFrames(to, frames, { clock: systemClock, signal: never });
    expect(read).toBe(whole);
  });

  it('is not done while the receiver has not ended its side', async () => {
    let hasEnded = (): void => undefined;
    const ended = new Promise<void>((resolve) => (hasEnded = resolve));
    const to = await receiver({ onEnd: () => hasEnded() });
    let isDone = false;
    const sending = sendFrames(to, frames, { clock: systemClock, signal: never });
    void sending.then(() => (isDone = true));
    await ended;
    await systemClock.sleep(200);
    expect([read, isDone]).toEqual([whole, false]);
    sockets.at(-1)!.end();
    await sending;
  });

  it('does not take the death of the receiver for its answer', async () => {
    // It has read everything, and dies before it has kept it: both connections end alike.
    const to = await receiver({ onEnd: () => sockets.forEach((socket) => socket.end()) });
    await expect(sendFrames(to, frames, { clock: systemClock, signal: never })).rejects.toEqual(
      refused,
    );
    expect(read).toBe(whole);
  });

  it('fails when the receiver breaks off in the middle', async () => {
    const to = await receiver({ onData: killAll });
    const sending = sendFrames(to, frames, { clock: systemClock, signal: never });
    await expect(sending).rejects.toEqual(refused);
  });

  it('gives up a receiver that never ends', async () => {
    const clock = new FakeClock();
    const to = await receiver({ onEnd: () => clock.advance(30_000) });
    await expect(sendFrames(to, frames, { clock, signal: never })).rejects.toEqual(refused);
  });

  it('ends at once when the process stops, and counts as not sent', async () => {
    const stopping = new AbortController();
    const to = await receiver({ onData: () => stopping.abort() });
    const sending = sendFrames(to, frames, { clock: systemClock, signal: stopping.signal });
    await expect(sending).rejects.toEqual(refused);
  });

  it('sends nothing to a receiver of another name or authority', async () => {
    const to = await receiver({ onEnd: (socket) => socket.end() });
    const other = await makeDevelopmentCertificates({
      folder: `${folder.path}/other`,
      sites: ['hospital-a'],
    });
    const wrongCa = { ...to, caFile: other.hub.caFile };
    const wrongName = { ...to, host: '127.0.0.2' };
    for (const wrong of [wrongCa, wrongName]) {
      const sending = sendFrames(wrong, frames, { clock: systemClock, signal: never });
      await expect(sending).rejects.toEqual(refused);
    }
    expect(read).toBe('');
  });

  it('needs its files', async () => {
    const to = await receiver({});
    const sending = sendFrames({ ...to, caFile: '/nowhere' }, frames, {
      ...{ clock: systemClock, signal: never },
    });
    await expect(sending).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

describe('syslogDestinationSchema', () => {
  it('has the port of syslog over TLS and no way to do without TLS', () => {
    const parsed = syslogDestinationSchema.parse({ host: 'log.example', caFile: 'ca.pem' });
    expect(parsed.port).toBe(6514);
    const plain = { host: 'log.example', caFile: 'ca.pem', tls: false };
    expect(syslogDestinationSchema.safeParse(plain).success).toBe(false);
    expect(syslogDestinationSchema.safeParse({ host: 'log.example' }).success).toBe(false);
  });
});
