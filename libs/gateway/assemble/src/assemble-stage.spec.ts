/**
 * Goal: a revision closes after silence, a late instance makes the next one.
 * Method: real SQLite in a temporary folder, a clock moved by hand.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { Wake } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { FakeClock, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { createAssembleStage } from './index.js';

describe(createAssembleStage.name, () => {
  let folder: TemporaryFolder;
  let database: GatewayDatabase;
  const clock = new FakeClock();
  beforeEach(() => {
    folder = temporaryFolder('assemble');
    database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
  });
  afterEach(() => {
    database.close();
    folder.remove();
  });

  async function receive(uid: string): Promise<void> {
    await database.write((sql) => {
      sql.run(
        `INSERT INTO study (study_id, study_uid, last_received_ms) VALUES (1, '1.2', ?)
         ON CONFLICT (study_uid) DO UPDATE SET last_received_ms = excluded.last_received_ms`,
        clock.nowMs(),
      );
      sql.run(
        `INSERT INTO instance (study_id, series_uid, sop_instance_uid, sop_class_uid,
           transfer_syntax_uid, sha256, size_bytes, path, header, calling_ae, received_ms)
         VALUES (1, '1.2.3', ?, '1.2', '1.2', ?, 1, 'x', '{}', 'PACS', 1)`,
        uid,
        uid,
      );
    });
  }
  async function runOnce(): Promise<void> {
    const abort = new AbortController();
    const sut = createAssembleStage({
      database,
      clock,
      logger: silentLogger,
      wake: new Wake(),
      quietMs: 1_000,
      onDone: () => undefined,
    });
    const running = sut.run(abort.signal);
    for (let i = 0; i < 10; i += 1) await new Promise(setImmediate);
    abort.abort();
    await running;
  }
  const revisions = () =>
    database.read((sql) =>
      sql.all('SELECT sop_instance_uid AS uid, revision FROM instance ORDER BY instance_id'),
    );

  it('leaves a study open that is not quiet yet, and closes it once it is', async () => {
    await receive('1.1');
    clock.advance(999);
    await runOnce();
    expect(revisions()).toEqual([{ uid: '1.1', revision: null }]);
    clock.advance(1);
    await runOnce();
    expect(revisions()).toEqual([{ uid: '1.1', revision: 1 }]);
  });
  it('puts a late instance into the next revision and leaves the closed one alone', async () => {
    await receive('1.1');
    clock.advance(2_000);
    await runOnce();
    await receive('1.2');
    clock.advance(2_000);
    await runOnce();
    await runOnce();
    expect(revisions()).toEqual([
      { uid: '1.1', revision: 1 },
      { uid: '1.2', revision: 2 },
    ]);
    const closed = database.read((sql) => sql.all('SELECT state FROM study_revision'));
    expect(closed).toEqual([{ state: 'ASSEMBLED' }, { state: 'ASSEMBLED' }]);
  });
});
