/**
 * Goal: what a peer sends arrives byte for byte, and who may not send is refused (F1-F5, F9).
 * Method: DCMTK's echoscu and storescu as peers; DCMTK's own storescp in bit-preserving mode says
 * which bytes storescu puts on the wire; a raw socket plays the peers that DCMTK cannot.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DicomDataset, decodeFileMeta, encodePart10 } from '@aifi/dicom-core';
import { AifiError, LIMITS, systemClock } from '@aifi/shared-kernel';
import { FakeClock, freePorts, temporaryFolder } from '@aifi/shared-testing';
import { encodeAssociateRequest } from './associate.js';
import { decodeCommand, encodeRequest } from './command-set.js';
import { encodePdu, encodePdvPdu, PDU_TYPE, PduReader, pdvsOf, type Pdu } from './pdu.js';
import type { StoreHandler, StoreRequest } from './store-exchange.js';
import { startStoreScp, type RunningScp } from './store-scp.js';

const run = promisify(execFile);
const SHARED = join(import.meta.dirname, '../../../../../shared/data/dicom');
const CT = '1.2.840.10008.5.1.4.1.1.2';
const EXPLICIT = '1.2.840.10008.1.2.1';
/** storescu option → file in that transfer syntax. */
const SYNTAXES: readonly [string, string][] = [
  ['-xe', 'LittleEndianExplicitTransferSyntax_1.2.840.10008.1.2.1'],
  ['-xi', 'LittleEndianImplicitTransferSyntax_1.2.840.10008.1.2'],
  ['-xb', 'BigEndianExplicitTransferSyntax_1.2.840.10008.1.2.2'],
  ['-xd', 'DeflatedExplicitVRLittleEndianTransferSyntax_1.2.840.10008.1.2.1.99'],
  ['-xs', 'JPEGProcess14SV1TransferSyntax_1.2.840.10008.1.2.4.70'],
  ['-xy', 'JPEGProcess1TransferSyntax_1.2.840.10008.1.2.4.50'],
  ['-xv', 'JPEG2000LosslessOnlyTransferSyntax_1.2.840.10008.1.2.4.90'],
  ['-xt', 'JPEGLSLosslessTransferSyntax_1.2.840.10008.1.2.4.80'],
  ['-xr', 'RLELosslessTransferSyntax_1.2.840.10008.1.2.5'],
];

interface Received extends StoreRequest {
  readonly dataset: Buffer;
}
const received: Received[] = [];
const slowSink: { delayMs: number; failWith: AifiError | undefined } = {
  delayMs: 0,
  failWith: undefined,
};
let aborted = 0;
const handler: StoreHandler = {
  begin: async (request) => {
    const parts: Buffer[] = [];
    return {
      write: async (chunk) => {
        if (slowSink.delayMs > 0) await systemClock.sleep(slowSink.delayMs);
        if (slowSink.failWith) throw slowSink.failWith;
        parts.push(Buffer.from(chunk));
      },
      end: async () => {
        received.push({ ...request, dataset: Buffer.concat(parts) });
        return 0;
      },
      abort: async () => {
        aborted += 1;
      },
    };
  },
};

/** A hand-driven peer. */
class RawPeer {
  readonly #reader = new PduReader();
  readonly #pdus: AsyncGenerator<Pdu>;
  private constructor(readonly socket: Socket) {
    this.#pdus = this.#read();
  }
  static async open(port: number): Promise<RawPeer> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return new RawPeer(socket);
  }
  static async associated(port: number): Promise<RawPeer> {
    const peer = await RawPeer.open(port);
    const contexts = [{ abstractSyntaxUid: CT, transferSyntaxUids: [EXPLICIT] }];
    peer.socket.write(encodeAssociateRequest('SUT', 'PEER', contexts));
    expect((await peer.next())?.type).toBe(PDU_TYPE.associateAccept);
    return peer;
  }
  async next(): Promise<Pdu | undefined> {
    const { value, done } = await this.#pdus.next();
    return done ? undefined : (value as Pdu);
  }
  async status(): Promise<number | undefined> {
    const pdu = await this.next();
    return decodeCommand(pdvsOf(pdu!.bytes)[0]!.value).status;
  }
  async *#read(): AsyncGenerator<Pdu> {
    for await (const chunk of this.socket) yield* this.#reader.push(chunk as Buffer);
  }
}
const storeCommand = (messageId: number) =>
  encodePdvPdu({
    contextId: 1,
    isCommand: true,
    isLast: true,
    value: encodeRequest({
      field: 1,
      messageId,
      hasDataset: true,
      affectedSopClassUid: CT,
      affectedSopInstanceUid: `1.2.3.${messageId}`,
    }),
  });
