/**
 * Goal: killed at any moment of a removal, no row claims a file that is gone, and the next run
 * leaves the same as one without a kill.
 * Method: a real child process on the compiled library, killed at each crash point.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { lifeOf, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';

const CHILD = `
const [dataFolder] = process.argv.slice(1);
const { GatewayDatabase, GATEWAY_MIGRATIONS } = await import('@aifi/gateway-database');
const { Retention } = await import('@aifi/gateway-disk');
const { systemClock } = await import('@aifi/shared-kernel');
const { silentLogger: logger } = await import('@aifi/shared-observability');
const database = GatewayDatabase.open(dataFolder + '/gateway.db', GATEWAY_MIGRATIONS);
const config = { keepHours: 24, deadLetterAlarmDays: 7 };
const isFull = () => false;
const common = { config, clock: systemClock, logger, isFull };
const retention = new Retention({ database, dataFolder, ...common });
await retention.runOnce();
database.close();
`;
const IMAGES = 3;

describe('a removal whose process is killed', () => {
  let folder: TemporaryFolder;
  beforeEach(async () => {
    folder = temporaryFolder('disk-kill');
    mkdirSync(join(folder.path, 'incoming'));
    await using((database) =>
      database.write((sql) => {
        sql.run(`INSERT INTO study VALUES (1, '2.25.1', 1, 1)`);
        sql.run(`INSERT INTO study_revision VALUES (1, 1, 1, 'SELECTED')`);
        for (let i = 0; i < IMAGES; i += 1) {
          const path = join(folder.path, 'incoming', `${i}.dcm`);
          writeFileSync(path, 'x');
          sql.run(
            `INSERT INTO instance (study_id, series_uid, sop_instance_uid, sop_class_uid,
               transfer_syntax_uid, sha256, size_bytes, path, header, calling_ae, received_ms,
               revision) VALUES (1, 's', ?, 'c', 't', 'x', 1, ?, '{}', 'A', 1, 1)`,
            ...[`2.25.1.${i}`, path],
          );
        }
      }),
    );
  });
  afterEach(() => folder.remove());

  async function using<T>(work: (database: GatewayDatabase) => T | Promise<T>): Promise<T> {
    const database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    try {
      return await work(database);
    } finally {
      database.close();
    }
  }
  async function run(point?: string): Promise<string | null> {
    const { signal, code, error } = await lifeOf(CHILD, [folder.path], point);
    if (code !== 0 && signal === null) throw new Error(error);
    return signal;
  }
  const files = (): string[] => readdirSync(join(folder.path, 'incoming'));
  const kept = () =>
    using((database) =>
      database.read((sql) =>
        sql.all<{ path: string }>('SELECT path FROM instance WHERE removed_ms IS NULL'),
      ),
    );
  const journal = () =>
    using((database) =>
      database.read((sql) => sql.all(`SELECT detail FROM journal WHERE event = 'removed'`)),
    );

  it.each([
    ['gateway.disk.before-mark', IMAGES, IMAGES],
    ['gateway.disk.after-mark', 0, IMAGES],
    ['gateway.disk.after-file', 0, IMAGES - 1],
    ['gateway.disk.after-file#3', 0, 0],
    ['gateway.disk.before-done', 0, 0],
  ])('at %s leaves %d rows with a file, and %d files', async (point, rows, onDisk) => {
    expect(await run(point)).toBe('SIGKILL');
    const claimed = await kept();
    expect(claimed).toHaveLength(rows);
    expect(claimed.filter(({ path }) => !existsSync(path))).toEqual([]);
    expect(files()).toHaveLength(onDisk);
    expect(await run()).toBeNull();
    expect([await kept(), files()]).toEqual([[], []]);
    expect(await journal()).toHaveLength(1);
  });
});
