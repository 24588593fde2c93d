/**
 * Goal: the level is told in time, the reserve is given back when it is needed and comes back with
 * a gap, and a look that fails changes nothing.
 * Method: a fake clock and a file system of numbers; the reserve is a real file whose size is taken
 * from the free space of those numbers.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { silentLogger, type Logger } from '@aifi/shared-observability';
import { FakeClock, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { createDiskWatch, diskConfigSchema, type DiskLevel, type DiskWatch } from './index.js';

const MIB = 1024 ** 2;
const TOTAL = 1_000 * MIB;
const RESERVE = 2 * MIB;

/** Knows who waits for it: with both loops asleep nothing is on its way. */
class CountingClock extends FakeClock {
  sleeping = 0;

  override async sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    this.sleeping += 1;
    await super.sleep(delayMs, signal);
    this.sleeping -= 1;
  }
}

describe(createDiskWatch.name, () => {
  let folder: TemporaryFolder;
  let clock: CountingClock;
  let sut: DiskWatch;
  /** What others than the reserve use. */
  let otherBytes: number;
  let looks: number;
  let fault: Error | undefined;
  let told: DiskLevel[];
  let faults: string[];
  let stop: AbortController;
  let running: Promise<void>;

  const reservePath = () => join(folder.path, 'reserve');
  const reserveOnDisk = (): number => statSync(reservePath(), { throwIfNoEntry: false })?.size ?? 0;
  const logger: Logger = {
    ...silentLogger,
    fault: (message) => void faults.push(message),
    child: () => logger,
  };
  const statfs = async () => {
    looks += 1;
    if (fault) throw fault;
    const used = Math.min(TOTAL, otherBytes + reserveOnDisk());
    const free = (TOTAL - used) / 4_096;
    const facts = { bsize: 4_096, blocks: TOTAL / 4_096, bfree: free, bavail: free };
    return { ...facts, files: 0, ffree: 0 };
  };
  const percent = (value: number): void => {
    otherBytes = Math.round((TOTAL * value) / 100) - RESERVE;
  };

  beforeEach(async () => {
    folder = temporaryFolder('disk');
    clock = new CountingClock();
    [looks, fault, told, faults] = [0, undefined, [], []];
    percent(50);
    const config = diskConfigSchema.parse({ reserveBytes: RESERVE });
    sut = createDiskWatch({ folder: folder.path, config, clock, logger, statfs });
    sut.onChange((level) => told.push(level));
    stop = new AbortController();
    await sut.start();
    running = sut.stage.run(stop.signal);
    await until(() => sut.state()?.reserve.heldBytes === RESERVE);
  });
  afterEach(async () => {
    stop.abort();
    await running;
    folder.remove();
  });

  async function until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await setImmediate();
  }
  const asleep = (): Promise<void> => until(() => clock.sleeping === 2);
  /** Moves time on and waits until all that follows has happened. */
  async function look(byMs = 10_000): Promise<void> {
    await asleep();
    clock.advance(byMs);
    await setImmediate();
    await asleep();
  }

  it('goes up and down by the marks and tells each change once', async () => {
    for (const used of [69, 71, 66, 86, 81, 96, 91, 89, 79, 66, 64, 64]) {
      percent(used);
      await look();
    }
    const up: DiskLevel[] = ['warning', 'refuse-routine', 'refuse-all'];
    const down: DiskLevel[] = ['refuse-routine', 'warning', 'normal'];
    expect(told).toEqual([...up, ...down]);
    expect(sut.level()).toBe('normal');
  });

  it('has a reserve that occupies blocks', () => {
    const { size, blocks, mode } = statSync(reservePath());
    expect([size, mode & 0o777]).toEqual([RESERVE, 0o600]);
    expect(blocks * 512).toBeGreaterThanOrEqual(RESERVE);
  });

  it('looks again before the next mark can be reached, and not much sooner', async () => {
    // 70 % is 200 MiB away: 200 ms at 1 GiB/s.
    await asleep();
    const seen = looks;
    await look(199);
    expect(looks).toBe(seen);
    await look(1);
    expect(looks).toBe(seen + 1);
    percent(10);
    await look();
    const far = looks;
    await look(599);
    expect(looks).toBe(far);
    await look(1);
    expect(looks).toBe(far + 1);
  });

  it('gives the reserve back under the floor, refuses all, and takes it again with a gap', async () => {
    otherBytes = TOTAL - RESERVE - 100 * 1024;
    await look();
    expect(told.at(-1)).toBe('refuse-all');
    expect([reserveOnDisk(), sut.state()?.reserve.heldBytes]).toEqual([0, 0]);
    percent(91);
    await look();
    await look(60_000);
    await asleep();
    expect([sut.level(), reserveOnDisk()]).toEqual(['refuse-all', 0]);
    percent(89);
    await look();
    await look(60_000);
    expect(reserveOnDisk()).toBe(RESERVE);
    expect(sut.level()).toBe('refuse-routine');
  });

  it('refuses all and gives the reserve back as soon as a write found no space', async () => {
    sut.reportFull();
    expect(told).toEqual(['refuse-all']);
    await asleep();
    expect(reserveOnDisk()).toBe(0);
    await look(29_999);
    expect(sut.level()).toBe('refuse-all');
    await look(250);
    expect(sut.level()).toBe('normal');
    await look(60_000);
    expect(reserveOnDisk()).toBe(RESERVE);
  });

  it('keeps the last level when the disk cannot be asked, and says so once', async () => {
    percent(86);
    await look();
    fault = new Error('EIO');
    await look();
    await look();
    expect(sut.level()).toBe('refuse-routine');
    expect(faults).toEqual(['use of the disk is not known now']);
    fault = undefined;
    percent(50);
    await look();
    expect(sut.level()).toBe('normal');
  });

  it('finishes a reserve that an earlier run has left half made', async () => {
    stop.abort();
    await running;
    const half = temporaryFolder('disk-half');
    writeFileSync(join(half.path, 'reserve'), Buffer.alloc(RESERVE / 2, 1));
    const config = diskConfigSchema.parse({ reserveBytes: RESERVE });
    const other = createDiskWatch({ folder: half.path, config, clock, logger, statfs });
    await other.start();
    expect(other.state()?.reserve).toEqual({ wantedBytes: RESERVE, heldBytes: RESERVE / 2 });
    const ending = new AbortController();
    const done = other.stage.run(ending.signal);
    await until(() => other.state()?.reserve.heldBytes === RESERVE);
    ending.abort();
    await done;
    half.remove();
  });
});