const dataPdv = (value: Buffer, isLast: boolean) =>
  encodePdvPdu({ contextId: 1, isCommand: false, isLast, value }).subarray(6);

function phantom(folder: string): string {
  const dataset = new DicomDataset()
    .setString('SOPClassUID', CT)
    .setString('SOPInstanceUID', '1.2.3.4.5')
    .setString('StudyInstanceUID', '1.2.3')
    .setString('SeriesInstanceUID', '1.2.3.4')
    .setBytes('PixelData', Buffer.alloc(300_000, 7), 'OW');
  const path = join(folder, 'phantom.dcm');
  writeFileSync(path, encodePart10(dataset));
  return path;
}

describe('startStoreScp', () => {
  const folder = temporaryFolder('dimse');
  const image = phantom(folder.path);
  let sut: RunningScp;

  beforeAll(async () => {
    sut = await startStoreScp({
      host: '127.0.0.1',
      port: 0,
      aeTitle: 'SUT',
      callers: [
        { aeTitle: 'PEER', host: '127.0.0.1', plain: true },
        { aeTitle: 'ELSEWHERE', host: '192.0.2.1', plain: true },
        { aeTitle: 'ONLYTLS', host: '127.0.0.1' },
      ],
      handler,
    });
  });
  afterAll(async () => {
    await sut.close();
    folder.remove();
  });
  const peer = (...args: string[]) => [...args, '127.0.0.1', String(sut.port)];

  it('answers C-ECHO', async () => {
    await run('echoscu', peer('-aet', 'PEER', '-aec', 'SUT'));
  });

  it.each([
    ['an unknown calling AE title', 'STRANGER', 'SUT', /Calling AE Title Not Recognized/],
    ['a known calling AE title from another address', 'ELSEWHERE', 'SUT', /Calling AE Title/],
    ['a calling AE title that is known over TLS only', 'ONLYTLS', 'SUT', /Calling AE Title/],
    ['an unknown called AE title', 'PEER', 'OTHER', /Called AE Title Not Recognized/],
  ])('rejects an association of %s', async (_, calling, called, words) => {
    const asked = run('echoscu', peer('-aet', calling, '-aec', called));
    await expect(asked).rejects.toMatchObject({ stderr: expect.stringMatching(words) });
  });

  it('takes four associations at once', async () => {
    received.length = 0;
    const one = () => run('storescu', [...peer('-aet', 'PEER', '-aec', 'SUT'), image]);
    await Promise.all([one(), one(), one(), one()]);
    expect(received).toHaveLength(4);
    expect(new Set(received.map(({ dataset }) => dataset.length)).size).toBe(1);
  });

  it('keeps every byte of P-DATA-TF with two data PDVs while the sink lags (F1)', async () => {
    received.length = 0;
    slowSink.delayMs = 2;
    const pixels = Buffer.from(Array.from({ length: 160_000 }, (_, i) => (i * 31) & 255));
    const raw = await RawPeer.associated(sut.port);
    const stream: Buffer[] = [storeCommand(1)];
    for (let at = 0; at < pixels.length; at += 16_000) {
      const [a, b] = [pixels.subarray(at, at + 8_000), pixels.subarray(at + 8_000, at + 16_000)];
      const pdvs = [dataPdv(a, false), dataPdv(b, at + 16_000 >= pixels.length)];
      stream.push(encodePdu(PDU_TYPE.data, Buffer.concat(pdvs)));
    }
    raw.socket.write(Buffer.concat(stream));
    expect(await raw.status()).toBe(0);
    expect(received[0]?.dataset.equals(pixels)).toBe(true);
    slowSink.delayMs = 0;
    raw.socket.destroy();
  });

  it('answers pipelined requests in their order, each with its own verdict', async () => {
    const raw = await RawPeer.associated(sut.port);
    const data = encodePdu(PDU_TYPE.data, dataPdv(Buffer.from('ab'), true));
    raw.socket.write(Buffer.concat([storeCommand(1), data, storeCommand(2), data]));
    expect([await raw.status(), await raw.status()]).toEqual([0, 0]);
    raw.socket.destroy();
  });

  it('answers a failing sink with the status of its fault and reads on', async () => {
    const raw = await RawPeer.associated(sut.port);
    slowSink.failWith = new AifiError('OUT_OF_RESOURCES', 'full');
    const abortedBefore = aborted;
    const data = encodePdu(PDU_TYPE.data, dataPdv(Buffer.alloc(5_000), true));
    raw.socket.write(Buffer.concat([storeCommand(1), data]));
    expect(await raw.status()).toBe(0xa700);
    expect(aborted).toBe(abortedBefore + 1);
    slowSink.failWith = undefined;
    raw.socket.write(Buffer.concat([storeCommand(2), data]));
    expect(await raw.status()).toBe(0);
    raw.socket.destroy();
  });

  it('aborts a sink when the peer goes away inside a dataset', async () => {
    const abortedBefore = aborted;
    const raw = await RawPeer.associated(sut.port);
    const data = encodePdu(PDU_TYPE.data, dataPdv(Buffer.alloc(500), false));
    raw.socket.end(Buffer.concat([storeCommand(1), data]));
    await once(raw.socket, 'close');
    while (aborted === abortedBefore) await systemClock.sleep(5);
    expect(aborted).toBe(abortedBefore + 1);
  });

  it.each([
    ['a PDU over the limit', Buffer.from([4, 0, 0x7f, 255, 255, 255])],
    ['a C-FIND, which is not offered', findPdu()],
  ])('aborts an association after %s', async (_, bytes) => {
    const raw = await RawPeer.associated(sut.port);
    raw.socket.write(bytes);
    expect((await raw.next())?.type).toBe(PDU_TYPE.abort);
    raw.socket.destroy();
  });

  it('ends a connection that says nothing when the ARTIM timer runs out (F4)', async () => {
    const clock = new FakeClock();
    const options = { host: '127.0.0.1', port: 0, aeTitle: 'SUT', handler, clock };
    const patient = await startStoreScp({ ...options, callers: [] });
    const raw = await RawPeer.open(patient.port);
    const closed = once(raw.socket.resume(), 'close');
    clock.advance(LIMITS.artimMs - 1);
    await systemClock.sleep(20);
    expect(raw.socket.closed).toBe(false);
    clock.advance(1);
    await closed;
    await patient.close();
  });

  it('holds at most the permitted connections of one peer', async () => {
    const peers = await Promise.all(
      Array.from({ length: LIMITS.associationsPerPeerMax }, () => RawPeer.associated(sut.port)),
    );
    const tooMany = await RawPeer.open(sut.port);
    const contexts = [{ abstractSyntaxUid: CT, transferSyntaxUids: [EXPLICIT] }];
    tooMany.socket.write(encodeAssociateRequest('SUT', 'PEER', contexts));
    // Transient, by the presentation provider, local limit exceeded (PS3.8 9.3.4).
    expect((await tooMany.next())?.bytes).toEqual(Buffer.from([3, 0, 0, 0, 0, 4, 0, 2, 3, 2]));
    for (const { socket } of peers) socket.destroy();
    await Promise.all(peers.map(({ socket }) => socket.closed || once(socket, 'close')));
  });

  describe.each(SYNTAXES.filter(([, name]) => existsSync(syntaxFile(name))))(
    'storescu %s',
    (option, name) => {
      it(`delivers ${name.split('Transfer')[0]} as DCMTK's own SCP gets it`, async () => {
        received.length = 0;
        const file = syntaxFile(name);
        const expected = await whatDcmtkReceives(folder.path, option, file);
        await run('storescu', [...peer('-aet', 'PEER', '-aec', 'SUT', option, '-R'), file]);
        const { meta, datasetOffset } = decodeFileMeta(expected);
        expect(received[0]?.transferSyntaxUid).toBe(meta.transferSyntaxUid);
        expect(received[0]?.affectedSopInstanceUid).toBe(meta.sopInstanceUid);
        expect(received[0]?.dataset.equals(expected.subarray(datasetOffset))).toBe(true);
      });
    },
  );
});

function findPdu(): Buffer {
  const value = encodeRequest({
    field: 0x20,
    messageId: 1,
    hasDataset: true,
    affectedSopClassUid: CT,
  });
  return encodePdvPdu({ contextId: 1, isCommand: true, isLast: true, value });
}
function syntaxFile(name: string): string {
  return join(SHARED, 'transfer-syntaxes', `CTImage.dcm_${name}.dcm`);
}

/** The file that `storescp --bit-preserving` writes when storescu sends `file`. */
async function whatDcmtkReceives(folder: string, option: string, file: string): Promise<Buffer> {
  const out = join(folder, 'oracle');
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
  const [port] = await freePorts(1);
  const accepts = option === '-xi' ? '+xi' : '+xa';
  const storescp = spawn('storescp', [accepts, '+B', '-od', out, String(port)]);
  try {
    for (;;) {
      const sent = await run('storescu', [option, '-R', '127.0.0.1', String(port), file]).then(
        () => true,
        () => false,
      );
      const [written] = readdirSync(out);
      if (sent && written) return readFileSync(join(out, written));
      await systemClock.sleep(50);
    }
  } finally {
    storescp.kill('SIGKILL');
    await once(storescp, 'exit');
  }
}
