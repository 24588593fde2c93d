/**
 * Goal: refusals are counted per minute, stay bounded and survive a disk that is full for a while.
 * Method: a real SQLite file, a clock moved by hand, a database whose writes can be made to fail.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { AifiError } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { FakeClock, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { RefusalLog } from './refusal-log.js';

describe(RefusalLog.name, () => {
  const object = { what: 'object', code: 'DICOM_MALFORMED', dimseStatus: 0xc000 } as const;
  let folder: TemporaryFolder;
  let database: GatewayDatabase;
  let clock: FakeClock;
  let sut: RefusalLog;
  beforeEach(() => {
    folder = temporaryFolder('refusals');
    database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    clock = new FakeClock();
    sut = new RefusalLog({ database, clock, logger: silentLogger });
  });
  afterEach(() => {
    database.close();
    folder.remove();
  });
  /** One life of the stage: what is pending is written when it ends. */
  async function flush(): Promise<void> {
    const abort = new AbortController();
    const running = sut.stage.run(abort.signal);
    abort.abort();
    await running;
  }
  const rows = () =>
    database.read((sql) =>
      sql.all<{ calling_ae: string; count: number }>('SELECT * FROM receive_refusal'),
    );

  it('adds up within a minute and begins a new row in the next', async () => {
    for (let i = 0; i < 3; i += 1) sut.add({ ...object, callingAeTitle: 'CT1' });
    await flush();
    sut.add({ ...object, callingAeTitle: 'CT1' });
    await flush();
    clock.advance(60_000);
    sut.add({ ...object, callingAeTitle: 'CT1' });
    await flush();
    expect(rows().map(({ count }) => count)).toEqual([4, 1]);
  });
  it('keeps no text of a peer that is not an AE title', async () => {
    sut.add({ what: 'association', code: 'FORBIDDEN', callingAeTitle: 'a\\b\n' });
    await flush();
    expect(rows()[0]).toMatchObject({ calling_ae: '', dimse_status: -1 });
  });
  it('keeps the newest thousand rows and counts a flood of names without the names', async () => {
    for (let i = 0; i < 1_100; i += 1) {
      clock.advance(60_000);
      sut.add({ ...object, callingAeTitle: 'CT1' });
      if (i % 50 === 0) await flush();
    }
    await flush();
    expect(rows()).toHaveLength(1_000);
    for (let i = 0; i < 5_000; i += 1) sut.add({ ...object, callingAeTitle: `X${i}` });
    await flush();
    const names = new Set(rows().map((row) => row.calling_ae));
    expect(names.size).toBeLessThanOrEqual(102);
    expect(rows().find((row) => row.calling_ae === '')?.count).toBe(4_900);
  });
  it('writes later what a full disk did not take', async () => {
    const write = database.write.bind(database);
    database.write = () => Promise.reject(new AifiError('OUT_OF_RESOURCES', 'database full'));
    sut.add({ ...object, callingAeTitle: 'CT1' });
    await flush();
    database.write = write;
    sut.add({ ...object, callingAeTitle: 'CT1' });
    await flush();
    expect(rows().map(({ count }) => count)).toEqual([2]);
  });
});
