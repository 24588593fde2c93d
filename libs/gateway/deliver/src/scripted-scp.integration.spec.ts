/**
 * Goal: over real DIMSE each answer of a PACS ends as P6 says, with the bytes on record and nothing
 * twice. Method: our SCU against a scripted SCP over TCP; rejections and cut connections are played
 * on the wire; the clock of the service is moved by hand.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeFileMeta } from '@aifi/dicom-core';
import { systemClock } from '@aifi/shared-kernel';
import { createPacsPeer } from './create-pacs-peer.js';
import { deliverConfigSchema } from './deliver.config.js';
import { ScriptedScp, type ScpAnswer } from './scripted-scp.js';
import { instanceOf, TestDeliveries } from './test-deliveries.js';

const JOBS = 4;
const ALL = Array.from({ length: JOBS }, (_, n) => instanceOf(n, 0));
const DELIVERED = { RESULT_IN_PACS: JOBS };
const WAITING = { REIDENTIFIED: JOBS };

describe('a PACS over DIMSE', () => {
  let test: TestDeliveries;
  let scp: ScriptedScp;
  beforeEach(async () => {
    test = new TestDeliveries();
    scp = new ScriptedScp();
    const port = await scp.start('PACS');
    const config = deliverConfigSchema.parse({
      ...{ host: '127.0.0.1', port, calledAeTitle: 'PACS', callingAeTitle: 'AIFI' },
      commitment: {},
    });
    // Its deadlines are real, as the network is.
    test.peer = createPacsPeer(config, systemClock);
    test.restart();
    await test.queueMany(JOBS);
  });
  afterEach(async () => {
    await scp.stop();
    test.close();
  });

  /** The dataset of each row, as it lies on disk. */
  const onRecord = (): string[] =>
    test.database
      .read((sql) => sql.all<{ path: string }>('SELECT path FROM delivery ORDER BY rowid'))
      .map(({ path }) => {
        const bytes = readFileSync(path);
        const dataset = bytes.subarray(decodeFileMeta(bytes).datasetOffset);
        return createHash('sha256').update(dataset).digest('hex');
      });

  it('gets the bytes on record, each object once', async () => {
    await test.drain();
    expect(test.jobs()).toEqual(DELIVERED);
    expect([...scp.stores].sort()).toEqual([...ALL].sort());
    expect(ALL.map((uid) => scp.listed.get(uid))).toEqual(onRecord());
  });

  it.each<[string, ScpAnswer]>([
    ['A700', 0xa700],
    ['0110', 0x0110],
    ['Success and loses it', 'lose'],
  ])('that answers %s gets the object again later', async (_, answer) => {
    const asked = new Set<string>();
    scp.answer = ({ affectedSopInstanceUid: uid }) => {
      if (asked.has(uid)) return 0;
      asked.add(uid);
      return answer;
    };
    await test.work(20);
    expect(test.jobs()).toEqual(DELIVERED);
    expect([...scp.stores].sort()).toEqual([...ALL, ...ALL].sort());
    expect([...scp.listed.keys()].sort()).toEqual([...ALL].sort());
  });

  it.each([0xb000, 0xb006, 0xb007])('that answers %i has it', async (status) => {
    scp.answer = () => status;
    await test.drain();
    expect(test.jobs()).toEqual(DELIVERED);
    expect(test.rows().map((row) => row['dimse_status'])).toEqual(ALL.map(() => status));
  });

  it.each([
    [0xa900, 'PEER_REFUSED'],
    [0xc000, 'PEER_REFUSED'],
    [0x0122, 'PEER_REFUSED'],
    [0x0111, 'RESULT_NOT_LISTED'],
  ])('that answers %i leaves dead letters (%s)', async (status, code) => {
    scp.answer = () => status;
    await test.work(15);
    expect(test.jobs()).toEqual({ NOT_ANALYSED_NOTIFIED: JOBS });
    expect(test.rows().map((row) => row['dead_code'])).toEqual(ALL.map(() => code));
    expect([...scp.stores].sort()).toEqual([...ALL].sort());
  });

  it.each([
    ['rejects for good: calling AE title not recognised', [1, 1, 3]],
    ['rejects for now: congestion', [2, 3, 1]],
  ] as const)('that %s is asked little, and gets all of it later', async (_, reject) => {
    scp.wire = { reject };
    await test.work(120, 30_000);
    expect(test.jobs()).toEqual(WAITING);
    expect(scp.connections).toBeGreaterThan(60);
    expect(scp.connections).toBeLessThanOrEqual(6 * 60);
    scp.wire = 'pass';
    await test.work(40, 30_000);
    expect(test.jobs()).toEqual(DELIVERED);
    expect([...scp.stores].sort()).toEqual([...ALL].sort());
  });

  it('that is cut off in the middle of each object gets all of it later', async () => {
    await test.queue(JOBS, 1, 100_000);
    scp.wire = 'cut';
    await test.work(10);
    expect(scp.listed.has(instanceOf(JOBS, 0))).toBe(false);
    expect(test.job(JOBS)).toMatchObject({ state: 'REIDENTIFIED' });
    scp.wire = 'pass';
    await test.work(10);
    expect(test.job(JOBS)).toMatchObject({ state: 'RESULT_IN_PACS' });
    expect(scp.listed.get(instanceOf(JOBS, 0))).toBe(onRecord().at(-1));
    expect(scp.stores.filter((uid) => uid === instanceOf(JOBS, 0))).toHaveLength(1);
  });

  it('that does not offer storage commitment is asked by C-FIND', async () => {
    test.restart({ commitment: { waitMs: 1_000, timeoutMs: 86_400_000 } });
    await test.drain();
    expect(test.jobs()).toEqual(DELIVERED);
    const states = test.database.read((sql) => sql.all('SELECT state FROM storage_commitment'));
    expect(states).toEqual(ALL.map(() => ({ state: 'EXPIRED' })));
  });
});
