/**
 * Goal: each file of a finished batch is stored or named in the report with its reason; nothing of
 * the hospital's is lost, whatever lies in the folder and whenever the gateway dies.
 * Method: the real receive stage with its listener, a real database and real folders; each gateway
 * is a process that is killed at every crash point and followed by another.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeFileMeta, DicomDataset, encodePart10 } from '@aifi/dicom-core';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import {
  BATCH_DEPTH_MAX,
  createFolderIntake,
  folderIntakeConfigSchema,
  type BatchReport,
  type FolderIntake,
} from '@aifi/gateway-folder-intake';
import {
  createPrivateIntake,
  createReceiveStage,
  receiveConfigSchema,
  type DiskLevel,
  type PrivateIntake,
} from '@aifi/gateway-receive';
import { systemClock } from '@aifi/shared-kernel';
import { silentLogger, type Logger } from '@aifi/shared-observability';
import { keyRingOf } from '@aifi/shared-site-keys';
import {
  fakeSiteKeys,
  killedAt,
  livedOn,
  temporaryFolder,
  type TemporaryFolder,
} from '@aifi/shared-testing';

const DRILL_MS = 120_000;
const MR = '1.2.840.10008.5.1.4.1.1.4';
const SHARED = join(import.meta.dirname, '../../../../shared/data/dicom');

function aFile(sopInstanceUid: string): Buffer {
  return encodePart10(
    new DicomDataset()
      .setString('SOPClassUID', MR)
      .setString('SOPInstanceUID', sopInstanceUid)
      .setString('StudyInstanceUID', '2.25.1')
      .setString('SeriesInstanceUID', '2.25.2'),
  );
}

class Site {
  readonly folder: TemporaryFolder = temporaryFolder('batches');
  readonly drop = join(realpathSync(this.folder.path), 'drop');
  readonly data = join(realpathSync(this.folder.path), 'data');
  readonly database: GatewayDatabase;
  readonly lines: string[] = [];
  #stop = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  sut!: FolderIntake;

  constructor() {
    mkdirSync(this.drop, { mode: 0o750 });
    mkdirSync(this.data);
    this.database = GatewayDatabase.open(join(this.data, 'gateway.db'), GATEWAY_MIGRATIONS);
  }

  async start(level: () => DiskLevel = () => 'normal', intake?: PrivateIntake): Promise<void> {
    const { signal } = (this.#stop = new AbortController());
    const callers = [{ aeTitle: 'PEER', host: '127.0.0.1', plain: true }];
    const common = { clock: systemClock, logger: silentLogger };
    const receive = createReceiveStage({
      ...{ ...common, database: this.database, dataFolder: this.data, diskLevel: level },
      config: receiveConfigSchema.parse({ port: 0, aeTitle: 'AIFI', callers }),
      keys: keyRingOf(fakeSiteKeys()),
    });
    this.sut = createFolderIntake({
      ...common,
      logger: this.#recording(silentLogger),
      config: folderIntakeConfigSchema.parse({ folder: this.drop, settleMs: 50 }),
      intake: intake ?? createPrivateIntake(this.data, systemClock),
    });
    const receiving = receive.run(signal);
    await receive.listening;
    this.#running = Promise.all([receiving, this.sut.run(signal)]);
  }
  async end(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }
  async remove(): Promise<void> {
    await this.end();
    this.database.close();
    this.folder.remove();
  }
  #recording(logger: Logger): Logger {
    const tell = (...words: unknown[]): void => void this.lines.push(JSON.stringify(words));
    return {
      ...logger,
      info: tell,
      warn: tell,
      error: tell,
      fault: tell,
      child: () => this.#recording(logger),
    };
  }

  /** A batch with these files, still without the ending that makes it whole. */
  put(name: string, files: Readonly<Record<string, Buffer>>): string {
    const batch = join(this.drop, name);
    for (const [file, bytes] of Object.entries(files)) {
      mkdirSync(join(batch, file, '..'), { recursive: true });
      writeFileSync(join(batch, file), bytes);
    }
    return batch;
  }
  finish(name: string): void {
    renameSync(join(this.drop, name), join(this.drop, `${name}.ready`));
  }
  async report(end: string, name: string): Promise<BatchReport> {
    const pathIn = (folder: string): string => join(this.drop, folder, `${name}.report.json`);
    const isThere = (): boolean => ['done', 'failed'].some((folder) => existsSync(pathIn(folder)));
    while (!isThere()) await systemClock.sleep(20);
    return JSON.parse(readFileSync(pathIn(end), 'utf8')) as BatchReport;
  }
  instances(): Record<string, string | number>[] {
    return this.database.read((sql) => sql.all('SELECT * FROM instance ORDER BY sop_instance_uid'));
  }
}

