/**
 * Goal: what a PACS does to a request is told apart by type, and nothing is waited for without end.
 * Method: a scripted peer on loopback that rejects, aborts, falls silent, answers early or breaks
 * the protocol; the fake clock where the rule is about time.
 */
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { DicomDataset, encodeDataset } from '@aifi/dicom-core';
import { systemClock, type Clock } from '@aifi/shared-kernel';
import { FakeClock, freePorts } from '@aifi/shared-testing';
import { DimseScu, type StoreObject } from './dimse-scu.js';
import { encodePdu, PDU_TYPE } from './pdu.js';
import {
  AssociationRejected,
  PeerAborted,
  PeerClosed,
  PeerNonsense,
  PeerStatus,
  peerFaultOf,
} from './peer-fault.js';
import { ScriptedScp, type ScriptedPeer } from './scripted-scp.js';

const EXPLICIT = '1.2.840.10008.1.2.1';
const OBJECT: Omit<StoreObject, 'dataset'> = {
  sopClassUid: '1.2.840.10008.5.1.4.1.1.7',
  sopInstanceUid: '2.25.3',
  transferSyntaxUid: EXPLICIT,
};
const MEBIBYTE = 1024 * 1024;

/** `count` chunks of a mebibyte; `before` runs ahead of each. */
const chunks = (count: number, before: (index: number) => unknown = () => undefined) =>
  async function* (): AsyncGenerator<Uint8Array> {
    for (let index = 0; index < count; index += 1) {
      await before(index);
      yield Buffer.alloc(MEBIBYTE, index);
    }
  };

let scp: ScriptedScp;
afterEach(async () => {
  // Scripts that the other side left behind fail on purpose.
  await scp.close().catch(() => undefined);
});
async function scuOf(
  script: (peer: ScriptedPeer, index: number) => Promise<void>,
  options: { clock?: Clock; timeoutMs?: number; storeTimeoutMs?: number } = {},
): Promise<DimseScu> {
  scp = await ScriptedScp.start(script);
  const titles = { calledAeTitle: 'PACS', callingAeTitle: 'GATEWAY' };
  const peer = { host: '127.0.0.1', port: scp.port, ...titles };
  return new DimseScu({ clock: systemClock, ...peer, ...options });
}
async function faultOf(work: Promise<unknown>) {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Error);
  return { error, code: (error as { code?: string }).code, cause: peerFaultOf(error) };
}

