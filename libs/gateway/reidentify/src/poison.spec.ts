/**
 * Goal: an outcome whose parsing ended the process three times is quarantined and not opened again.
 * Method: real SQLite and vault; the outcome does not even decode, so opening it would fail.
 */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { Vault } from '@aifi/gateway-vault';
import { siteId, Wake } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { keyRingOf } from '@aifi/shared-site-keys';
import { fakeSiteKeys, FakeClock, temporaryFolder } from '@aifi/shared-testing';
import { createReidentifyStage } from './index.js';

/** A clock whose first wait ends the run. */
class UntilIdleClock extends FakeClock {
  readonly stop = new AbortController();
  override sleep(): Promise<void> {
    this.stop.abort();
    return Promise.resolve();
  }
}

describe('an outcome that ends the process', () => {
  const folder = temporaryFolder('poison');
  const keys = keyRingOf(fakeSiteKeys());
  let database: GatewayDatabase;
  let vault: Vault;
  beforeEach(async () => {
    database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    vault = Vault.open(join(folder.path, 'vault.db'), keys);
    await database.write((sql) => {
      sql.run(`INSERT INTO study VALUES (1, '1.2', 1, 1)`);
      sql.run(`INSERT INTO study_revision VALUES (1, 1, 1, 'SELECTED')`);
      sql.run(
        `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
           rule_set_sha256, attestations, state, created_ms)
         VALUES ('job-1', 1, 1, 'p', '1', 'x', 'routine', 'x', '[]', 'RETURNED', 1)`,
      );
      sql.run(`INSERT INTO inbound VALUES ('job-1', 1, 0, 1, x'00', x'00', 'RECEIVED', 1)`);
      sql.run(`INSERT INTO work_attempt VALUES ('job-1', 'reidentify', 2, 1)`);
    });
  });
  afterEach(() => {
    database.close();
    vault.close();
    folder.remove();
  });
  const all = (statement: string) => database.read((sql) => sql.all(statement));
  async function run(): Promise<void> {
    const clock = new UntilIdleClock();
    const sut = createReidentifyStage({
      ...{ database, vault, keys, siteId: siteId('site-a'), dataFolder: folder.path, clock },
      ...{ wake: new Wake(), logger: silentLogger, onDone: () => undefined },
    });
    await sut.run(clock.stop.signal);
  }

  it('is opened a third time, and after a third death no more', async () => {
    await run();
    // It came back with a fault: the process lives, so nothing is counted.
    expect(all('SELECT attempts FROM work_attempt')).toEqual([]);
    expect(all('SELECT state FROM job')).toEqual([{ state: 'RETURNED' }]);
    await database.write((sql) =>
      sql.run(`INSERT INTO work_attempt VALUES ('job-1', 'reidentify', 3, 1)`),
    );
    await run();
    expect(all('SELECT state, code FROM job')).toEqual([
      { state: 'QUARANTINED', code: 'OUTPUT_INVALID' },
    ]);
    expect(all('SELECT state FROM inbound')).toEqual([{ state: 'QUARANTINED' }]);
  });
});
