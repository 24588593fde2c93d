/**
 * Backup of a gateway: its pipeline database, its audit trail, its vault and who it is on the link.
 * Decides the order, so that the vault of a backup knows every job of its pipeline, and what a
 * restore puts where: on an empty folder, or beside an identity of the machine's own (a standby).
 * Invariants: images are in no backup (the PACS has them); nothing is written over what is there;
 * no key of the site is in it.
 * Source: reliability specification 2 (linkage before bytes), 3 (restore drill), loss of a box.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import {
  backupVault,
  checkWhole,
  openSnapshot,
  restoreVault,
  sealSnapshot,
  type BackupOptions,
  type RestoreOptions,
} from '@aifi/gateway-vault';
import { AifiError, crashPoint, syncFolder, writeDurableFile } from '@aifi/shared-kernel';
import { rewindToFiles, type Rewound } from './rewind.js';

/** Where the parts of a gateway lie. */
export interface GatewayPlaces {
  /** Pipeline database. */
  readonly pipeline: string;
  /** Sessions and audit trail. */
  readonly access: string;
  /** Folder with the gateway's certificate and key; it may be absent. */
  readonly link: string;
}
export interface GatewayBackupOptions extends BackupOptions, GatewayPlaces {}
export interface GatewayBackup {
  readonly files: readonly string[];
  readonly sizeBytes: number;
}

const TABLE = 'backup_file';
/** Certificates and keys: a few files of a few kilobytes. */
const FILES_MAX = 64;
const FILE_BYTES_MAX = 1024 * 1024;

/** Makes a backup of a gateway that may run; every file is durable on return. */
export async function backupGateway(options: GatewayBackupOptions): Promise<GatewayBackup> {
  const { pipeline, access, link, folder, ring, atMs, wrapper } = options;
  for (const path of [pipeline, access]) {
    if (!existsSync(path)) throw new AifiError('NOT_FOUND', 'there is no gateway');
  }
  const common = { folder, ring, atMs, ...(wrapper && { wrapper }) };
  const pack = (copy: string): void => packFiles(copy, link);
  // The vault last: a linkage is there before its job goes on, so none is missing in it.
  const files = [
    await sealSnapshot({ ...common, kind: 'gateway', path: pipeline, pack }),
    await sealSnapshot({ ...common, kind: 'access', path: access }),
    await backupVault(options),
  ];
  return {
    files: files.map(({ path }) => basename(path)),
    sizeBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  };
}

/** `backup` is the folder with the three files of one time. */
export interface GatewayRestoreOptions extends RestoreOptions, GatewayPlaces {
  /** Whether a file of the pipeline is there. @default on this machine's disk */
  readonly exists?: (path: string) => boolean;
}
export interface GatewayRestored extends Rewound {
  readonly madeAtMs: number;
  /** False: this machine keeps the certificate it had. */
  readonly hasLinkIdentity: boolean;
}

/**
 * Puts the newest backup of a folder in the place of a gateway that is gone. STATE_CONFLICT when
 * one is there, UNTRUSTED when a file is damaged, of another site or of another kind.
 */
