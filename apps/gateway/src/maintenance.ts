/**
 * Maintenance of keys and vault on the gateway's own machine: backup, restore, rotation.
 * Decides that these are commands of whoever may use the machine and its files, with the gateway's
 * own configuration, and never routes: keys and backups cross no network. A restore asks for a
 * gateway that is stopped; a backup and a rotation do not. Invariants: no key and no identity in
 * any output; what looks at the vault or changes it or the keys is an act on record in the vault,
 * with the account of the machine, from which the gateway's audit trail takes it when it runs.
 * Usage: `main.js vault backup --to FOLDER`, `main.js vault restore --from FILE [--erasures FILE]`,
 * `main.js vault check`, `main.js gateway backup --to FOLDER`,
 * `main.js gateway restore --from FOLDER [--erasures FILE]`, `main.js keys show`,
 * `main.js keys rotate --kind sealing|pseudonyms`,
 * `main.js keys retire`, `main.js keys wrap`.
 * Source: pseudonymisation specification 1.3 (keys, rotation); reliability specification 8.9.
 */
import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { backupVault, IdentityEventLog, restoreVault, Vault } from '@aifi/gateway-vault';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { AifiError, type Clock, type JobId } from '@aifi/shared-kernel';
import {
  describeKeyRing,
  readKeyRing,
  retireEpochs,
  rewrapKeys,
  rotateKeys,
  type KeyRing,
} from '@aifi/shared-site-keys';
import { backUpBox, restoreBox } from './box-tasks.js';
import type { GatewayConfig } from './gateway-config.js';
import { eventsPath, keyStoreOf, vaultPath } from './identity-stores.js';

export interface MaintenanceOptions {
  readonly args: readonly string[];
  readonly config: Pick<GatewayConfig, 'dataFolder' | 'keys' | 'vault'>;
  readonly clock: Clock;
  /** Standard output: one JSON document. */
  readonly out: (text: string) => void;
}
type Values = Readonly<Partial<Record<'to' | 'from' | 'erasures' | 'kind', string>>>;
type Task = (options: MaintenanceOptions, values: Values) => Promise<object>;

const TASKS: Readonly<Record<string, Task>> = {
  'vault backup': async ({ config, clock }, { to }) => {
    const folder = needed('to', to);
    return backupVault({
      ...{ path: vaultPath(config), eventsPath: eventsPath(config), folder },
      ...{ ring: await ringOf(config) },
      ...{ atMs: clock.nowMs(), actor: actorHere() },
    });
  },
  'vault restore': async ({ config, clock }, { from, erasures }) => {
    const { vault: retention, dataFolder } = config;
    const ring = await ringOf(config);
    const journal = GatewayDatabase.open(join(dataFolder, 'gateway.db'), GATEWAY_MIGRATIONS);
    try {
      const options = {
        ...{ backup: needed('from', from), path: vaultPath(config), ring },
        eventsPath: eventsPath(config),
        ...{ atMs: clock.nowMs(), actor: actorHere(), vault: { retention, clock } },
        ...(erasures !== undefined && { erasureLists: [erasures] }),
      };
      const isOpen = (jobId: JobId): boolean =>
        journal.read((sql) =>
          sql.get('SELECT 1 FROM job WHERE job_id = ? AND terminal_ms IS NULL', jobId),
        ) !== undefined;
      return await restoreVault({ ...options, isOpen });
    } finally {
      journal.close();
    }
  },
  'gateway backup': async (options, { to }) => backUpBox(await boxOf(options), needed('to', to)),
  'gateway restore': async (options, { from, erasures }) =>
    restoreBox(await boxOf(options), needed('from', from), erasures),
  // It may be asked while the gateway runs.
  'vault check': async ({ config, clock }) => {
    const { vault, events, close } = await storesOf(config, clock);
    try {
      const firstBrokenAct = vault.firstBrokenAct() ?? null;
      const answer = {
        ...{ isWhole: firstBrokenAct === null, firstBrokenAct, ...vault.counts() },
        ...{ identityEvents: events.count(), epochsInUse: epochsOf(vault, events) },
      };
      const detail = { firstBrokenAct: firstBrokenAct ?? 'none' };
      await vault.recordAct({ act: 'checked', actor: actorHere(), detail }, clock.nowMs());
      return answer;
    } finally {
      close();
    }
  },
  'keys show': async ({ config }) => describeKeyRing(keyStoreOf(config).path),
  'keys rotate': async ({ config, clock }, { kind }) => {
    if (kind !== 'sealing' && kind !== 'pseudonyms') {
      throw wrongUse('--kind is sealing or pseudonyms');
    }
    const ring = await rotateKeys(keyStoreOf(config), kind, clock.nowMs());
    const { epochs } = ring;
    // The vault notes a new epoch when it is opened: now, so that it is known who made it.
    onRecord({ config, clock }, ring)?.close();
    return { epochs, note: 'the gateway takes the new epoch up at its next start' };
  },
  // The file as it is, wrapped or not, under what the configuration names from now on.
  'keys wrap': async ({ config, clock }) => {
    const { path, wrapper } = keyStoreOf(config);
    if (!wrapper) throw wrongUse('the configuration names no HSM (keys.pkcs11)');
    const ring = await rewrapKeys({ path, to: wrapper });
    const { epochs } = ring;
    const vault = onRecord({ config, clock }, ring);
    const detail = { keyStore: wrapper.id };
    await vault?.recordAct({ act: 'wrapped', actor: actorHere(), detail }, clock.nowMs());
    vault?.close();
    return { epochs };
  },
  'keys retire': async ({ config, clock }) => {
    const { vault, events, close } = await storesOf(config, clock);
    try {
      const { epochs } = await retireEpochs(keyStoreOf(config), epochsOf(vault, events));
      const detail = { epochsKept: epochs.join(' ') };
      await vault.recordAct({ act: 'retired', actor: actorHere(), detail }, clock.nowMs());
      return { epochs };
    } finally {
      close();
    }
  },
};

