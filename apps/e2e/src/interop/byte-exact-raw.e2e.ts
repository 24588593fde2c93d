/**
 * Goal: every byte of a C-STORE dataset is on disk, however a legal sender cuts it (F1, T-PDV).
 * Method: a sender of our own with its own encoder, through a proxy that writes down what was on
 * the wire, to the real receive stage; wire and disk are compared byte for byte.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startStoreScp } from '@aifi/dicom-dimse';
import { ByteTap } from '../byte-tap.js';
import { compare } from './byte-exact.js';
import { hasSharedFiles, sharedObjects } from './dicom-files.js';
import {
  commandAndDataTogether,
  emptyLastFragment,
  manyPdvsPerPdu,
  oneByteFragments,
  onePdvPerPdu,
  randomCuts,
  seededRandom,
  segments,
  type Framing,
} from './framings.js';
import { generatedCt, withGeneratedHeader } from './generated-objects.js';
import type { RawObject } from './raw-encoding.js';
import { RawSender } from './raw-sender.js';
import { rawStore } from './raw-store.js';
import { CALLED, Receiver } from './receiver.js';

const TITLES = { calledAeTitle: CALLED, callingAeTitle: 'RAW' };
const KIB = 1024;
const SMALL = { rows: 24, columns: 32 };
const CT = { rows: 512, columns: 512 };
/** More than two PDUs of 1 MiB. */
const LARGE = { rows: 1024, columns: 1100 };
/** As measured for F1: 160,000 bytes in PDUs of two data PDVs. */
const F1_SIZE = { rows: 200, columns: 400 };
const F1_TIMES = 100;
const TIMEOUT_MS = 120_000;
const SUCCESS = { kind: 'status', status: 0 };

