/**
 * Goal: no order of HTTP/2 frames ends the hub, whether the sender is let in or refused.
 * Method: the real front with the real gRPC server on loopback; a call and its reset in the first
 * flight, written byte by byte, so that both lie in the buffer when the front hands the socket on.
 * An exception that nobody catches fails the test by itself.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Server } from '@grpc/grpc-js';
import { peerFromAlternativeNames } from '@aifi/hub-identity';
import { AifiError, systemClock } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { temporaryFolder } from '@aifi/shared-testing';
import { GRPC_ALPN, grpcProtocol } from './grpc-protocol.js';
import { LinkFront } from './link-front.js';
import { noMeter } from './link-meter.js';
import type { Admission } from './link-trust.js';

type Files = Record<'caFile' | 'certificateFile' | 'keyFile', string>;
const UNAUTHENTICATED = '16';
const UNIMPLEMENTED = '12';
/** Types of frames (RFC 9113 6). */
const [HEADERS, RST_STREAM, SETTINGS] = [1, 3, 4] as const;
const END_HEADERS = 4;
/** As long as a look into the records takes at least. @unit ms */
const LOOK_MS = 20;

const folder = temporaryFolder('hostile-frames');
let own: Files;
let hub: Files;
let sut: LinkFront;
let port: number;
let isRevoked = false;
let handedOn = 0;
const sockets: TLSSocket[] = [];
const text = (path: string): string => readFileSync(path, 'utf8');

beforeAll(async () => {
  const program = join(import.meta.dirname, '../../../../deploy/certs/make-certs.mjs');
  const printed = execFileSync(process.execPath, [program, folder.path, 'site-a']);
  const made = JSON.parse(printed.toString()) as { hub: Files; sites: Record<string, Files> };
  own = made.sites['site-a']!;
  ({ hub } = made);
  const identity = { certificate: text(hub.certificateFile), key: text(hub.keyFile) };
  const admit = async (shown: { subjectAltName: string | undefined }): Promise<Admission> => {
    await systemClock.sleep(LOOK_MS);
    handedOn += 1;
    if (isRevoked) throw new AifiError('UNTRUSTED', 'the certificate is revoked');
    const peer = peerFromAlternativeNames(shown.subjectAltName ?? '');
    return { peer, release: () => undefined };
  };
  sut = new LinkFront({
    ...{ clock: systemClock, logger: silentLogger, meter: noMeter },
    trust: { anchors: async () => [text(hub.caFile)], admit, lapsed: async () => new Set() },
    ...{ readIdentity: () => identity, protocols: [grpcProtocol(new Server())] },
  });
  port = await sut.start({ host: '127.0.0.1', port: 0 });
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});
afterAll(() => {
  sut.destroy();
  folder.remove();
});

async function dial(): Promise<TLSSocket> {
  const socket = connect({
    ...{ host: 'localhost', port, ca: text(hub.caFile), ALPNProtocols: [GRPC_ALPN] },
    ...{ cert: text(own.certificateFile), key: text(own.keyFile) },
  });
  sockets.push(socket);
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}
function frame(type: number, stream: number, payload: Buffer, flags = 0): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}
/** HPACK literals without indexing (RFC 7541 6.2.2). */
const fields = (all: Readonly<Record<string, string>>): Buffer =>
  Buffer.concat(
    Object.entries(all).flatMap(([name, value]) => [
      Buffer.from([0, name.length]),
      Buffer.from(name),
      Buffer.from([value.length]),
      Buffer.from(value),
    ]),
  );
function callAndReset(contentType: string): Buffer {
  const block = fields({
    ...{ ':method': 'POST', ':scheme': 'http', ':path': '/no/method', ':authority': 'hub' },
    ...{ 'content-type': contentType, te: 'trailers' },
  });
  return Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    frame(SETTINGS, 0, Buffer.alloc(0)),
    frame(HEADERS, 1, block, END_HEADERS),
    // CANCEL
    frame(RST_STREAM, 1, Buffer.from([0, 0, 0, 8])),
  ]);
}
/** The status that a well-behaved call gets. */
async function statusOfCall(): Promise<unknown> {
  const socket = await dial();
  const session = connectHttp2('http://hub', { createConnection: () => socket });
  session.on('error', () => undefined);
  const call = session.request({
    ...{ ':method': 'POST', ':path': '/no/method' },
    ...{ 'content-type': 'application/grpc', te: 'trailers' },
  });
  call.resume().end();
  const [headers] = (await once(call, 'response')) as [Record<string, string>];
  session.destroy();
  return headers['grpc-status'];
}

describe('a call that is reset before it is looked at', () => {
  it.each([
    ['of a gateway that is let in', 'application/grpc', false, UNIMPLEMENTED],
    ['of another content type', 'text/plain', false, UNIMPLEMENTED],
    ['of a gateway that is refused', 'application/grpc', true, UNAUTHENTICATED],
  ])('%s ends nothing but itself', async (_name, contentType, refused, expected) => {
    isRevoked = refused;
    handedOn = 0;
    const attacker = await dial();
    attacker.write(callAndReset(contentType));
    attacker.resume();
    // The answer to the settings: the frames behind them have been read as well.
    await once(attacker, 'data');
    expect(handedOn).toBe(1);
    expect(await statusOfCall()).toBe(expected);
  });
});