/** Runs one task; INVALID_ARGUMENT with words for a wrong use. */
export async function runMaintenance(options: MaintenanceOptions): Promise<void> {
  const { positionals, values } = parsed(options.args);
  const task = TASKS[positionals.join(' ')];
  if (!task) throw wrongUse(`the task is one of ${Object.keys(TASKS).join(', ')}`);
  const answer = await task(options, values);
  options.out(`${JSON.stringify(answer, null, 2)}\n`);
}

function parsed(args: readonly string[]): { positionals: string[]; values: Values } {
  try {
    const text = { type: 'string' } as const;
    return parseArgs({
      ...{ args: [...args], allowPositionals: true },
      options: { to: text, from: text, erasures: text, kind: text },
    });
  } catch (error) {
    throw wrongUse((error as Error).message);
  }
}

/** Keys are neither made nor upgraded here: the gateway may run beside. */
const ringOf = (config: MaintenanceOptions['config']): Promise<KeyRing> =>
  readKeyRing(keyStoreOf(config));

const boxOf = async ({ config, clock }: Place) => ({
  ...{ config, clock, ring: await ringOf(config), actor: actorHere() },
});

/** Vault and events as they are; NOT_FOUND where there is none: a look makes nothing. */
async function storesOf(config: MaintenanceOptions['config'], clock: Clock) {
  if (!existsSync(vaultPath(config))) throw new AifiError('NOT_FOUND', 'there is no vault');
  const ring = await ringOf(config);
  const vault = Vault.open(vaultPath(config), ring, { retention: config.vault, clock });
  const events = IdentityEventLog.open(eventsPath(config), ring);
  const close = (): void => {
    vault.close();
    events.close();
  };
  return { vault, events, close };
}
type Place = Pick<MaintenanceOptions, 'config' | 'clock'>;
/** The vault, opened by whoever is here; undefined where there is none, and so no acts. */
function onRecord({ config, clock }: Place, ring: KeyRing): Vault | undefined {
  const path = vaultPath(config);
  if (!existsSync(path)) return undefined;
  return Vault.open(path, ring, { retention: config.vault, clock, actor: actorHere() });
}
const epochsOf = (vault: Vault, events: IdentityEventLog): readonly number[] =>
  [...new Set([...vault.epochsInUse(), ...events.epochsInUse()])].toSorted((a, b) => a - b);

function needed(name: string, value: string | undefined): string {
  if (value === undefined || value === '') throw wrongUse(`the task needs --${name}`);
  if (!existsSync(value)) throw wrongUse(`what --${name} names is not there`);
  return value;
}

/** The account of the machine: whoever is there has no other name. */
const actorHere = (): string => `machine:${userInfo().username}`;
const wrongUse = (words: string): AifiError => new AifiError('INVALID_ARGUMENT', words);
