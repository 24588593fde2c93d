/**
 * Launcher of the embedded PostgreSQL: a real server for a hub without one of its own.
 * Decides initialisation (checksums, scram), durability settings, roles, and start and stop.
 * Invariants: fsync and synchronous_commit are on; the server listens on the loopback interface
 * only; it stops with the hub, however that ends; passwords are random and in a file of mode 600.
 * Source: reliability specification 2 (DURABLE(row)), guard C3; dependencies specification
 * "Runtime".
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { lstat, open, readFile, rename, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { AifiError, processEntry, writeDurableFile, type Clock } from '@aifi/shared-kernel';
import type { WatchdogOrder } from './postgres-watchdog-main.js';
import { lockDataFolder, stopLeftoverServer, unlockDataFolder } from './server-lock.js';
import { prepareServerFolder, type ServerFolder } from './server-folder.js';

/** Connection URLs of the four roles of the hub. */
export interface DatabaseUrls {
  /** Owns the tables; used for migrations only. */
  readonly ownerUrl: string;
  /** Works inside one site at a time, under row-level security. */
  readonly appUrl: string;
  /** Sees the queue columns of all sites, nothing else. */
  readonly jobsUrl: string;
  /** Sees sessions, approvals and the audit trail, and no study. */
  readonly accessUrl: string;
}
export interface EmbeddedPostgres {
  readonly urls: DatabaseUrls;
  readonly port: number;
  /** Resolves when the server has ended, asked for or not. */
  readonly ended: Promise<void>;
  /** Fast shutdown; resolves when the server has ended. */
  stop(): Promise<void>;
}

const ROLES = ['aifi_owner', 'aifi_app', 'aifi_jobs', 'aifi_access'] as const;
type Passwords = Readonly<Record<'postgres' | (typeof ROLES)[number], string>>;
/** Crash recovery of a large log may take this long. @unit ms */
const START_MS_MAX = 120_000;
const START_POLL_MS = 100;
/** A free port may be taken between the look and the start. */
const START_ATTEMPTS_MAX = 3;

const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  // The pools of one hub together stay below 32 (hub-database.ts).
  max_connections: '40',
  unix_socket_directories: '',
  shared_buffers: '64MB',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  password_encryption: 'scram-sha-256',
  timezone: 'UTC',
  // The server's log names no statement and no value (hazard H11).
  log_min_messages: 'warning',
  log_min_error_statement: 'panic',
  log_parameter_max_length: '0',
  log_error_verbosity: 'terse',
  log_checkpoints: 'off',
};

/** Starts the server of this data folder, creating it at first, and waits until it answers. */
export async function startEmbeddedPostgres(options: {
  readonly dataFolder: string;
  readonly clock: Clock;
}): Promise<EmbeddedPostgres> {
  const { dataFolder, clock } = options;
  const folder = await prepareServerFolder(dataFolder);
  await lockDataFolder(dataFolder);
  const passwords = await readPasswords(dataFolder);
  await stopLeftoverServer(folder.data, clock);
  await initialise(folder, passwords.postgres);
  const { watchdog, port } = await startServer(folder, passwords.postgres, clock);
  const url = (role: keyof Passwords, database = 'aifi'): string =>
    `postgres://${role}:${passwords[role]}@127.0.0.1:${port}/${database}`;
  await prepareRoles(url('postgres', 'postgres'), passwords);
  const ended = new Promise<void>((resolve) => watchdog.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    await stopWatchdog(watchdog);
    await unlockDataFolder(dataFolder);
  };
  const [ownerUrl, appUrl, jobsUrl] = [url('aifi_owner'), url('aifi_app'), url('aifi_jobs')];
  const urls = { ownerUrl, appUrl, jobsUrl, accessUrl: url('aifi_access') };
  return { urls, port, ended, stop };
}

async function readPasswords(dataFolder: string): Promise<Passwords> {
  const path = join(dataFolder, 'postgres-passwords.json');
  const text = await readFile(path, 'utf8').catch(() => undefined);
  const kept = text === undefined ? {} : (JSON.parse(text) as Partial<Passwords>);
  // A folder of an older release has no password yet for a role that came later.
  const missing = (['postgres', ...ROLES] as const).filter((name) => kept[name] === undefined);
  if (missing.length === 0) return kept as Passwords;
  const made = Object.fromEntries(missing.map((name) => [name, randomBytes(24).toString('hex')]));
  const passwords = { ...kept, ...made } as Passwords;
  await writeDurableFile(path, Buffer.from(JSON.stringify(passwords)));
  return passwords;
}

