/**
 * Goal: hospital IT backs the vault up, restores it and rotates keys on the machine itself, and
 * what was erased since a backup does not come back; the audit trail has each of it. Method: real
 * files, keys and vaults; the tasks as `main.js` runs them.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DicomDataset } from '@aifi/dicom-core';
import { openGatewayAccess, recordVaultActs } from '@aifi/gateway-access';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { identityOf, Vault } from '@aifi/gateway-vault';
import { jobId, originalUid, pseudonymousUid, siteId } from '@aifi/shared-kernel';
import { FakeClock, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { openIdentityStores, vaultPath } from './identity-stores.js';
import { runMaintenance } from './maintenance.js';

const NAME = 'Zonnebloem^Xaviera';
const JOB = jobId('1'.repeat(32));
const STUDY = originalUid('1.2.3');
const DAY_MS = 86_400_000;

let folder: TemporaryFolder;
let clock: FakeClock;
const config = () => ({
  ...{ dataFolder: join(folder.path, 'data'), keys: {} },
  vault: { linkageDays: 90, registerYears: 20 },
});
const backups = (): string => join(folder.path, 'backups');
async function run(...args: string[]): Promise<{ epochs?: unknown } & object> {
  let text = '';
  await runMaintenance({ args, config: config(), clock, out: (more) => (text += more) });
  expect(text).not.toMatch(/Zonnebloem|0012345|[0-9a-f]{64}"?\s*,?\s*"(uid|seal|vault)/);
  return JSON.parse(text) as object;
}
async function withVault<T>(work: (vault: Vault) => T | Promise<T>): Promise<T> {
  const { vault } = await openIdentityStores(config(), clock);
  try {
    return await work(vault);
  } finally {
    vault.close();
  }
}
const link = (vault: Vault): Promise<void> => {
  const dataset = new DicomDataset()
    .setString('PatientName', NAME)
    .setString('PatientID', '0012345');
  const linkage = {
    ...{ jobId: JOB, studyUid: STUDY, seriesUid: originalUid('1.2.3.1'), epoch: 1 },
    ...{ pseudonymousStudyUid: pseudonymousUid('2.25.1'), asSent: identityOf(dataset) },
  };
  return vault.recordLinkage(linkage, new Map(), clock.nowMs());
};
const loseVault = (): void => {
  for (const rest of ['', '-wal', '-shm']) rmSync(`${vaultPath(config())}${rest}`, { force: true });
};
/** What the gateway's audit trail has, once it runs: act and user. */
async function audited(): Promise<(readonly [string, string])[]> {
  const path = join(folder.path, 'data', 'access.db');
  const { database, trail } = openGatewayAccess({ path, siteId: 'site-a', clock });
  const found: (readonly [string, string])[] = [];
  await withVault((vault) =>
    recordVaultActs({ vault, database, trail, clock, onFault: () => undefined }),
  );
  for await (const { act, userId } of trail.stream({})) found.push([act, userId]);
  await database.close();
  return found;
}
const newestBackup = (): string => join(backups(), readdirSync(backups()).toSorted().at(-1)!);

beforeEach(async () => {
  folder = temporaryFolder('gateway-maintenance');
  clock = new FakeClock(Date.UTC(2026, 10, 20));
  mkdirSync(join(folder.path, 'data', 'keys'), { recursive: true });
  mkdirSync(backups());
  // Keys are made before there is anything else.
  await withVault(link);
  GatewayDatabase.open(join(folder.path, 'data', 'gateway.db'), GATEWAY_MIGRATIONS).close();
});
afterEach(() => folder.remove());

describe('backup and restore', () => {
  it('brings the vault back, in which a backup holds no name, and both are on record', async () => {
    await run('vault', 'backup', '--to', backups());
    const bytes = readFileSync(newestBackup()).toString('latin1');
    expect(bytes).not.toMatch(/Zonnebloem|0012345|SQLite format/);
    loseVault();
    await run('vault', 'restore', '--from', newestBackup());
    await withVault((vault) => {
      expect(vault.currentIdentity(STUDY)?.fields.PatientName).toBe(NAME);
      const acts = vault.actsAfter(0);
      expect(acts.map(({ act }) => act)).toEqual(expect.arrayContaining(['exported', 'restored']));
      const [exported] = acts.filter(({ act }) => act === 'exported');
      expect(exported!.actor).toMatch(/^machine:/);
    });
  });
  it('does not bring back who was erased meanwhile', async () => {
    await run('vault', 'backup', '--to', backups());
    clock.advance(DAY_MS);
    const erased = await withVault((vault) =>
      vault.erasePatient({ patientId: '0012345', issuer: '' }, clock.nowMs()),
    );
    expect(erased).toEqual({ jobs: 1, results: 0 });
    loseVault();
    await run('vault', 'restore', '--from', newestBackup());
    await withVault((vault) => {
      expect(vault.linkage(JOB)).toBeUndefined();
      expect(vault.currentIdentity(STUDY)).toBeUndefined();
    });
  });
  it('never takes the place of a vault that is there', async () => {
    await run('vault', 'backup', '--to', backups());
    await expect(run('vault', 'restore', '--from', newestBackup())).rejects.toMatchObject({
      code: 'STATE_CONFLICT',
    });
  });
});