describe('outcomes of a request', () => {
  it('says who rejected an association, why, and whether that lasts', async () => {
    const sut = await scuOf((peer, index) =>
      index === 0 ? peer.reject(1, 1, 7) : peer.reject(2, 3, 2),
    );
    const permanent = await faultOf(sut.echo());
    expect(permanent.code).toBe('PEER_UNAVAILABLE');
    expect(permanent.cause).toBeInstanceOf(AssociationRejected);
    expect(permanent.cause).toMatchObject({ result: 1, source: 1, reason: 7, isTransient: false });
    const transient = await faultOf(sut.findStudy('1.2'));
    expect(transient.cause).toMatchObject({ result: 2, source: 3, reason: 2, isTransient: true });
  });

  it('says that nobody is there', async () => {
    const [port] = await freePorts(1);
    scp = await ScriptedScp.start(async () => undefined);
    const titles = { calledAeTitle: 'PACS', callingAeTitle: 'GATEWAY' };
    const peer = { host: '127.0.0.1', port: port!, ...titles };
    const { code, cause } = await faultOf(new DimseScu({ ...peer, clock: systemClock }).echo());
    expect(code).toBe('PEER_UNAVAILABLE');
    expect(cause).toBeInstanceOf(PeerClosed);
    expect(cause).toMatchObject({ phase: 'connect', code: 'ECONNREFUSED' });
  });

  it('says how far a request had come when the peer aborted it', async () => {
    const sut = await scuOf(async (peer, index) => {
      if (index === 0) await peer.next();
      else await peer.accept();
      if (index === 1) await peer.next();
      if (index === 2) await peer.receive();
      peer.abort(2, 1);
      peer.socket.end();
    });
    const dataset = chunks(4, () => setImmediate());
    const during = await faultOf(sut.echo());
    expect(during.cause).toBeInstanceOf(PeerAborted);
    expect(during.cause).toMatchObject({ phase: 'associate', source: 2, reason: 1 });
    const store = await faultOf(sut.store({ ...OBJECT, dataset }));
    expect(store.code).toBe('PEER_UNAVAILABLE');
    expect([PeerAborted, PeerClosed].some((kind) => store.cause instanceof kind)).toBe(true);
    expect(store.cause).toMatchObject({ phase: 'request' });
    const answer = await faultOf(sut.store({ ...OBJECT, dataset: Buffer.alloc(100) }));
    expect(answer.cause).toMatchObject({ phase: 'answer', source: 2, reason: 1 });
  });

  it('says that the peer left in the middle of a store, and closes the file', async () => {
    const sut = await scuOf(async (peer) => {
      await peer.accept();
      await peer.next();
      await peer.next();
      peer.socket.destroy();
    });
    let isClosed = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.alloc(MEBIBYTE);
      } finally {
        isClosed = true;
      }
    }
    const { code, cause } = await faultOf(sut.store({ ...OBJECT, dataset: endless }));
    expect(code).toBe('PEER_UNAVAILABLE');
    expect(cause).toBeInstanceOf(PeerClosed);
    expect(cause).toMatchObject({ phase: 'request' });
    expect(isClosed).toBe(true);
  });

  it('takes an answer that comes before the dataset has ended', async () => {
    const sut = await scuOf(async (peer) => {
      await peer.accept();
      await peer.next();
      peer.answer({ field: 1, messageId: 1 }, 0xa700);
      while ((await peer.next())!.type === PDU_TYPE.data);
      peer.socket.end();
    });
    expect(await sut.store({ ...OBJECT, dataset: chunks(2) })).toBe(0xa700);
  });

  it('passes a fault of our own disk on as it is and tells the peer to forget', async () => {
    let last: number | undefined;
    const sut = await scuOf(async (peer) => {
      await peer.accept();
      for (let pdu = await peer.next(); pdu; pdu = await peer.next()) last = pdu.type;
    });
    const broken = new Error('disk');
    const fail = (index: number): void => {
      if (index === 1) throw broken;
    };
    const { error } = await faultOf(sut.store({ ...OBJECT, dataset: chunks(3, fail) }));
    expect(error).toBe(broken);
    await scp.runs[0];
    expect(last).toBe(PDU_TYPE.abort);
    const odd = await faultOf(sut.store({ ...OBJECT, dataset: Buffer.alloc(5) }));
    expect(odd.code).toBe('DICOM_MALFORMED');
  });

  const nonsense: readonly (readonly [string, (peer: ScriptedPeer) => Promise<unknown>])[] = [
    ['accepts with something else', async (peer) => peer.socket.write(encodePdu(6, bytes(4)))],
    ['takes fragments of no byte', (peer) => peer.accept({ pduBytesMax: 7 })],
    ['sends an unknown PDU', async (peer) => peer.socket.write(encodePdu(9, bytes(4)))],
    ['answers something else', (peer) => answered(peer, 0x8001)],
    ['answers on another context', async (peer) => answered(peer, 0x8030, 3)],
  ];
  for (const [what, script] of nonsense) {
    it(`has no answer from a peer that ${what}`, async () => {
      const sut = await scuOf(async (peer) => void (await script(peer)));
      const { code, cause } = await faultOf(sut.echo());
      expect(code).toBe('PEER_UNAVAILABLE');
      expect(cause).toBeInstanceOf(PeerNonsense);
    });
  }

  it('is refused by a peer that takes the context in another syntax or not at all', async () => {
    const sut = await scuOf(async (peer, index) => {
      await peer.accept(index === 0 ? { syntax: '1.2.840.10008.1.2' } : { result: 3 });
      await drained(peer);
    });
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const dataset = Buffer.alloc(2);
      const { code } = await faultOf(sut.store({ ...OBJECT, dataset }));
      expect(code).toBe('PEER_REFUSED');
    }
  });
});

