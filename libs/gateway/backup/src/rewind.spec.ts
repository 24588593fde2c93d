/**
 * Goal: a restored pipeline asks the hub again for exactly what it cannot finish.
 * Method: a real database with jobs in every state of the way back; some of their files are gone.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { rewindToFiles } from './rewind.js';

const AT_MS = 5_000;

describe(rewindToFiles.name, () => {
  let folder: TemporaryFolder;
  let database: GatewayDatabase;
  const gone = new Set<string>();
  beforeEach(async () => {
    folder = temporaryFolder('rewind');
    database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    gone.clear();
    await database.write((sql) => {
      sql.run(`INSERT INTO study (study_id, study_uid, revision, last_received_ms)
               VALUES (1, '1.2.3', 1, 1)`);
      sql.run(`INSERT INTO study_revision VALUES (1, 1, 1, 'SELECTED')`);
      sql.run(`INSERT INTO instance (study_id, series_uid, sop_instance_uid, sop_class_uid,
                 transfer_syntax_uid, sha256, size_bytes, path, header, calling_ae, received_ms)
               VALUES (1, '1.2.3.1', '1.2.3.1.1', '1.2', '1.2', 'd', 1, 'image', '{}', 'CT', 1)`);
    });
  });
  afterEach(() => {
    database.close();
    folder.remove();
  });

  /** One job with an outcome of this number; with a delivery when the outcome was worked on. */
  async function aJob(
    name: string,
    sequence: number,
    over: { state: string; inbound: string; delivery?: string },
  ): Promise<void> {
    await database.write((sql) => {
      sql.run(
        `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
           rule_set_sha256, attestations, state, created_ms)
         VALUES (?, 1, 1, ?, '1.0.0', 'd', 'routine', 'd', '[]', ?, 1)`,
        ...[name, name, over.state],
      );
      sql.run(
        `INSERT INTO inbound VALUES (?, 1, 0, ?, x'00', x'00', ?, 1)`,
        ...[name, sequence, over.inbound],
      );
      sql.run(`INSERT INTO inbound_object VALUES (?, 1, 0, 0, ?, 'd', 1)`, name, `in ${name}`);
      if (over.delivery === undefined) return;
      sql.run(
        `INSERT INTO delivery (job_id, issue, output_index, role, sop_class_uid, series_uid,
           sop_instance_uid, path, sha256, state) VALUES (?, 0, 0, 'SR', '1', '1', ?, ?, 'd', ?)`,
        ...[name, `1.2.${sequence}`, `out ${name}`, over.delivery],
      );
    });
  }
  const sut = () =>
    database.write((sql) => rewindToFiles(sql, { exists: (path) => !gone.has(path), atMs: AT_MS }));
  const stateOf = (job: string) =>
    database.read((sql) => sql.get<{ state: string }>('SELECT state FROM job WHERE job_id=?', job))
      ?.state;
  const cursor = () =>
    database.read((sql) => sql.get<{ last: number }>('SELECT MAX(sequence) AS last FROM inbound'))
      ?.last;
  const count = (table: string) =>
    database.read((sql) => sql.get<{ n: number }>(`SELECT count(*) AS n FROM ${table}`))?.n;

  it('changes nothing where every file is there', async () => {
    await aJob('returned', 1, { state: 'RETURNED', inbound: 'RECEIVED' });
    await aJob('ready', 2, { state: 'REIDENTIFIED', inbound: 'DONE', delivery: 'QUEUED' });
    await expect(sut()).resolves.toEqual({ outcomes: 0, images: 0, spooled: 0 });
    expect([stateOf('returned'), stateOf('ready'), cursor()]).toEqual([
      ...['RETURNED', 'REIDENTIFIED', 2],
    ]);
  });

  it('forgets an outcome whose objects are gone, and asks from there on', async () => {
    await aJob('first', 1, { state: 'RESULT_IN_PACS', inbound: 'DONE', delivery: 'VERIFIED' });
    await aJob('lost', 2, { state: 'RETURNED', inbound: 'RECEIVED' });
    await aJob('later', 3, { state: 'RETURNED', inbound: 'RECEIVED' });
    gone.add('in lost');
    await expect(sut()).resolves.toMatchObject({ outcomes: 1 });
    expect([stateOf('lost'), stateOf('later')]).toEqual(['UPLOADED', 'RETURNED']);
    expect(cursor()).toBe(1);
    expect(count('inbound')).toBe(2);
  });

  it('forgets what was made ready for the PACS and is gone, also of a held job', async () => {
    await aJob('ready', 1, { state: 'REIDENTIFIED', inbound: 'DONE', delivery: 'QUEUED' });
    await aJob('held', 2, { state: 'HELD', inbound: 'DONE', delivery: 'QUEUED' });
    gone.add('out ready').add('out held').add('in ready').add('in held');
    await expect(sut()).resolves.toMatchObject({ outcomes: 2 });
    expect([stateOf('ready'), stateOf('held')]).toEqual(['UPLOADED', 'UPLOADED']);
    expect([count('delivery'), count('inbound'), cursor()]).toEqual([0, 0, null]);
  });

  it('leaves alone what the PACS has answered for, and what ended', async () => {
    await aJob('stored', 1, { state: 'REIDENTIFIED', inbound: 'DONE', delivery: 'STORED' });
    await aJob('ended', 2, { state: 'NOT_ANALYSED_NOTIFIED', inbound: 'DONE', delivery: 'QUEUED' });
    for (const name of ['in stored', 'out stored', 'in ended', 'out ended']) gone.add(name);
    await expect(sut()).resolves.toMatchObject({ outcomes: 0 });
    expect([stateOf('stored'), stateOf('ended'), cursor()]).toEqual([
      ...['REIDENTIFIED', 'NOT_ANALYSED_NOTIFIED', 2],
    ]);
  });

  it('marks images that are gone, so that the same image is taken again', async () => {
    gone.add('image');
    await expect(sut()).resolves.toMatchObject({ images: 1 });
    const row = database.read((sql) =>
      sql.get<{ removed_ms: number }>('SELECT removed_ms FROM instance'),
    );
    expect(row?.removed_ms).toBe(AT_MS);
  });
});
