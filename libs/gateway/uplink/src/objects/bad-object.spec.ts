/**
 * Goal: a study that the hub fails on does not keep the others from getting there, urgent or not.
 * Method: the stage and the transport in time moved by hand, over connections in memory, to a hub
 * that takes long to answer for one study, and then with a fault.
 */
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { duplexPair, type Duplex } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FRAME, frameOf, FrameReader, uplink } from '@aifi/contracts-proto';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { Wake } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { FakeClock, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { createUplinkStage, uplinkConfigSchema, type UplinkPort } from '../index.js';
import { TlsObjectTransport } from './tls-object-transport.js';

const SIZE = 100;
const BAD = 'bad';
/** What a large object takes over a slow link. @unit ms */
const SLOW_MS = 13_000;
const STEP_MS = 100;
const DEADLINE_MS = 48 * 3_600_000;

describe(TlsObjectTransport.name, () => {
  let folder: TemporaryFolder;
  let database: GatewayDatabase;
  let clock: FakeClock;
  let stop: AbortController;
  let stored: string[];
  let tries: number;
  beforeEach(() => {
    folder = temporaryFolder('bad-object');
    database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    [clock, stop, stored, tries] = [new FakeClock(), new AbortController(), [], 0];
  });
  afterEach(() => {
    database.close();
    folder.remove();
  });

  /** Takes every object but those of one study. */
  function serve(line: Duplex, fault: string): void {
    const reader = new FrameReader(new Set(Object.values(FRAME)));
    let header: uplink.ObjectHeader | undefined;
    line.on('error', () => undefined);
    line.on('data', (data: Buffer) => {
      for (const piece of reader.read(data)) {
        if (piece.kind === FRAME.header) header = uplink.ObjectHeader.decode(piece.bytes);
        if (piece.kind !== FRAME.chunk || !piece.endsChunk || !header) continue;
        if (header.jobId !== BAD) {
          line.write(frameOf(FRAME.ack, uplink.ObjectAck.encode(header).finish()));
          continue;
        }
        tries += 1;
        void clock.sleep(SLOW_MS).then(() => line.end(frameOf(FRAME.fault, Buffer.from(fault))));
      }
    });
  }
  const port: UplinkPort = {
    openStudy: async () => ({
      ...{ kind: 'answered', value: { heldSha256: [], stored: false, partial: [] } },
    }),
    closeStudy: async ({ jobId, manifestSha256 }) => {
      stored.push(jobId);
      return { kind: 'answered', value: { ack: { jobId, manifestSha256 } } };
    },
  };
  async function spool(jobId: string, lane: 'acute' | 'routine'): Promise<void> {
    const bytes = randomBytes(SIZE);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    writeFileSync(join(folder.path, jobId), bytes);
    await database.write((sql) => {
      const { lastId } = sql.get<{ lastId: number }>('SELECT COUNT(*) AS lastId FROM study')!;
      const id = lastId + 1;
      sql.run('INSERT INTO study VALUES (?, ?, 1, 1)', id, `1.2.${id}`);
      sql.run(`INSERT INTO study_revision VALUES (?, 1, 1, 'SELECTED')`, id);
      sql.run(
        `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
           rule_set_sha256, attestations, state, created_ms)
         VALUES (?, ?, 1, 'p', '1.0.0', 'x', ?, 'x', '[]', 'SPOOLED', ?)`,
        ...[jobId, id, lane, clock.nowMs()],
      );
      sql.run(
        `INSERT INTO spool_job (job_id, revision, manifest, manifest_sha256, envelope, state)
         VALUES (?, 1, x'00', 'm', x'00', 'QUEUED')`,
        jobId,
      );
      sql.run(
        'INSERT INTO spool_object VALUES (?, ?, ?, ?, 0)',
        ...[jobId, sha256, SIZE, join(folder.path, jobId)],
      );
    });
  }

  /** Runs the stage for so many seconds, or until `done`. */
  async function run(fault: string, seconds: number, done: () => boolean): Promise<void> {
    const dial = async (): Promise<Duplex> => {
      const [ours, theirs] = duplexPair();
      serve(theirs, fault);
      return ours;
    };
    const transport = new TlsObjectTransport({ dial, clock });
    const running = createUplinkStage({
      ...{ database, port, transport, clock, wake: new Wake(), random: () => 0.5 },
      config: uplinkConfigSchema.parse({ compression: 'none' }),
      deadlines: { acuteMs: DEADLINE_MS, routineMs: DEADLINE_MS },
      ...{ logger: silentLogger, onDone: () => undefined },
    }).run(stop.signal);
    for (let atMs = 0; atMs < seconds * 1_000 && !done(); atMs += STEP_MS) {
      // Files are read meanwhile.
      await pause(1);
      clock.advance(STEP_MS);
    }
    stop.abort();
    await pause(2);
    clock.advance(60_000);
    await running;
  }
  const badJob = () =>
    database.read((sql) =>
      sql.get<{ state: string; refusals: number; last_fault: string | null }>(
        `SELECT job.state, refusals, last_fault FROM job JOIN spool_job USING (job_id)
          WHERE job_id = '${BAD}'`,
      ),
    )!;

  it.each([
    ['INTERNAL', 'INTERNAL'],
    ['STATE_CONFLICT', 'STATE_CONFLICT'],
    ['DIGEST_MISMATCH', 'PEER_REFUSED'],
  ])(
    'lets five studies pass an acute one that the hub answers with %s',
    async (fault, recorded) => {
      await spool(BAD, 'acute');
      for (const jobId of ['r1', 'r2', 'r3', 'r4', 'r5']) await spool(jobId, 'routine');
      await run(fault, 180, () => stored.length === 5 && badJob().last_fault !== null);
      expect(stored.toSorted()).toEqual(['r1', 'r2', 'r3', 'r4', 'r5']);
      // The link is not to blame.
      expect(badJob()).toMatchObject({ last_fault: recorded });
    },
  );

  it('gives up a study whose bytes are not what they should be, after three tries', async () => {
    await spool(BAD, 'acute');
    await run('DIGEST_MISMATCH', 600, () => badJob().state !== 'SPOOLED');
    expect(tries).toBe(3);
    expect(badJob()).toMatchObject({ state: 'NOT_ANALYSED_NOTIFIED' });
  });

  it('goes on trying what the hub fails on for a reason of its own', async () => {
    await spool(BAD, 'acute');
    await run('INTERNAL', 600, () => tries > 8);
    expect(tries).toBeGreaterThan(8);
    expect(badJob()).toMatchObject({ state: 'SPOOLED', refusals: 0, last_fault: 'INTERNAL' });
  });
});