describe(createFolderIntake.name, () => {
  let site: Site;
  beforeEach(() => void (site = new Site()));
  afterEach(() => site.remove());

  it('stores what a finished batch holds, and says of the rest what it is', async () => {
    await site.start();
    const batch = site.put('Jansen 12 maart', {
      'a/1.dcm': aFile('2.25.3'),
      'a/b/2': aFile('2.25.4'),
      DICOMDIR: aFile('2.25.5'),
      'viewer.exe': Buffer.from('MZ'),
    });
    writeFileSync(join(site.folder.path, 'secret'), aFile('2.25.6'));
    symlinkSync(join(site.folder.path, 'secret'), join(batch, 'link'));
    symlinkSync(site.folder.path, join(batch, 'a', 'linked-folder'));
    execFileSync('mkfifo', [join(batch, 'pipe')]);
    writeFileSync(join(batch, 'cut.dcm'), aFile('2.25.7').subarray(0, -3));
    await systemClock.sleep(300);
    expect(site.instances()).toEqual([]);
    site.finish('Jansen 12 maart');
    const report = await site.report('failed', 'Jansen 12 maart');
    expect(report.counts).toEqual({ stored: 2, refused: 1, 'not-dicom': 2, 'left-out': 3 });
    expect(report.files).toEqual([
      { file: 'DICOMDIR', outcome: 'not-dicom' },
      { file: 'a/1.dcm', outcome: 'stored' },
      { file: 'a/b/2', outcome: 'stored' },
      { file: 'a/linked-folder', outcome: 'left-out', reason: 'a link: not opened' },
      {
        ...{ file: 'cut.dcm', outcome: 'refused', status: 'C000' },
        reason: 'damaged, incomplete or contradictory',
      },
      { file: 'link', outcome: 'left-out', reason: 'a link: not opened' },
      { file: 'pipe', outcome: 'left-out', reason: 'no plain file: not opened' },
      { file: 'viewer.exe', outcome: 'not-dicom' },
    ]);
    expect(site.instances().map(({ way, calling_ae: ae }) => [way, ae])).toEqual([
      ['folder', 'FOLDER'],
      ['folder', 'FOLDER'],
    ]);
    expect(readdirSync(join(site.drop, 'failed', 'Jansen 12 maart')).sort()).toEqual(
      ['DICOMDIR', 'a', 'cut.dcm', 'link', 'pipe', 'viewer.exe'].sort(),
    );
    while (site.sut.state().failed === 0) await systemClock.sleep(20);
    expect(site.sut.state()).toMatchObject({ done: 0, failed: 1, waiting: 0 });
    expect(site.lines.join()).not.toMatch(/jansen|cut\.dcm/i);
    expect(site.lines.join()).toContain(`${report.batch}`);
  }, 30_000);

  it('keeps datasets byte by byte, and has a name for each batch of the same name', async () => {
    // What a C-STORE of these files was answered, as the suite of peers has it.
    const table = join(import.meta.dirname, '../../e2e/src/interop/corpus-verdicts.table.json');
    const { files: verdicts } = JSON.parse(readFileSync(table, 'utf8')) as {
      files: Record<string, { status: string }>;
    };
    const names = Object.entries(verdicts)
      .filter(([name, { status }]) => name.startsWith('small/MR_') && status === '0000')
      .map(([name]) => join(SHARED, name));
    expect(names.length).toBeGreaterThanOrEqual(7);
    const files = names.map((name) => readFileSync(name));
    await site.start();
    for (const n of ['weekend', 'weekend.2']) {
      site.put('weekend', Object.fromEntries(files.map((bytes, i) => [`${i}.dcm`, bytes])));
      site.finish('weekend');
      expect((await site.report('done', n)).counts.stored).toBe(files.length);
    }
    const datasets = (paths: Buffer[]): string[] =>
      paths.map((file) => file.subarray(decodeFileMeta(file).datasetOffset).toString('hex')).sort();
    const kept = site.instances().map(({ path }) => readFileSync(String(path)));
    expect(datasets(kept)).toEqual([...new Set(datasets(files))]);
    expect(readdirSync(join(site.drop, 'done')).sort()).toEqual([
      ...['weekend', 'weekend.2', 'weekend.2.report.json', 'weekend.report.json'],
    ]);
  }, 30_000);

  it('waits while something changes, while there is no room, and while nobody listens', async () => {
    let level: DiskLevel = 'refuse-all';
    await site.start(() => level);
    site.put('full', { '1.dcm': aFile('2.25.3') });
    site.finish('full');
    while (site.sut.state().heldBy !== 'no-room') await systemClock.sleep(20);
    expect(site.sut.state().batch).toMatchObject({ files: 1, handled: 0 });
    await site.end();
    expect(readdirSync(site.drop).sort()).toEqual(['done', 'failed', 'full.ready']);
    level = 'normal';
    await site.start(() => level);
    expect((await site.report('done', 'full')).counts.stored).toBe(1);
    await site.end();
    await site.start(
      () => level,
      createPrivateIntake(join(site.folder.path, 'nobody'), systemClock),
    );
    site.put('alone', { '1.dcm': aFile('2.25.4') });
    site.finish('alone');
    while (site.sut.state().heldBy !== 'no-listener') await systemClock.sleep(20);
  }, 60_000);

  it('stores nothing of what is no batch: too deep, or empty', async () => {
    await site.start();
    const deep = Array.from({ length: BATCH_DEPTH_MAX }, () => 'x').join('/');
    site.put('deep', { '1.dcm': aFile('2.25.3'), [`${deep}/2.dcm`]: aFile('2.25.4') });
    site.finish('deep');
    expect(await site.report('failed', 'deep')).toMatchObject({ files: [], counts: { stored: 0 } });
    mkdirSync(join(site.drop, 'empty.ready'));
    expect((await site.report('failed', 'empty')).reason).toBe('no DICOM file in it');
    expect(site.instances()).toEqual([]);
  }, 30_000);
});