it('checks the vault in numbers, and finds who wrote to it', async () => {
  const counts = { linkages: 1, studies: 1, results: 0, erasures: 0, identityEvents: 0 };
  const whole = { isWhole: true, firstBrokenAct: null, epochsInUse: [1] };
  expect(await run('vault', 'check')).toEqual({ ...whole, ...counts, acts: 2 });
  // The check itself is an act.
  expect(await run('vault', 'check')).toEqual({ ...whole, ...counts, acts: 3 });
  const direct = new DatabaseSync(vaultPath(config()));
  direct.exec('DROP TRIGGER vault_act_is_immutable; UPDATE vault_act SET at_ms = 1');
  direct.close();
  expect(await run('vault', 'check')).toMatchObject({ isWhole: false, firstBrokenAct: 1 });
});

describe('keys', () => {
  it('are rotated and shown without a key, and an epoch in use is not retired', async () => {
    expect(await run('keys', 'rotate', '--kind', 'sealing')).toMatchObject({ epochs: [1, 2] });
    const shown = JSON.stringify(await run('keys', 'show'));
    expect(shown).toMatch(/"epoch":2,.*"kind":"sealing"/);
    expect(shown).not.toMatch(/[0-9a-f]{64}/);
    expect(await run('keys', 'retire')).toEqual({ epochs: [1, 2] });
    await withVault((vault) => expect(vault.linkage(JOB)?.epoch).toBe(1));
  });
  it('are rotated also where there is no vault', async () => {
    loseVault();
    expect(await run('keys', 'rotate', '--kind', 'sealing')).toMatchObject({ epochs: [1, 2] });
    expect(readdirSync(join(folder.path, 'data'))).not.toContain('vault.db');
  });
  it('are never made here', async () => {
    rmSync(join(folder.path, 'data', 'keys'), { recursive: true });
    await expect(run('vault', 'backup', '--to', backups())).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });
});

it('leaves each task in the audit trail of the gateway, with the account, once', async () => {
  const machine = expect.stringMatching(/^machine:/) as unknown as string;
  await run('vault', 'backup', '--to', backups());
  await run('vault', 'check');
  await run('keys', 'rotate', '--kind', 'sealing');
  await run('keys', 'retire');
  const before = [
    ...[['vault.back-up', machine] as const, ['vault.check', machine] as const],
    ...[['keys.rotate', machine] as const, ['keys.retire', machine] as const],
  ];
  expect(await audited()).toEqual(before);
  loseVault();
  await run('vault', 'restore', '--from', newestBackup());
  const restored = [
    // Seen when the restored vault was opened: it is older than the key file.
    ...[['vault.replace', 'gateway'] as const, ['keys.rotate', 'gateway'] as const],
    ['vault.restore', machine] as const,
  ];
  expect(await audited()).toEqual([...before, ...restored]);
  expect(await audited()).toHaveLength(7);
});

it.each([[['vault', 'backup', '--to', '.']], [['keys', 'retire']]])(
  'does not upgrade the key file of an older release beside its gateway: %j',
  async (args) => {
    const path = join(folder.path, 'data', 'keys', 'site-keys.json');
    const file = JSON.parse(readFileSync(path, 'utf8')) as { epochs: [{ keys: object }] };
    const old = { epoch: 1, ...file.epochs[0].keys, vault: undefined, index: undefined };
    const text = JSON.stringify(old);
    writeFileSync(path, text);
    await expect(run(...args)).rejects.toThrow(/version 1: the gateway upgrades it/);
    expect(readFileSync(path, 'utf8')).toBe(text);
    expect(readdirSync(join(path, '..'))).toEqual(['site-keys.json']);
  },
);

it.each([
  [['vault'], /^the task is one of vault backup, /],
  [['vault', 'backup'], /needs --to/],
  [['vault', 'backup', '--to', '/nowhere/at/all'], /is not there/],
  [['keys', 'rotate', '--kind', 'all'], /^--kind is sealing or pseudonyms$/],
  [['keys', 'show', '--secret'], /--secret/],
])('refuses %j with what is right', async (args, words) => {
  await expect(run(...args)).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringMatching(words),
  });
});

