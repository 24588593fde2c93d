/**
 * Goal: a disk that fills refuses the routine lane, then all, says Success to nothing that it has
 * not, lets results and acknowledgements through by its reserve, and opens again with a gap.
 * Method: a real small file system (tmpfs), the real listener child, disk watch and retention; the
 * test is the modalities, and whatever else fills the disk.
 */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DicomDataset, encodeDataset } from '@aifi/dicom-core';
import { DimseScu } from '@aifi/dicom-dimse';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import {
  createDiskWatch,
  diskConfigSchema,
  Retention,
  type DiskLevel,
  type DiskWatch,
} from '@aifi/gateway-disk';
import { createReceiveStage, receiveConfigSchema } from '@aifi/gateway-receive';
import { AifiError, sha256Hex, systemClock, writeDurableFile } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { keyRingOf } from '@aifi/shared-site-keys';
import { fakeSiteKeys, temporaryFolder } from '@aifi/shared-testing';

const MIB = 1024 ** 2;
const DISK_BYTES = 96 * MIB;
const TEST_MS = 60_000;
const [SUCCESS, REFUSED] = [0x0000, 0xa700];
const MR = '1.2.840.10008.5.1.4.1.1.4';
const EXPLICIT = '1.2.840.10008.1.2.1';
type Lane = 'ACUTE' | 'ROUTINE';
const folder = temporaryFolder('disk-full');

/** A file system that can be full needs a mount, and that needs root. */
function mountSmall(): boolean {
  const options = `size=${DISK_BYTES},mode=700`;
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder.path]);
  if (status !== 0 && process.env['CI'] === 'true') {
    throw new AifiError('CONFIG_INVALID', 'a file system of the test cannot be mounted');
  }
  return status === 0;
}

