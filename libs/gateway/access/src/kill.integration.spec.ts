/**
 * Goal: exactly one record and one effect for an act, also when the process is killed on either
 * side of the commit and the caller asks again with the same key.
 * The same for what the pipeline did by itself, after a restart.
 * Method: a real child process on the compiled library, killed at the crash points.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { verifyChain } from '@aifi/access-audit';
import { GATEWAY_MIGRATIONS, GatewayDatabase, recordJournal } from '@aifi/gateway-database';
import { FakeClock, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { openGatewayAccess } from './gateway-access.js';

const LIBRARY = join(import.meta.dirname, '../dist/index.js');
const KERNEL = join(import.meta.dirname, '../../../shared/kernel/dist/index.js');
const DATABASE = join(import.meta.dirname, '../../database/dist/index.js');

/** Sets a flag with the key of its arguments and prints the answer. */
const CHILD = `
const [library, kernel, path, key, crashAt] = process.argv.slice(1);
const { openGatewayAccess } = await import(library);
const { armCrashPoint, systemClock } = await import(kernel);
armCrashPoint(crashAt);
const access = openGatewayAccess({ path, siteId: 'site-a', clock: systemClock });
const draft = ({ objectType, objectId, patientId }) => ({
  act: 'patient-flag.set', action: 'C', outcome: 'success', code: null, userId: 'petra',
  userName: 'Petra', userKind: 'person', role: 'privacy-officer', responsibleUserId: null,
  siteId: 'site-a', objectType, objectId, patientId, reason: null, sourceAddress: '',
  correlationId: key, detail: {},
});
const caller = { userId: 'petra', act: 'patient-flag.set', idempotencyKey: key, draft,
  repeated: () => undefined };
const answer = await access.acts.perform(caller, { patientId: '7' }, (tx) => {
  const flag = access.flags.set(tx, {
    patientId: '7', issuer: null, kind: 'vip', setBy: 'petra', atMs: 1 });
  return { answer: flag, subject: { objectType: 'patient-flag', objectId: flag.id,
    patientId: '7' } };
});
await access.database.close();
process.stdout.write(answer.id);
`;

/** Records what is new in the journal beside `path`. */
const PIPELINE_CHILD = `
const [library, kernel, path, databaseLibrary, crashAt] = process.argv.slice(1);
const { openGatewayAccess, recordJournalRows } = await import(library);
const { armCrashPoint, systemClock } = await import(kernel);
const { GATEWAY_MIGRATIONS, GatewayDatabase } = await import(databaseLibrary);
armCrashPoint(crashAt);
const access = openGatewayAccess({ path, siteId: 'site-a', clock: systemClock });
const journal = GatewayDatabase.open(path.replace('access.db', 'gateway.db'), GATEWAY_MIGRATIONS);
await recordJournalRows({ journal, database: access.database, trail: access.trail,
  clock: systemClock, patientNumberOf: async () => '7', onFault: () => undefined });
await access.database.close();
journal.close();
`;

describe('an act whose process is killed', () => {
  let folder: TemporaryFolder;
  const path = (): string => join(folder.path, 'access.db');
  beforeEach(() => {
    folder = temporaryFolder('killed');
  });
  afterEach(() => folder.remove());
  function run(
    crashAt: string,
    [program, argument] = [CHILD, 'key-00001'],
  ): { signal: string | null; answer: string } {
    const argv = [LIBRARY, KERNEL, path(), argument, crashAt];
    const script = ['--input-type=module', '-e', program, ...argv];
    const child = spawnSync(process.execPath, script, { encoding: 'utf8' });
    if (child.status !== 0 && child.signal === null) throw new Error(child.stderr);
    return { signal: child.signal, answer: child.stdout };
  }
  async function kept(): Promise<{ records: string[]; flags: string[]; isWhole: boolean }> {
    const clock = new FakeClock();
    const access = openGatewayAccess({ path: path(), siteId: 'site-a', clock });
    const { items } = await access.trail.search({ limit: 50 });
    const flags = access.flags.list({ limit: 50 }).items.map(({ id }) => id);
    const { ok: isWhole } = await verifyChain(access.trail.stream({}));
    await access.database.close();
    return { records: items.map(({ objectId }) => objectId), flags, isWhole };
  }

  it.each([
    ['access-before-commit', 0],
    ['access-after-commit', 1],
  ])('at %s has left %i, and one after the repeat', async (crashAt, left) => {
    const killed = run(crashAt);
    expect(killed).toEqual({ signal: 'SIGKILL', answer: '' });
    expect((await kept()).records).toHaveLength(left);
    const { answer } = run('');
    expect(answer).toMatch(/^[0-9a-f-]{36}$/);
    expect(await kept()).toEqual({ records: [answer], flags: [answer], isWhole: true });
    expect(run('').answer).toBe(answer);
    expect((await kept()).records).toHaveLength(1);
  });

  it.each([
    ['gateway.pipeline-records.before-commit', 0],
    ['gateway.pipeline-records.after-commit', 1],
  ])('of the pipeline at %s has left %i, and one after the restart', async (crashAt, left) => {
    const journal = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    await journal.write((sql) => {
      sql.run(`INSERT INTO study VALUES (1, '1.2', 1, 1)`);
      const row = { studyId: 1, jobId: 'j', stage: 'uplink', event: 'uploaded', atMs: 1 } as const;
      recordJournal(sql, row);
    });
    journal.close();
    const program: [string, string] = [PIPELINE_CHILD, DATABASE];
    expect(run(crashAt, program).signal).toBe('SIGKILL');
    expect((await kept()).records).toHaveLength(left);
    for (let again = 0; again < 2; again += 1) {
      expect(run('', program).signal).toBeNull();
      expect(await kept()).toMatchObject({ records: ['1.2'], isWhole: true });
    }
  });
});