/** initdb into a folder beside, renamed when it is whole. */
async function initialise(folder: ServerFolder, password: string): Promise<void> {
  if (await lstat(folder.data).catch(() => undefined)) return;
  const { identity, binaries } = folder;
  const unfinished = `${folder.data}.new`;
  const passwordFile = join(folder.path, 'initdb-password');
  await rm(unfinished, { recursive: true, force: true });
  await rm(passwordFile, { force: true });
  try {
    const file = await open(passwordFile, 'wx', 0o600);
    try {
      await file.writeFile(password);
      if (identity) await file.chown(identity.uid, identity.gid);
    } finally {
      await file.close();
    }
    const words = ['-D', unfinished, '-U', 'postgres', '--data-checksums', '--encoding=UTF8'];
    words.push('--locale=C', '--auth=scram-sha-256', `--pwfile=${passwordFile}`);
    const settings = { ...identity, cwd: '/', env: { LC_ALL: 'C' } };
    await promisify(execFile)(join(binaries, 'bin/initdb'), words, settings);
    await rename(unfinished, folder.data);
  } catch (error) {
    throw new AifiError('INTERNAL', 'the embedded database was not initialised', { cause: error });
  } finally {
    await rm(passwordFile, { force: true });
  }
}

async function startServer(
  folder: ServerFolder,
  password: string,
  clock: Clock,
): Promise<{ watchdog: ChildProcess; port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const watchdog = spawnWatchdog(folder, port);
    const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
    if (await answers(url, watchdog, clock)) return { watchdog, port };
    await stopWatchdog(watchdog);
    if (attempt >= START_ATTEMPTS_MAX) {
      throw new AifiError('PEER_UNAVAILABLE', 'the embedded database does not start');
    }
  }
}

function spawnWatchdog(folder: ServerFolder, port: number): ChildProcess {
  const settings = Object.entries({ ...SETTINGS, port: String(port) });
  const order: WatchdogOrder = {
    program: join(folder.binaries, 'bin/postgres'),
    arguments: [
      '-D',
      folder.data,
      ...settings.flatMap(([key, value]) => ['-c', `${key}=${value}`]),
    ],
    log: folder.log,
    ...folder.identity,
  };
  const entry = processEntry(import.meta.url, 'postgres-watchdog-main');
  // Its own process group: Ctrl-C in a terminal reaches the hub, which then stops the server last.
  return spawn(process.execPath, [entry, JSON.stringify(order)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
}

async function answers(url: string, watchdog: ChildProcess, clock: Clock): Promise<boolean> {
  const until = clock.monotonicMs() + START_MS_MAX;
  while (watchdog.exitCode === null && clock.monotonicMs() < until) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return true;
    } catch {
      await clock.sleep(START_POLL_MS);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
  return false;
}

async function stopWatchdog(watchdog: ChildProcess): Promise<void> {
  if (watchdog.exitCode !== null || watchdog.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => watchdog.once('exit', () => resolve()));
  watchdog.stdin?.end();
  await ended;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

/** Roles and the database; may be repeated. Passwords are hex, so they need no quoting. */
async function prepareRoles(superuserUrl: string, passwords: Passwords): Promise<void> {
  const client = new pg.Client({ connectionString: superuserUrl });
  await client.connect();
  try {
    for (const role of ROLES) {
      const found = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [role]);
      const verb = found.rowCount ? 'ALTER' : 'CREATE';
      const rights = 'LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS';
      await client.query(`${verb} ROLE ${role} ${rights} PASSWORD '${passwords[role]}'`);
    }
    const database = await client.query(`SELECT 1 FROM pg_database WHERE datname = 'aifi'`);
    if (!database.rowCount) await client.query('CREATE DATABASE aifi OWNER aifi_owner');
    await client.query('REVOKE ALL ON DATABASE aifi FROM PUBLIC');
    await client.query(`GRANT CONNECT ON DATABASE aifi TO ${ROLES.join(', ')}`);
  } finally {
    await client.end();
  }
}