describe('the loss of the machine', () => {
  const dataFolder = (): string => join(folder.path, 'data');
  const openPipeline = (): GatewayDatabase =>
    GatewayDatabase.open(join(dataFolder(), 'gateway.db'), GATEWAY_MIGRATIONS);
  const openTrail = (): void =>
    void openGatewayAccess({
      path: join(dataFolder(), 'access.db'),
      siteId: siteId('site-a'),
      clock,
    }).database.close();

  /** A gateway with one linkage, a study on record and an identity on the link. */
  async function aGateway(): Promise<void> {
    await withVault(link);
    const pipeline = openPipeline();
    await pipeline.write((sql) =>
      sql.run(`INSERT INTO study (study_uid, last_received_ms) VALUES ('1.2.3', 1)`),
    );
    pipeline.close();
    openTrail();
    mkdirSync(join(dataFolder(), 'link'), { mode: 0o700 });
    writeFileSync(join(dataFolder(), 'link', 'gateway.pem'), 'CERTIFICATE', { mode: 0o600 });
    mkdirSync(backups(), { recursive: true });
  }
  /** A new disk, with the keys put back from where they are kept. */
  function loseMachine(): void {
    const keys = join(dataFolder(), 'keys', 'site-keys.json');
    const kept = readFileSync(keys);
    rmSync(dataFolder(), { recursive: true });
    mkdirSync(join(dataFolder(), 'keys'), { recursive: true, mode: 0o700 });
    writeFileSync(keys, kept, { mode: 0o600 });
  }
  const countStudies = (): unknown => {
    const pipeline = openPipeline();
    const row = pipeline.read((sql) => sql.get('SELECT count(*) AS n FROM study'));
    pipeline.close();
    return row?.['n'];
  };

  it('is mended from the backup and the keys: pipeline, trail, vault and link identity', async () => {
    await aGateway();
    const made = (await run('gateway', 'backup', '--to', backups())) as { files: string[] };
    expect(made.files).toHaveLength(3);
    for (const file of made.files) {
      expect(readFileSync(join(backups(), file)).includes('Zonnebloem')).toBe(false);
      expect(readFileSync(join(backups(), file)).includes('CERTIFICATE')).toBe(false);
    }
    loseMachine();
    await expect(run('gateway', 'restore', '--from', backups())).resolves.toMatchObject({
      ...{ madeAtMs: clock.nowMs(), hasLinkIdentity: true, outcomes: 0 },
    });
    expect(countStudies()).toBe(1);
    expect(readFileSync(join(dataFolder(), 'link', 'gateway.pem'), 'utf8')).toBe('CERTIFICATE');
    await withVault((vault) => expect(vault.linkage(JOB)).toBeDefined());
  });

  it('leaves a standby its own identity on the link', async () => {
    await aGateway();
    await run('gateway', 'backup', '--to', backups());
    loseMachine();
    mkdirSync(join(dataFolder(), 'link'));
    writeFileSync(join(dataFolder(), 'link', 'gateway.pem'), 'STANDBY');
    await expect(run('gateway', 'restore', '--from', backups())).resolves.toMatchObject({
      hasLinkIdentity: false,
    });
    expect(readFileSync(join(dataFolder(), 'link', 'gateway.pem'), 'utf8')).toBe('STANDBY');
  });

  it('takes the newest whole backup, and nothing over a gateway that is there', async () => {
    await aGateway();
    await run('gateway', 'backup', '--to', backups());
    clock.advance(DAY_MS);
    const second = (await run('gateway', 'backup', '--to', backups())) as { files: string[] };
    await expect(run('gateway', 'restore', '--from', backups())).rejects.toMatchObject({
      code: 'STATE_CONFLICT',
    });
    rmSync(join(backups(), second.files[2]!));
    loseMachine();
    await expect(run('gateway', 'restore', '--from', backups())).resolves.toMatchObject({
      madeAtMs: clock.nowMs() - DAY_MS,
    });
  });

  it('believes no damaged file, and leaves nothing of it', async () => {
    await aGateway();
    const { files } = (await run('gateway', 'backup', '--to', backups())) as { files: string[] };
    const path = join(backups(), files[0]!);
    const bytes = readFileSync(path);
    bytes[bytes.length - 20]! ^= 1;
    writeFileSync(path, bytes);
    loseMachine();
    await expect(run('gateway', 'restore', '--from', backups())).rejects.toMatchObject({
      code: 'UNTRUSTED',
    });
    expect(readdirSync(dataFolder())).toEqual(['keys']);
  });
});