(mountSmall() ? describe : describe.skip)('a disk that fills', () => {
  const stop = new AbortController();
  let database: GatewayDatabase;
  let disk: DiskWatch;
  let running: Promise<unknown>;
  let port = 0;
  let serial = 0;
  const told: DiskLevel[] = [];
  const answers: { readonly lane: Lane; readonly status: number }[] = [];
  const ballast = join(folder.path, 'ballast');

  beforeAll(async () => {
    database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    const config = diskConfigSchema.parse({});
    const common = { clock: systemClock, logger: silentLogger };
    disk = createDiskWatch({ ...common, folder: folder.path, config });
    disk.onChange((level) => told.push(level));
    await disk.start();
    const callers = (['ACUTE', 'ROUTINE'] as const).map((aeTitle) => ({
      ...{ aeTitle, host: '127.0.0.1', plain: true },
      lane: aeTitle === 'ACUTE' ? 'acute' : 'routine',
    }));
    const receive = createReceiveStage({
      ...{ ...common, database, dataFolder: folder.path },
      config: receiveConfigSchema.parse({ port: 0, aeTitle: 'AIFI', callers }),
      keys: keyRingOf(fakeSiteKeys()),
      diskLevel: disk.level,
      onDiskLevel: disk.onChange,
    });
    running = Promise.all([disk.stage.run(stop.signal), receive.run(stop.signal)]);
    port = await receive.ready;
  }, TEST_MS);
  afterAll(async () => {
    stop.abort();
    await running;
    database.close();
    spawnSync('umount', [folder.path]);
    folder.remove();
  });

  async function store(lane: Lane): Promise<number> {
    const sopInstanceUid = `2.25.9${(serial += 1)}`;
    const image = new DicomDataset()
      .setString('SOPClassUID', MR)
      .setString('SOPInstanceUID', sopInstanceUid)
      .setString('StudyInstanceUID', '2.25.1')
      .setString('SeriesInstanceUID', '2.25.2')
      .setNumbers('SamplesPerPixel', [1])
      .setNumbers('Rows', [512])
      .setNumbers('Columns', [512])
      .setNumbers('BitsAllocated', [16])
      .setBytes('PixelData', Buffer.alloc(MIB / 2, serial), 'OW');
    const peer = { host: '127.0.0.1', port, calledAeTitle: 'AIFI', callingAeTitle: lane };
    const status = await new DimseScu({ ...peer, clock: systemClock }).store({
      ...{ sopClassUid: MR, sopInstanceUid, transferSyntaxUid: EXPLICIT },
      dataset: encodeDataset(image, { explicitVr: true, littleEndian: true }),
    });
    answers.push({ lane, status });
    return status;
  }
  /** Stores until the lane is refused; how many were taken. */
  async function fill(lane: Lane): Promise<number> {
    for (let taken = 0; ; taken += 1) {
      if ((await store(lane)) !== SUCCESS) return taken;
    }
  }
  async function until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await systemClock.sleep(20);
  }
  /** Writes to the disk as somebody else until it has no block left, or `bytes`. */
  function fillWithBallast(bytes = Infinity): void {
    const file = openSync(ballast, 'w');
    const chunk = Buffer.alloc(64 * 1024, 1);
    try {
      for (let written = 0; written < bytes; written += chunk.length) writeSync(file, chunk);
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
    } finally {
      closeSync(file);
    }
  }
  const rows = () =>
    database.read((sql) =>
      sql.all<{ path: string; sha256: string }>(
        'SELECT path, sha256 FROM instance WHERE removed_ms IS NULL',
      ),
    );
  /** Every Success has a row whose file is whole, and nothing else has. */
  function expectNoFalseSuccess(): void {
    const kept = rows();
    expect(kept).toHaveLength(answers.filter(({ status }) => status === SUCCESS).length);
    for (const { path, sha256 } of kept) expect(sha256Hex(readFileSync(path))).toBe(sha256);
    // Files that lie ready for the next object are empty.
    const incoming = join(folder.path, 'incoming');
    const files = readdirSync(incoming).filter((name) => statSync(join(incoming, name)).size > 0);
    expect(files).toHaveLength(kept.length);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([SUCCESS, REFUSED]));
  }
  const usedPercent = (): number => disk.state()!.usedPercent;

  it(
    'refuses routine from 85 %, and the acute lane from 95 %',
    async () => {
      await until(() => {
        const { heldBytes, wantedBytes } = disk.state()!.reserve;
        return heldBytes === wantedBytes;
      });
      expect(disk.state()!.reserve.wantedBytes).toBe(Math.floor(DISK_BYTES / 20));
      expect(await fill('ROUTINE')).toBeGreaterThan(100);
      expect([disk.level(), usedPercent() >= 85]).toEqual(['refuse-routine', true]);
      expect(await store('ACUTE')).toBe(SUCCESS);
      expect(await fill('ACUTE')).toBeGreaterThan(5);
      expect(disk.level()).toBe('refuse-all');
      expect([await store('ROUTINE'), await store('ACUTE')]).toEqual([REFUSED, REFUSED]);
      expect(told).toEqual(['warning', 'refuse-routine', 'refuse-all']);
      expectNoFalseSuccess();
    },
    TEST_MS,
  );

  it(
    'lets results and acknowledgements through by its reserve when no block is left',
    async () => {
      fillWithBallast();
      await until(() => disk.state()!.reserve.heldBytes === 0);
      const result = Buffer.alloc(MIB, 7);
      for (let i = 0; i < 2; i += 1) {
        const path = join(folder.path, 'outgoing', 'job', `0-${i}.dcm`);
        const { sha256 } = await writeDurableFile(path, result);
        expect(sha256).toBe(sha256Hex(result));
        expect([await store('ROUTINE'), await store('ACUTE')]).toEqual([REFUSED, REFUSED]);
      }
      for (let i = 0; i < 100; i += 1) {
        await database.write((sql) =>
          sql.run('INSERT INTO setting (key, value) VALUES (?, ?)', `${i}`, Buffer.alloc(100)),
        );
      }
      expectNoFalseSuccess();
    },
    TEST_MS,
  );

  it(
    'takes the acute lane again below 90 %, and not the routine one',
    async () => {
      rmSync(ballast);
      rmSync(join(folder.path, 'outgoing'), { recursive: true });
      // About one in a hundred of the disk at a time, with a look at it after each.
      while (disk.level() === 'refuse-all') {
        await removeByRetention(2);
        await systemClock.sleep(100);
      }
      expect([disk.level(), usedPercent() < 90]).toEqual(['refuse-routine', true]);
      expect([await store('ACUTE'), await store('ROUTINE')]).toEqual([SUCCESS, REFUSED]);
    },
    TEST_MS,
  );

  it(
    'is back to normal by retention, with its reserve made again',
    async () => {
      await removeByRetention(1_000);
      await until(() => disk.level() === 'normal');
      expect([await store('ACUTE'), await store('ROUTINE')]).toEqual([SUCCESS, SUCCESS]);
      await until(() => disk.state()!.reserve.heldBytes === disk.state()!.reserve.wantedBytes);
      // A removal is not one step: the warning may be seen on the way.
      const passed = told.slice(3).filter((level) => level !== 'warning');
      expect(passed).toEqual(['refuse-routine', 'normal']);
      for (const { path, sha256 } of rows()) expect(sha256Hex(readFileSync(path))).toBe(sha256);
      expect(rows()).toHaveLength(2);
    },
    TEST_MS,
  );

  /** Ends the first images of the study as one for which no product is deployed, and removes it. */
  async function removeByRetention(count: number): Promise<void> {
    await database.write((sql) => {
      const ended = sql.insert(
        `INSERT INTO study (study_uid, revision, last_received_ms) VALUES (?, 1, 0)`,
        `2.25.8${(serial += 1)}`,
      );
      sql.run(`INSERT INTO study_revision VALUES (?, 1, 0, 'SELECTED')`, ended);
      sql.run(
        `UPDATE instance SET study_id = ?, revision = 1 WHERE instance_id IN
           (SELECT instance_id FROM instance WHERE removed_ms IS NULL LIMIT ?)`,
        ...[ended, count],
      );
    });
    const config = { keepHours: 24, deadLetterAlarmDays: 7 };
    const common = { clock: systemClock, logger: silentLogger, database, isFull: () => false };
    const retention = new Retention({ ...common, dataFolder: folder.path, config });
    const expected = Math.min(count, rows().length);
    expect(await retention.runOnce()).toBe(expected);
  }
});
