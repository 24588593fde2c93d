/**
 * Goal: a pseudonymised copy stays while it is owed to the hub, and goes when the hub has it or
 * nobody wants it any more. Method: real SQLite, real folders, one look of the stage.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { Wake } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { FakeClock, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { createSpool } from './index.js';

/** A clock whose first wait ends the run. */
class UntilIdleClock extends FakeClock {
  readonly stop = new AbortController();
  override sleep(): Promise<void> {
    this.stop.abort();
    return Promise.resolve();
  }
}

describe('a pseudonymised copy', () => {
  let folder: TemporaryFolder;
  let database: GatewayDatabase;
  beforeEach(async () => {
    folder = temporaryFolder('spool');
    database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    await database.write((sql) => {
      sql.run(`INSERT INTO study VALUES (1, '1.2', 1, 1)`);
      sql.run(`INSERT INTO study_revision VALUES (1, 1, 1, 'SELECTED')`);
    });
  });
  afterEach(() => {
    database.close();
    folder.remove();
  });

  it.each([
    ['SELECTED', null, null, true],
    ['SPOOLED', 'QUEUED', null, true],
    ['SPOOLED', 'QUEUED', 9, false],
    ['UPLOADED', 'STORED', null, false],
    ['QUARANTINED', 'QUARANTINED', null, false],
  ])('of a job %s, at the uplink %s, ended %s: stays %s', async (state, spool, ended, stays) => {
    await database.write((sql) => {
      sql.run(
        `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
           rule_set_sha256, attestations, state, created_ms, terminal_ms)
         VALUES ('job-1', 1, 1, 'p', '1', 'x', 'routine', 'x', '[]', ?, 1, ?)`,
        ...[state, ended],
      );
      if (spool === null) return;
      sql.run(
        `INSERT INTO spool_job (job_id, revision, manifest, manifest_sha256, envelope, state)
         VALUES ('job-1', 1, x'00', 'm', x'00', ?)`,
        spool,
      );
    });
    const own = join(folder.path, 'spool', 'job-1');
    mkdirSync(own, { recursive: true });
    writeFileSync(join(own, 'a.dcm'), 'x');
    const clock = new UntilIdleClock();
    const sut = createSpool({
      ...{ database, clock, logger: silentLogger, wake: new Wake() },
      ...{ spoolFolder: join(folder.path, 'spool'), onDone: () => undefined },
    });
    await sut.stage.run(clock.stop.signal);
    expect(existsSync(own)).toBe(stays);
  });
});
