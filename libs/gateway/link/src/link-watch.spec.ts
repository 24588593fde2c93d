/** Goal: a hub that takes the connection and refuses the certificate does not count as reached. */
import { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { silentLogger } from '@aifi/shared-observability';
import { FakeClock } from '@aifi/shared-testing';
import { LinkWatch } from './link-watch.js';

describe(LinkWatch.name, () => {
  const signal = new AbortController().signal;
  let clock: FakeClock;
  let socket: Socket;
  let isUp: boolean;
  let dials: number;
  let sut: LinkWatch;
  beforeEach(() => {
    [clock, socket, isUp, dials] = [new FakeClock(), new Socket(), true, 0];
    sut = new LinkWatch({
      ...{ clock, logger: silentLogger, random: () => 0, isUp: () => isUp, mayDial: () => true },
      target: { host: 'hub.example', port: 443, serverName: 'hub.example' },
      dial: () => {
        dials += 1;
        return Promise.resolve(socket as TLSSocket);
      },
    });
  });
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  /** A look whose dial, if any, is held for a while. */
  async function look(): Promise<void> {
    clock.advance(60_000);
    const looking = sut.look(signal);
    await settle();
    clock.advance(2_000);
    await looking;
  }

  it('is refused while its channel is up, until a call is answered again', async () => {
    await look();
    expect([sut.isRefused, sut.finding]).toEqual([false, null]);
    sut.judge('refused');
    await look();
    expect(sut).toMatchObject({ isRefused: true, finding: { code: 'PEER_REFUSED' } });
    expect(dials).toBe(1);
    sut.judge('accepted');
    expect([sut.isRefused, sut.finding]).toEqual([false, null]);
  });
  it('is refused when the connection is cut right after the handshake', async () => {
    isUp = false;
    clock.advance(60_000);
    const looking = sut.look(signal);
    await settle();
    socket.destroy();
    await looking;
    expect(sut).toMatchObject({ finding: { code: 'PEER_REFUSED' }, lastContactAtMs: null });
  });
  it('has reached a hub that keeps the connection', async () => {
    isUp = false;
    await look();
    expect([sut.finding, sut.lastContactAtMs]).toEqual([null, clock.nowMs()]);
    expect(socket.destroyed).toBe(true);
  });
});
