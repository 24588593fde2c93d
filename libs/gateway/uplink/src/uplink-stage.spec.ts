/**
 * Goal: whatever the hub does for hours, every study gets there, acute first, and a dead hub is not
 * dialled by each of them. Method: the stage on a real database of its own, a hub that is a few
 * maps, and virtual time that runs only when nothing else is left to do.
 */
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { AifiError, Wake, type Clock, type ErrorCode } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import {
  createUplinkStage,
  uplinkConfigSchema,
  type ObjectBatch,
  type ObjectTransport,
  type SendEnd,
  type UplinkPort,
} from './index.js';
import { STREAMS_MAX, type Lane } from './upload-schedule.js';

const HOUR_MS = 3_600_000;
const CHUNK = 256 * 1024;

/** Moves on to the next sleeper when everybody waits. */
class VirtualClock implements Clock {
  #nowMs = 1_700_000_000_000.25;
  #sleepers: { atMs: number; wake: () => void }[] = [];

  /** Whole milliseconds, as a wall clock gives them; the monotonic one gives fractions. */
  nowMs(): number {
    return Math.floor(this.#nowMs);
  }
  monotonicMs(): number {
    return this.#nowMs;
  }
  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const sleeper = { atMs: this.#nowMs + delayMs, wake: resolve };
      const leave = (): void => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        resolve();
      };
      if (signal?.aborted) return resolve();
      signal?.addEventListener('abort', leave, { once: true });
      this.#sleepers.push(sleeper);
    });
  }
  /** Runs until `done`, or for so long. */
  async run(forMs: number, done: () => boolean = () => false): Promise<void> {
    const endMs = this.#nowMs + forMs;
    for (;;) {
      for (let turns = 0; turns < 12; turns += 1) await turn();
      if (done()) return;
      const nextMs = Math.min(...this.#sleepers.map((sleeper) => sleeper.atMs));
      if (!(nextMs <= endMs)) break;
      this.#nowMs = Math.max(this.#nowMs, nextMs);
      const due = this.#sleepers.filter((sleeper) => sleeper.atMs <= this.#nowMs);
      this.#sleepers = this.#sleepers.filter((sleeper) => !due.includes(sleeper));
      for (const { wake } of due) wake();
    }
    this.#nowMs = endMs;
  }
}

/** A hub and a link in one: away when told, a given time for each chunk. */
class FakeHub implements UplinkPort, ObjectTransport {
  readonly held = new Map<string, number>();
  /** Jobs in the order in which they were closed. */
  readonly stored: string[] = [];
  /** Times at which it was dialled while it was away. */
  readonly dialledMs: number[] = [];
  isAway = false;
  refuses: ErrorCode | undefined;
  drainsMs: number | undefined;
  chunkMs = 2;
  streams = 0;
  streamsMax = 0;
  /** Chunks by lane, in the order in which they went. */
  readonly chunks: string[] = [];

  constructor(private readonly clock: Clock) {}

  #dial(): void {
    if (!this.isAway) return;
    this.dialledMs.push(this.clock.nowMs());
    throw new AifiError('PEER_UNAVAILABLE', 'away');
  }
  readonly openStudy: UplinkPort['openStudy'] = async ({ jobId }) => {
    this.#dial();
    if (this.refuses) return { kind: 'refused', code: this.refuses };
    const own = [...this.held].filter(([sha256]) => sha256.startsWith(jobId));
    const whole = own.filter(([, bytes]) => bytes === SIZE);
    const heldSha256 = whole.map(([sha256]) => sha256);
    const partial = own
      .filter(([, bytes]) => bytes < SIZE)
      .map(([sha256, offsetBytes]) => ({ sha256, offsetBytes }));
    return { kind: 'answered', value: { heldSha256, stored: false, partial } };
  };
  readonly closeStudy: UplinkPort['closeStudy'] = async ({ jobId, manifestSha256 }) => {
    this.#dial();
    this.stored.push(jobId);
    return { kind: 'answered', value: { ack: { jobId, manifestSha256 } } };
  };
  async send(batch: ObjectBatch): Promise<SendEnd> {
    this.#dial();
    this.streams += 1;
    this.streamsMax = Math.max(this.streamsMax, this.streams);
    try {
      for (const { sha256, sizeBytes, offsetBytes } of batch.objects) {
        if (this.drainsMs !== undefined) return { kind: 'draining', retryAfterMs: this.drainsMs };
        for (let sent = offsetBytes; sent < sizeBytes; sent += CHUNK) {
          await batch.pace(CHUNK);
          if (batch.signal.aborted) throw new AifiError('PEER_UNAVAILABLE', 'broken off');
          await this.clock.sleep(this.chunkMs, batch.signal);
          this.#dial();
          this.chunks.push(batch.jobId);
          this.held.set(sha256, Math.min(sizeBytes, sent + CHUNK));
        }
        await batch.acknowledge(sha256 as never);
      }
      return { kind: 'sent' };
    } finally {
      this.streams -= 1;
    }
  }
}

