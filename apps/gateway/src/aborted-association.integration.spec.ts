/**
 * Goal: a sender that breaks off keeps what was acknowledged: it makes a revision without the rest,
 * and the rest, when it comes, makes the next one.
 * Method: the real listener and the real assemble stage; our own SCU, whose dataset ends in a fault
 * half way through the third image.
 */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DicomDataset, encodeDataset } from '@aifi/dicom-core';
import { DimseScu } from '@aifi/dicom-dimse';
import { createAssembleStage } from '@aifi/gateway-assemble';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { createReceiveStage, receiveConfigSchema } from '@aifi/gateway-receive';
import { systemClock, Wake } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { keyRingOf } from '@aifi/shared-site-keys';
import { fakeSiteKeys, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';

const CT = '1.2.840.10008.5.1.4.1.1.2';
const HOST = '127.0.0.1';
const SLOW_MS = 60_000;
const SIDE = 1024;
const callers = [{ aeTitle: 'CT1', host: HOST, plain: true }];

describe('a sender that breaks off', () => {
  let folder: TemporaryFolder;
  let database: GatewayDatabase;
  let stop: AbortController;
  let running: Promise<unknown>;
  let port: number;
  beforeEach(async () => {
    folder = temporaryFolder('aborted');
    database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    stop = new AbortController();
    const common = { database, clock: systemClock, logger: silentLogger };
    const receive = createReceiveStage({
      ...{ ...common, dataFolder: folder.path, keys: keyRingOf(fakeSiteKeys()) },
      config: receiveConfigSchema.parse({ port: 0, aeTitle: 'AIFI', callers }),
    });
    const assemble = createAssembleStage({
      ...{ ...common, wake: new Wake(), quietMs: 300, onDone: () => undefined },
    });
    running = Promise.all([receive.run(stop.signal), assemble.run(stop.signal)]);
    port = await receive.ready;
  });
  afterEach(async () => {
    stop.abort();
    await running;
    database.close();
    folder.remove();
  });

  function store(uid: string, breaksOff = false): Promise<number> {
    const dataset = new DicomDataset()
      .setString('SOPClassUID', CT)
      .setString('SOPInstanceUID', uid)
      .setString('StudyInstanceUID', '2.25.1')
      .setString('SeriesInstanceUID', '2.25.2')
      .setNumbers('Rows', [SIDE])
      .setNumbers('Columns', [SIDE])
      .setNumbers('BitsAllocated', [8])
      // Many PDUs, so that half of it is on its way.
      .setBytes('PixelData', Buffer.alloc(SIDE * SIDE), 'OB');
    const bytes = encodeDataset(dataset, { explicitVr: true, littleEndian: true });
    async function* half(): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, bytes.length / 2);
      throw new Error('the modality is switched off');
    }
    const titles = { calledAeTitle: 'AIFI', callingAeTitle: 'CT1' };
    const scu = new DimseScu({ host: HOST, port, ...titles, clock: systemClock });
    return scu.store({
      ...{ sopClassUid: CT, sopInstanceUid: uid, transferSyntaxUid: '1.2.840.10008.1.2.1' },
      dataset: breaksOff ? half : bytes,
    });
  }
  async function revisions(count: number) {
    const read = () =>
      database.read((sql) =>
        sql.all(
          `SELECT of_revision AS revision, sop_instance_uid AS uid FROM revision_instance
            ORDER BY 1, 2`,
        ),
      );
    const closed = () => database.read((sql) => sql.all('SELECT 1 FROM study_revision').length);
    while (closed() < count) await systemClock.sleep(20);
    return read();
  }

  it(
    'has a revision of what was acknowledged, and another one of what came later',
    async () => {
      expect(await store('2.25.3')).toBe(0);
      expect(await store('2.25.4')).toBe(0);
      await expect(store('2.25.5', true)).rejects.toThrow();
      // It was under way, and what came of it is gone.
      const refused = () =>
        database.read((sql) => sql.all('SELECT what, code FROM receive_refusal'));
      while (refused().length === 0) await systemClock.sleep(20);
      expect(refused()).toEqual([{ what: 'stream', code: 'PEER_UNAVAILABLE' }]);
      const first = [
        { revision: 1, uid: '2.25.3' },
        { revision: 1, uid: '2.25.4' },
      ];
      expect(await revisions(1)).toEqual(first);
      expect(await store('2.25.5')).toBe(0);
      const second = ['2.25.3', '2.25.4', '2.25.5'].map((uid) => ({ revision: 2, uid }));
      expect(await revisions(2)).toEqual([...first, ...second]);
    },
    SLOW_MS,
  );
});