describe('deadlines of a request', () => {
  async function stepped(clock: FakeClock, byMs: number, done: () => boolean): Promise<number> {
    let steps = 0;
    for (; !done(); steps += 1) {
      clock.advance(byMs);
      await systemClock.sleep(2);
    }
    return steps;
  }

  it('gives up a peer that never answers, at each stage', async () => {
    const clock = new FakeClock();
    const reached: number[] = [];
    const sut = await scuOf(
      async (peer, index) => {
        if (index === 0) await peer.next();
        else await peer.accept();
        if (index === 2) await peer.receive();
        reached.push(index);
        await drained(peer);
      },
      { clock, timeoutMs: 1_000 },
    );
    for (const index of [0, 1, 2]) {
      let isOver = false;
      const work = sut.store({ ...OBJECT, dataset: Buffer.alloc(64) });
      const fault = faultOf(work).finally(() => (isOver = true));
      while (!reached.includes(index)) await systemClock.sleep(1);
      await stepped(clock, 500, () => isOver);
      expect((await fault).code).toBe('DEADLINE_EXCEEDED');
    }
  });

  it('lets a store last as long as bytes move, but not beyond its total', async () => {
    const clock = new FakeClock();
    const sut = await scuOf(
      async (peer) => {
        await peer.accept();
        const { command } = await peer.receive(false);
        peer.answer(command, 0);
        await peer.release();
      },
      { clock, timeoutMs: 1_000, storeTimeoutMs: 50_000 },
    );
    // Ten times the longest silence in all, half of it before each chunk.
    const slowly = async (): Promise<void> => {
      await setImmediate();
      clock.advance(500);
      await setImmediate();
    };
    expect(await sut.store({ ...OBJECT, dataset: chunks(20, slowly) })).toBe(0);
    const endlessly = await faultOf(sut.store({ ...OBJECT, dataset: chunks(200, slowly) }));
    expect(endlessly.code).toBe('DEADLINE_EXCEEDED');
  });
});

describe('C-FIND', () => {
  const matchOf = (uid: string, change: (match: DicomDataset) => void = () => undefined) => {
    const match = new DicomDataset()
      .setString('QueryRetrieveLevel', 'STUDY')
      .setString('StudyInstanceUID', uid)
      .setString('PatientID', 'P-1');
    change(match);
    return encodeDataset(match, { explicitVr: true, littleEndian: true });
  };
  const answering = (status: number, matches: readonly Buffer[]) => async (peer: ScriptedPeer) => {
    await peer.accept();
    const { command } = await peer.receive();
    for (const match of matches) peer.answer(command, status, match);
    peer.answer(command, 0);
    await peer.release();
  };

  it('reads names in the character set of the answer, and pending with a warning', async () => {
    const latin = matchOf('1.2', (match) =>
      match
        .setString('SpecificCharacterSet', 'ISO_IR 100')
        .setBytes('PatientID', Buffer.from('Zo\xeb1', 'latin1'), 'LO'),
    );
    const sut = await scuOf(answering(0xff01, [latin]));
    expect(await sut.findStudy('1.2')).toEqual([
      {
        ...{ studyInstanceUid: '1.2', patientId: 'Zoë1', issuerOfPatientId: '' },
        ...{ patientBirthDate: '', patientName: '', patientSex: '', accessionNumber: '' },
      },
    ]);
  });

  it('counts only matches of the very UID that was asked for', async () => {
    const sut = await scuOf(
      answering(
        0xff00,
        ['1.2.3', '1.2', '1.20', ''].map((u) => matchOf(u)),
      ),
    );
    expect(await sut.findStudy('1.2')).toHaveLength(1);
    expect(await sut.findInstance('1.2', '1.3', '1.2')).toBe(false);
  });

  it('gives up a peer that lists its whole archive', async () => {
    const many = Array.from({ length: 101 }, () => matchOf('1.2'));
    const sut = await scuOf(answering(0xff00, many));
    expect((await faultOf(sut.findStudy('1.2'))).cause).toBeInstanceOf(PeerNonsense);
  });

  it('tells the status of a query that failed', async () => {
    const sut = await scuOf(async (peer) => {
      await peer.accept();
      peer.answer((await peer.receive()).command, 0xa900);
      await drained(peer);
    });
    const { code, cause } = await faultOf(sut.findStudy('1.2'));
    expect(code).toBe('PEER_UNAVAILABLE');
    expect(cause).toBeInstanceOf(PeerStatus);
    expect(cause).toMatchObject({ status: 0xa900 });
  });
});

const bytes = (length: number): Buffer => Buffer.alloc(length);
/** Reads until the other side is gone. */
async function drained(peer: ScriptedPeer): Promise<void> {
  while (await peer.next());
}
async function answered(peer: ScriptedPeer, field: number, contextId = 1): Promise<void> {
  await peer.accept();
  const { command } = await peer.receive();
  peer.answer({ ...command, field: field & 0x7fff }, 0, undefined, contextId);
  await drained(peer);
}