describe('a dataset as sent is the dataset on disk', () => {
  let receiver: Receiver;
  let tap: ByteTap;

  beforeEach(async () => {
    receiver = await Receiver.start(TITLES.callingAeTitle);
    tap = await ByteTap.start(receiver.port);
  }, TIMEOUT_MS);
  afterEach(async () => {
    await tap.close();
    await receiver.close();
  });
  const peer = () => ({ ...TITLES, port: tap.port });

  async function expectExact(object: RawObject, framing: Framing) {
    expect(await rawStore(peer(), [{ object, framing }])).toMatchObject([SUCCESS]);
    const { stores, different } = compare(tap, receiver);
    expect(different).toEqual([]);
    expect(stores).toHaveLength(1);
    expect(stores[0]!.dataset.equals(object.dataset)).toBe(true);
    return stores[0]!;
  }

  it('may come in PDUs of 1 MiB: the listener says so', async () => {
    const { sopClassUid, transferSyntaxUid } = generatedCt('offer', SMALL);
    const context = { abstractSyntaxUid: sopClassUid, transferSyntaxUids: [transferSyntaxUid] };
    const { sender, opening } = await RawSender.open(peer(), [context]);
    expect(opening).toEqual({ kind: 'accepted', results: [0], pduBytes: 1024 * KIB });
    await sender.close();
  });

  it.each([4, 16, 64, 128, 512, 1024].map((kib) => [kib]))(
    'with PDUs of %i KiB',
    async (kib) => {
      const sent = await expectExact(generatedCt(`pdu ${kib}`, LARGE), onePdvPerPdu(kib * KIB));
      expect(sent.pduBytesMax).toBe(kib * KIB);
    },
    TIMEOUT_MS,
  );

  it('with fragments of one byte, of command and dataset', async () => {
    const object = generatedCt('one byte', SMALL);
    const sent = await expectExact(object, oneByteFragments);
    expect(sent.pdvCount).toBe(object.dataset.length);
  });

  it.each([2, 3, 5, 7].map((bytes) => [bytes]))('with PDVs of %i bytes', async (bytes) => {
    await expectExact(generatedCt(`pdv ${bytes}`, SMALL), onePdvPerPdu(6 + bytes));
  });

  it.each([
    [2, 20_000],
    [5, 3_001],
    [64, 250],
    [1_000, 1],
  ])('with %i PDVs of %i bytes in a PDU', async (count, bytes) => {
    const size = bytes < 250 ? SMALL : CT;
    const framing = manyPdvsPerPdu(count, bytes);
    const sent = await expectExact(generatedCt(`pdvs ${count}`, size), framing);
    expect(sent.pdvsPerPduMax).toBe(count);
  });

  it('with command and data in one PDU', async () => {
    await expectExact(generatedCt('together', CT), commandAndDataTogether(16 * KIB));
  });
  it('with a last fragment of no bytes', async () => {
    await expectExact(generatedCt('empty last', CT), emptyLastFragment(16 * KIB));
  });

  it('with cuts at random and TCP segments that cross every boundary (seeds 1 to 24)', async () => {
    const stores = Array.from({ length: 24 }, (_, index) => {
      const random = seededRandom(index + 1);
      return {
        object: generatedCt(`random ${index}`, { rows: 150, columns: 200 }),
        framing: randomCuts(random),
        segmenting: (bytes: Buffer) => segments(bytes, () => Math.floor(random() * 9_000)),
      };
    });
    expect(await rawStore(peer(), stores)).toMatchObject(stores.map(() => SUCCESS));
    const { stores: sent, different } = compare(tap, receiver);
    expect(different).toEqual([]);
    expect(sent).toHaveLength(stores.length);
  });

  it('with TCP segments of one byte', async () => {
    const object = generatedCt('one byte segments', { rows: 8, columns: 8 });
    const segmenting = (bytes: Buffer) => segments(bytes, () => 1);
    const framing = manyPdvsPerPdu(2, 33);
    expect(await rawStore(peer(), [{ object, framing, segmenting }])).toMatchObject([SUCCESS]);
    expect(compare(tap, receiver)).toMatchObject({ different: [], stores: [{}] });
  });

  (hasSharedFiles ? it : it.skip)(
    'in every transfer syntax of ../shared/data/dicom/transfer-syntaxes (skipped without it)',
    async () => {
      const files = sharedObjects('transfer-syntaxes');
      let refused = 0;
      for (const [index, file] of files.entries()) {
        const framing = manyPdvsPerPdu(2, 4_000 + index);
        const [answer] = await rawStore(peer(), [{ object: file, framing }]);
        if (answer?.kind === 'status' && answer.status === 0) continue;
        // The file names no study, or another object than its dataset: its pixels go all the same.
        refused += 1;
        const object = withGeneratedHeader(`syntax ${index}`, file);
        expect(await rawStore(peer(), [{ object, framing }])).toMatchObject([SUCCESS]);
      }
      const { stores, different } = compare(tap, receiver);
      expect(different).toEqual([]);
      expect(stores).toHaveLength(files.length);
      expect(refused).toBeLessThanOrEqual(4);
      const received = new Set(receiver.rows().map((row) => row.transferSyntaxUid));
      expect(received).toEqual(new Set(files.map((file) => file.transferSyntaxUid)));
    },
    TIMEOUT_MS,
  );

  it(
    `loses no byte of two data PDVs per PDU, ${F1_TIMES} times, the listener held up or not`,
    async () => {
      const pid = receiver.listenerPid();
      expect(pid).toBeGreaterThan(0);
      const framing = manyPdvsPerPdu(2, 20_000);
      for (let time = 0; time < F1_TIMES; time += 1) {
        const object = generatedCt(`F1 ${time}`, F1_SIZE);
        // Held up after the association: then everything that was sent comes in one rush.
        const isHeldUp = time % 2 === 1;
        const segmenting = function* (bytes: Buffer) {
          if (isHeldUp) process.kill(pid, 'SIGSTOP');
          yield bytes;
        };
        const release = isHeldUp ? setInterval(() => process.kill(pid, 'SIGCONT'), 5) : undefined;
        const store = { object, framing, ...(isHeldUp ? { segmenting } : {}) };
        expect(await rawStore(peer(), [store])).toMatchObject([SUCCESS]);
        clearInterval(release);
      }
      const { stores, different } = compare(tap, receiver);
      expect(different).toEqual([]);
      expect(stores).toHaveLength(F1_TIMES);
      expect(stores.every(({ pdvsPerPduMax }) => pdvsPerPduMax === 2)).toBe(true);
    },
    TIMEOUT_MS,
  );
});

describe('a sink that is slow', () => {
  it(
    `gets every byte of two data PDVs per PDU, ${F1_TIMES} times`,
    async () => {
      const received = new Map<string, Buffer[]>();
      const scp = await startStoreScp({
        host: '127.0.0.1',
        port: 0,
        aeTitle: CALLED,
        callers: 'any',
        handler: {
          begin: ({ affectedSopInstanceUid }) => {
            const chunks: Buffer[] = [];
            received.set(affectedSopInstanceUid, chunks);
            return Promise.resolve({
              write: async (chunk: Uint8Array) => {
                await new Promise((resolve) => setTimeout(resolve, 1));
                chunks.push(Buffer.from(chunk));
              },
              end: () => Promise.resolve(0),
              abort: () => Promise.resolve(),
            });
          },
        },
      });
      const framing = manyPdvsPerPdu(2, 20_000);
      for (let time = 0; time < F1_TIMES; time += 1) {
        const object = generatedCt(`slow ${time}`, F1_SIZE);
        const answers = await rawStore({ ...TITLES, port: scp.port }, [{ object, framing }]);
        expect(answers).toMatchObject([SUCCESS]);
        const whole = Buffer.concat(received.get(object.sopInstanceUid)!);
        expect(whole.equals(object.dataset)).toBe(true);
        received.delete(object.sopInstanceUid);
      }
      await scp.close();
    },
    TIMEOUT_MS,
  );
});