export async function restoreGateway(options: GatewayRestoreOptions): Promise<GatewayRestored> {
  const { backup: folder, pipeline, access, link, ring, wrapper, atMs } = options;
  for (const path of [pipeline, access, options.path]) {
    if (!existsSync(path)) continue;
    throw new AifiError('STATE_CONFLICT', 'a gateway is there: move its files away first');
  }
  const found = newestSet(folder);
  mkdirSync(dirname(pipeline), { recursive: true, mode: 0o700 });
  const terms = { ring, ...(wrapper && { wrapper }) };
  const arriving = { pipeline: `${pipeline}.restoring`, access: `${access}.restoring` };
  try {
    const madeAtMs = await openSnapshot({
      ...{ ...terms, kind: 'gateway', backup: found.gateway, to: arriving.pipeline },
    });
    checkWhole(arriving.pipeline);
    await openSnapshot({ ...terms, kind: 'access', backup: found.access, to: arriving.access });
    checkWhole(arriving.access);
    const hasLinkIdentity = await unpackFiles(arriving.pipeline, link);
    const rewound = await rewind(arriving.pipeline, { ...options, atMs });
    crashPoint('gateway.backup.before-vault');
    await restoreVault({ ...options, backup: found.vault });
    crashPoint('gateway.backup.after-vault');
    await rename(arriving.access, access);
    // Last: a gateway without it is not there. After a cut: empty the folder and begin again.
    await rename(arriving.pipeline, pipeline);
    await syncFolder(dirname(pipeline));
    return { madeAtMs, hasLinkIdentity, ...rewound };
  } finally {
    for (const path of Object.values(arriving)) {
      for (const rest of ['', '-wal', '-shm']) await rm(`${path}${rest}`, { force: true });
    }
  }
}

async function rewind(
  path: string,
  { exists = existsSync, atMs }: Pick<GatewayRestoreOptions, 'exists' | 'atMs'>,
): Promise<Rewound> {
  const database = GatewayDatabase.open(path, GATEWAY_MIGRATIONS);
  try {
    return await database.write((sql) => rewindToFiles(sql, { exists, atMs }));
  } finally {
    database.close();
  }
}

const KINDS = ['gateway', 'access', 'vault'] as const;
type BackupSet = Readonly<Record<(typeof KINDS)[number], string>>;

/** The newest time of which all three files are there. */
function newestSet(folder: string): BackupSet {
  const names = readdirSync(folder);
  const times = names.flatMap((name) => /^gateway-(\w+)\.backup$/.exec(name)?.[1] ?? []);
  const whole = times.filter((time) =>
    KINDS.every((kind) => names.includes(`${kind}-${time}.backup`)),
  );
  const newest = whole.toSorted().at(-1);
  if (newest === undefined) throw new AifiError('NOT_FOUND', 'no whole backup is in the folder');
  const entries = KINDS.map((kind) => [kind, join(folder, `${kind}-${newest}.backup`)]);
  return Object.fromEntries(entries) as BackupSet;
}

/** Puts the files of a folder into a table of the copy; a gateway may have none yet. */
function packFiles(copy: string, folder: string): void {
  const database = new DatabaseSync(copy);
  try {
    database.exec(`CREATE TABLE ${TABLE} (name TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT`);
    if (!existsSync(folder)) return;
    const put = database.prepare(`INSERT INTO ${TABLE} VALUES (?, ?)`);
    const names = readdirSync(folder).filter((name) => statSync(join(folder, name)).isFile());
    if (names.length > FILES_MAX) throw tooMuch();
    for (const name of names) {
      const bytes = readFileSync(join(folder, name));
      if (bytes.length > FILE_BYTES_MAX) throw tooMuch();
      put.run(name, bytes);
    }
  } finally {
    database.close();
  }
}
const tooMuch = (): AifiError =>
  new AifiError('LIMIT_EXCEEDED', 'the link folder holds more than certificates and keys');

/** Takes the files out again; false when the folder has an identity of its own, which stays. */
async function unpackFiles(copy: string, folder: string): Promise<boolean> {
  const database = new DatabaseSync(copy);
  try {
    const files = database.prepare(`SELECT name, bytes FROM ${TABLE}`).all() as {
      readonly name: string;
      readonly bytes: Uint8Array;
    }[];
    database.exec(`DROP TABLE ${TABLE}; VACUUM`);
    if (files.length === 0 || existsSync(folder)) return false;
    for (const { name, bytes } of files) {
      if (basename(name) !== name) throw new AifiError('UNTRUSTED', 'a file name with a folder');
      await writeDurableFile(join(folder, name), bytes);
    }
    return true;
  } finally {
    database.close();
  }
}
