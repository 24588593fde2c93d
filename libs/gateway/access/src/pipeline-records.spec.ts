/**
 * Goal: what the pipeline does with a patient's data leaves exactly one record, whatever is
 * repeated or fails in between. Method: a real journal written as the stages write it.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import type { GatewayStage } from '@aifi/shared-kernel';
import { GATEWAY_MIGRATIONS, GatewayDatabase, recordJournal } from '@aifi/gateway-database';
import { FakeClock, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { openGatewayAccess, type GatewayAccess } from './gateway-access.js';
import { recordJournalRows, type PipelineRecordsDependencies } from './pipeline-records.js';

describe(recordJournalRows.name, () => {
  let folder: TemporaryFolder;
  let journal: GatewayDatabase;
  let access: GatewayAccess;
  let isAway: boolean;
  let rings: number;
  const clock = new FakeClock();
  beforeEach(async () => {
    folder = temporaryFolder('pipeline');
    [isAway, rings] = [false, 0];
    journal = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    await journal.write((sql) => sql.run(`INSERT INTO study VALUES (1, '1.2', 1, 1)`));
    access = openGatewayAccess({ path: join(folder.path, 'a.db'), siteId: 'site-a', clock });
  });
  afterEach(async () => {
    journal.close();
    await access.database.close();
    folder.remove();
  });
  const write = (stage: GatewayStage, event: string, jobId?: string) =>
    journal.write((sql) =>
      recordJournal(sql, {
        ...{ studyId: 1, stage, event, atMs: 77, detail: { objects: 3 } },
        ...(jobId && { jobId }),
      }),
    );
  const dependencies = (): PipelineRecordsDependencies => ({
    ...{ journal, database: access.database, trail: access.trail, clock },
    patientNumberOf: async () => {
      if (isAway) throw new Error('the vault is away');
      return '0012345';
    },
    onFault: () => undefined,
    onJournal: () => void (rings += 1),
  });
  const look = () => recordJournalRows(dependencies());
  const acts = async (): Promise<unknown[]> =>
    (await access.trail.search({ limit: 50 })).items
      .map(({ act, correlationId }) => [act, correlationId])
      .reverse();

  it('records the copy that left and what came into the PACS, and no other step', async () => {
    await write('receive', 'received');
    await write('select', 'selected', 'job-1');
    await write('uplink', 'uploaded', 'job-1');
    await write('downlink', 'returned', 'job-1');
    await write('reidentify', 'reidentified', 'job-1');
    await write('deliver', 'delivered', 'job-1');
    await write('deliver', 'status-delivered');
    await write('deliver', 'overdue', 'job-2');
    await look();
    expect(await acts()).toEqual([
      ['study.export', 'job-1'],
      ['result.store', 'job-1'],
      ['result.store', 'journal-7'],
    ]);
    const [newest] = (await access.trail.search({ limit: 1 })).items;
    expect(newest).toMatchObject({
      ...{ userKind: 'system', patientId: '0012345', objectId: '1.2', siteId: 'site-a' },
      ...{ atMs: 77, action: 'C', detail: { objects: 3, event: 'status-delivered' } },
    });
  });
  it.each(['refused', 'overdue'])(
    'records a part that the PACS has of a result %s',
    async (event) => {
      await journal.write((sql) => {
        sql.run(`INSERT INTO study_revision VALUES (1, 1, 1, 'SELECTED')`);
        for (const [job, state] of [
          ['job-1', 'VERIFIED'],
          ['job-2', 'DEAD'],
        ] as const) {
          sql.run(
            `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest,
             lane, rule_set_sha256, attestations, state, created_ms)
           VALUES (?1, 1, 1, ?1, '1', 'x', 'routine', 'x', '[]', 'NOT_ANALYSED_NOTIFIED', 1)`,
            job,
          );
          sql.run(
            `INSERT INTO delivery (job_id, issue, output_index, role, sop_class_uid, series_uid,
             sop_instance_uid, path, sha256, state)
           VALUES (?1, 0, 0, 'r', '1', '2', ?1, 'p', 's', ?2)`,
            ...[job, state],
          );
        }
      });
      await write('deliver', event, 'job-1');
      await write('deliver', event, 'job-2');
      await look();
      expect(await acts()).toEqual([['result.store', 'job-1']]);
    },
  );
  it('records the copy also when only the outcome says that it arrived', async () => {
    await write('downlink', 'returned', 'job-1');
    await look();
    expect(await acts()).toEqual([['study.export', 'job-1']]);
  });
  it('records nothing twice, over restarts too, and rings for steps only', async () => {
    await write('uplink', 'uploaded', 'job-1');
    await look();
    await look();
    await access.database.close();
    access = openGatewayAccess({ path: join(folder.path, 'a.db'), siteId: 'site-a', clock });
    expect(await look()).toBe(0);
    await write('deliver', 'delivered', 'job-1');
    await look();
    await write('receive', 'received');
    await look();
    expect(await acts()).toHaveLength(2);
    expect(rings).toBe(2);
  });
  it('loses nothing when a look fails half way', async () => {
    await write('uplink', 'uploaded', 'job-1');
    isAway = true;
    await expect(look()).rejects.toThrow('away');
    expect(await acts()).toEqual([]);
    isAway = false;
    await look();
    expect(await acts()).toHaveLength(1);
  });
  it('goes through a long journal in bounded steps', async () => {
    await journal.write((sql) => {
      for (let i = 0; i < 4_500; i += 1) {
        recordJournal(sql, { studyId: 1, stage: 'receive', event: 'received', atMs: 1 });
      }
    });
    await write('uplink', 'uploaded', 'job-1');
    expect([await look(), await look(), await look(), await look()]).toEqual([2000, 2000, 501, 0]);
    expect(await acts()).toHaveLength(1);
  });
});