/** Of each object. */
const SIZE = 2 * CHUNK;

describe(createUplinkStage.name, () => {
  let folder: TemporaryFolder;
  let database: GatewayDatabase;
  let clock: VirtualClock;
  let hub: FakeHub;
  let wake: Wake;
  let stop: AbortController;
  let running: Promise<void>;
  let jobs: number;
  let seed: number;
  let hasNewRules: boolean;

  beforeEach(() => {
    folder = temporaryFolder('uplink');
    database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    clock = new VirtualClock();
    hub = new FakeHub(clock);
    wake = new Wake();
    [jobs, seed] = [0, 1];
    hasNewRules = false;
  });
  afterEach(async () => {
    stop?.abort();
    await running;
    database.close();
    folder.remove();
  });

  /** Park-Miller: the same every time. */
  const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;

  function start(settings: object = {}, deadlineMs = 48 * HOUR_MS): void {
    stop = new AbortController();
    const sut = createUplinkStage({
      selectAgain: (sql, jobId) => {
        if (!hasNewRules) return false;
        sql.run(`UPDATE job SET state = 'SELECTED' WHERE job_id = ?`, jobId);
        return sql.run(`DELETE FROM spool_object WHERE job_id = ?`, jobId) > 0;
      },
      ...{ database, port: hub, transport: hub, clock, wake, random, isLinkUp: () => !hub.isAway },
      config: uplinkConfigSchema.parse(settings),
      deadlines: { acuteMs: deadlineMs, routineMs: deadlineMs },
      logger: silentLogger,
      onDone: () => undefined,
    });
    running = sut.run(stop.signal);
  }
  async function spool(lane: Lane, objects = 2): Promise<string> {
    const number = (jobs += 1);
    const jobId = `${lane[0]}${String(number).padStart(5, '0')}`;
    await database.write((sql) => {
      sql.run('INSERT INTO study VALUES (?, ?, 1, 1)', number, `1.2.${number}`);
      sql.run(`INSERT INTO study_revision VALUES (?, 1, 1, 'SELECTED')`, number);
      sql.run(
        `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
           rule_set_sha256, attestations, state, created_ms)
         VALUES (?, ?, 1, 'p', '1.0.0', 'x', ?, 'x', '[]', 'SPOOLED', ?)`,
        ...[jobId, number, lane, clock.nowMs()],
      );
      sql.run(
        `INSERT INTO spool_job (job_id, revision, manifest, manifest_sha256, envelope, state)
         VALUES (?, 1, x'00', 'm', x'00', 'QUEUED')`,
        jobId,
      );
      for (let index = 0; index < objects; index += 1) {
        sql.run(
          'INSERT INTO spool_object VALUES (?, ?, ?, ?, 0)',
          jobId,
          `${jobId}-${index}`,
          SIZE,
          '',
        );
      }
    });
    wake.notify();
    return jobId;
  }
  const count = (state: string): number =>
    database.read((sql) =>
      sql.get<{ n: number }>('SELECT COUNT(*) AS n FROM job WHERE state = ?', state),
    )!.n;
  const isDrained = (): boolean => count('SPOOLED') === 0;

  it('loses nothing in an outage of eight hours: it spools, then sends acute first', async () => {
    hub.isAway = true;
    start();
    const perHour = 40;
    for (let hour = 0; hour < 8; hour += 1) {
      for (let study = 0; study < perHour; study += 1) {
        await spool(study % 10 === 9 ? 'acute' : 'routine');
        await clock.run(HOUR_MS / perHour);
      }
    }
    expect(count('SPOOLED')).toBe(8 * perHour);
    expect(hub.stored).toEqual([]);
    // One probe for all jobs: on average one each half minute, and one at most in each wait.
    expect(hub.dialledMs.length).toBeGreaterThan(8 * 60);
    expect(hub.dialledMs.length).toBeLessThan(8 * 60 * 4);

    hub.isAway = false;
    const backMs = clock.nowMs();
    await clock.run(HOUR_MS, isDrained);
    expect(count('UPLOADED')).toBe(8 * perHour);
    expect(new Set(hub.stored).size).toBe(8 * perHour);
    expect(hub.stored).toHaveLength(8 * perHour);
    expect(hub.stored.findLastIndex((jobId) => jobId[0] === 'a')).toBe(8 * 4 - 1);
    expect(clock.nowMs() - backMs).toBeLessThan(HOUR_MS);
    expect(hub.streamsMax).toBeLessThanOrEqual(STREAMS_MAX);
    // Within a lane in the order of arrival, give or take those that were under way together.
    const routine = hub.stored.filter((jobId) => jobId.startsWith('r'));
    routine.forEach((jobId, index) => {
      const place = [...routine].sort().indexOf(jobId);
      expect(Math.abs(place - index)).toBeLessThan(STREAMS_MAX);
    });
  }, 60_000);

  it.each([0.1, 0.7, 3, 40, 900])('is acute first after %d s without a hub', async (seconds) => {
    hub.chunkMs = 20;
    start();
    for (let study = 0; study < 3; study += 1) await spool('routine', 9);
    await clock.run(90);
    await spool('acute', 9);
    await spool('acute', 9);
    await clock.run(30);
    hub.isAway = true;
    await clock.run(seconds * 1_000);
    [hub.isAway, hub.chunks.length] = [false, 0];
    await clock.run(HOUR_MS, isDrained);
    const lanes = hub.chunks.map((jobId) => jobId[0]);
    expect(lanes.lastIndexOf('a')).toBeLessThan(lanes.indexOf('r'));
  });

  it('stops routine at the next chunk for an acute study, and goes on where it was', async () => {
    hub.chunkMs = 10;
    start();
    const routine = await spool('routine', 60);
    await clock.run(200);
    const before = hub.chunks.length;
    expect(before).toBeGreaterThan(10);
    const acute = await spool('acute', 6);
    await clock.run(10 * 60_000, () => hub.stored.includes(acute));
    // Three streams may have had a chunk in hand when the acute study began, and two looks earlier.
    const beside = hub.chunks.slice(before).filter((jobId) => jobId === routine);
    expect(beside.length).toBeLessThanOrEqual(3 * 3);
    await clock.run(10 * 60_000, isDrained);
    expect(hub.chunks.filter((jobId) => jobId === routine)).toHaveLength(120);
  });

  it('gives up a routine stream that waits too long, and sends no byte of it twice', async () => {
    hub.chunkMs = 100;
    start();
    const routine = await spool('routine', 40);
    await clock.run(1_000);
    const acute = await spool('acute', 300);
    await clock.run(HOUR_MS, isDrained);
    expect(hub.stored).toEqual([acute, routine]);
    expect(hub.chunks.filter((jobId) => jobId === routine)).toHaveLength(80);
  });

  it('takes acute studies although routine ones hold every other place', async () => {
    hub.chunkMs = 1_000;
    start();
    for (let study = 0; study < 8; study += 1) await spool('routine', 50);
    await clock.run(5_000);
    expect(hub.streams).toBe(3);
    const acute = await Promise.all([spool('acute'), spool('acute'), spool('acute')]);
    await clock.run(20_000);
    expect(hub.stored.slice(0, 3).sort()).toEqual(acute.sort());
  });

  it('keeps to the limit of the hour for routine, and not for acute', async () => {
    start({ bandwidth: [{ from: '00:00', to: '00:00', mbitPerSecond: 8 }] });
    await spool('routine', 20);
    const beganMs = clock.nowMs();
    await clock.run(HOUR_MS, isDrained);
    // 10 MiB at 1 MB/s, and the first chunk of each stream goes at once.
    expect(clock.nowMs() - beganMs).toBeGreaterThan(9_000);
    expect(clock.nowMs() - beganMs).toBeLessThan(13_000);
    await spool('acute', 20);
    const acuteMs = clock.nowMs();
    await clock.run(HOUR_MS, isDrained);
    expect(clock.nowMs() - acuteMs).toBeLessThan(1_000);
  });

  it('keeps away from a hub that drains, and comes again without a failed try', async () => {
    start();
    hub.chunkMs = 50;
    await spool('routine', 10);
    await clock.run(120);
    hub.drainsMs = 5_000;
    await clock.run(1_000);
    expect(hub.streams).toBe(0);
    const sent = hub.chunks.length;
    hub.drainsMs = undefined;
    await clock.run(3_000);
    expect(hub.chunks).toHaveLength(sent);
    await clock.run(HOUR_MS, isDrained);
    const row = database.read((sql) => sql.get('SELECT attempts, last_fault FROM spool_job'));
    expect(row).toEqual({ attempts: 1, last_fault: null });
    expect(hub.chunks).toHaveLength(20);
  });

  it('does not begin a study whose deadline has passed', async () => {
    hub.isAway = true;
    start({}, HOUR_MS);
    await spool('routine');
    await clock.run(2 * HOUR_MS);
    hub.isAway = false;
    const fresh = await spool('routine');
    await clock.run(10 * 60_000);
    expect(hub.stored).toEqual([fresh]);
  }, 60_000);

  it('stops a study that has ended while it was sent', async () => {
    hub.chunkMs = 100;
    start();
    const jobId = await spool('routine', 100);
    await clock.run(2_000);
    await database.write((sql) =>
      sql.run('UPDATE job SET terminal_ms = 1 WHERE job_id = ?', jobId),
    );
    await clock.run(2_000);
    expect(hub.streams).toBe(0);
    await clock.run(60_000);
    expect(hub.stored).toEqual([]);
  });

  it('is not held up by a study that the hub cannot take now', async () => {
    start();
    hub.refuses = 'INTERNAL';
    await spool('acute');
    await clock.run(100);
    hub.refuses = undefined;
    const second = await spool('routine');
    await clock.run(60_000, isDrained);
    expect(hub.stored).toContain(second);
    expect(hub.stored).toHaveLength(2);
  });

  it('has a study selected anew whose rules the hub takes no more, when there are newer', async () => {
    start();
    hub.refuses = 'RULES_OUTDATED';
    await spool('routine');
    await clock.run(60_000);
    expect(count('SPOOLED')).toBe(1);
    const row = database.read((sql) => sql.get('SELECT last_fault FROM spool_job'));
    expect(row).toEqual({ last_fault: 'RULES_OUTDATED' });
    hasNewRules = true;
    await clock.run(120_000, isDrained);
    expect(count('SELECTED')).toBe(1);
    await clock.run(1_000);
    expect(hub.stored).toEqual([]);
  });

  it('may be stopped and started at any moment', async () => {
    hub.chunkMs = 30;
    const jobIds = [await spool('routine', 8), await spool('acute', 8), await spool('routine', 8)];
    for (let round = 0; !isDrained() && round < 500; round += 1) {
      start();
      await clock.run(Math.ceil(random() * 150));
      stop.abort();
      await clock.run(0);
      await running;
    }
    expect(new Set(hub.stored)).toEqual(new Set(jobIds));
    expect(count('UPLOADED')).toBe(3);
  });
});