const LIFE = `
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { createFolderIntake, folderIntakeConfigSchema } from '@aifi/gateway-folder-intake';
import { createPrivateIntake, createReceiveStage, receiveConfigSchema } from '@aifi/gateway-receive';
import { systemClock as clock } from '@aifi/shared-kernel';
import { silentLogger as logger } from '@aifi/shared-observability';
import { keyRingOf } from '@aifi/shared-site-keys';
import { fakeSiteKeys } from '@aifi/shared-testing';
const [dataFolder, folder] = process.argv.slice(1);
const database = GatewayDatabase.open(dataFolder + '/gateway.db', GATEWAY_MIGRATIONS);
const callers = [{ aeTitle: 'PEER', host: '127.0.0.1', plain: true }];
const receive = createReceiveStage({
  database, dataFolder, clock, logger, keys: keyRingOf(fakeSiteKeys()),
  config: receiveConfigSchema.parse({ port: 0, aeTitle: 'AIFI', callers }),
});
const intake = createPrivateIntake(dataFolder, clock);
const config = folderIntakeConfigSchema.parse({ folder, settleMs: 0 });
const batches = createFolderIntake({ config, intake, clock, logger });
const stop = new AbortController();
const receiving = receive.run(stop.signal);
await receive.listening;
const running = Promise.all([receiving, batches.run(stop.signal)]);
const { readdirSync } = await import('node:fs');
const isLeft = (name) => !['done', 'failed'].includes(name);
while (readdirSync(folder).some(isLeft)) await clock.sleep(20);
stop.abort();
await running;
database.close();`;

describe('a gateway that is killed in the middle of a batch', () => {
  let site: Site;
  beforeEach(() => void (site = new Site()));
  afterEach(() => site.remove());

  it.each([
    'gateway.receive.before-row#2',
    'gateway.receive.after-row#2',
    'gateway.folder-intake.after-file#2',
    'gateway.folder-intake.before-report',
    'gateway.folder-intake.after-report',
    'gateway.folder-intake.after-batch-moved',
  ])(
    'at %s: the next one ends with the same files, rows and report',
    async (point) => {
      const files = { '1': aFile('2.25.3'), '2': aFile('2.25.4'), '3': aFile('2.25.5') };
      site.put('night', files);
      site.finish('night');
      await killedAt(point, LIFE, [site.data, site.drop]);
      await livedOn(LIFE, [site.data, site.drop]);
      expect((await site.report('done', 'night')).counts.stored).toBe(3);
      expect(readdirSync(join(site.drop, 'done')).sort()).toEqual(['night', 'night.report.json']);
      expect(readdirSync(site.drop).sort()).toEqual(['done', 'failed']);
      expect(readdirSync(join(site.drop, 'done', 'night')).sort()).toEqual(['1', '2', '3']);
      expect(site.instances().map((row) => row['conflict'])).toEqual([0, 0, 0]);
    },
    DRILL_MS,
  );
});
