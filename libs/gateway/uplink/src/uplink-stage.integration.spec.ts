/**
 * Goal: a study counts as uploaded only by the hub's acknowledgement; a broken stream sends again
 * only what was not acknowledged. Method: a small hub of our own contract over real gRPC on
 * loopback, files and rows as the spool leaves them.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { credentials, Server, ServerCredentials, status, type ServiceError } from '@grpc/grpc-js';
import { uplink } from '@aifi/contracts-proto';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { systemClock, Wake, type Clock } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { createUplinkStage } from './index.js';

const JOB = 'a'.repeat(32);
const MANIFEST_SHA = 'b'.repeat(64);

/** Keeps what it is sent; can break a stream after n objects and lie in its StudyAck. */
class FakeHub {
  readonly objects = new Map<string, Buffer>();
  readonly headers: string[] = [];
  breakAfter = Number.POSITIVE_INFINITY;
  closes = 0;
  lie = false;
  readonly server = new Server();

  async start(): Promise<number> {
    this.server.addService(uplink.UplinkServiceService, {
      openStudy: (_call, callback) =>
        callback(null, { heldSha256: [...this.objects.keys()], stored: false, partial: [] }),
      putObjects: (call) => {
        let header: uplink.ObjectHeader | undefined;
        let bytes = Buffer.alloc(0);
        call.on('error', () => undefined);
        call.on('end', () => call.end());
        call.on('data', ({ part }: uplink.PutObjectsRequest) => {
          if (part?.$case === 'header') {
            header = part.value;
            bytes = Buffer.alloc(0);
            this.headers.push(header.sha256);
          } else if (part && header) {
            bytes = Buffer.concat([bytes, part.value]);
            if (bytes.length < header.sizeBytes) return;
            if (this.objects.size >= this.breakAfter) {
              call.emit('error', Object.assign(new Error('cut'), { code: status.UNAVAILABLE }));
              return;
            }
            this.objects.set(header.sha256, bytes);
            call.write({ part: { $case: 'ack', value: header } });
          }
        });
      },
      closeStudy: (_call, callback) => {
        this.closes += 1;
        const manifestSha256 = this.lie ? 'c'.repeat(64) : MANIFEST_SHA;
        callback(null as unknown as ServiceError, { ack: { jobId: JOB, manifestSha256 } });
      },
    } satisfies uplink.UplinkServiceServer);
    return new Promise((resolve, reject) =>
      this.server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      ),
    );
  }
}

describe(createUplinkStage.name, () => {
  let folder: TemporaryFolder;
  let database: GatewayDatabase;
  let hub: FakeHub;
  let client: uplink.UplinkServiceClient;
  let contents: Map<string, Buffer>;

  beforeEach(async () => {
    folder = temporaryFolder('uplink');
    database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    hub = new FakeHub();
    const port = await hub.start();
    client = new uplink.UplinkServiceClient(`127.0.0.1:${port}`, credentials.createInsecure());
    contents = new Map();
    // One larger than a gRPC flow control window, so that drain must be waited for.
    for (const size of [10, 3_000_000, 700_001]) {
      const bytes = randomBytes(size);
      contents.set(createHash('sha256').update(bytes).digest('hex'), bytes);
    }
    await spooled();
  });
  afterEach(() => {
    client.close();
    hub.server.forceShutdown();
    database.close();
    folder.remove();
  });

  async function spooled(): Promise<void> {
    await database.write((sql) => {
      sql.run(`INSERT INTO study VALUES (1, '1.2', 1, 1)`);
      sql.run(`INSERT INTO study_revision VALUES (1, 1, 1, 'SELECTED')`);
      sql.run(
        `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
           rule_set_sha256, attestations, state, created_ms)
         VALUES (?, 1, 1, 'p', '1.0.0', 'x', 'routine', 'x', '[]', 'SPOOLED', 1)`,
        JOB,
      );
      sql.run(
        `INSERT INTO spool_job (job_id, revision, manifest, manifest_sha256, envelope, state)
         VALUES (?, 1, x'00', ?, x'00', 'QUEUED')`,
        JOB,
        MANIFEST_SHA,
      );
      for (const [sha256, bytes] of contents) {
        const path = join(folder.path, sha256);
        writeFileSync(path, bytes);
        sql.run('INSERT INTO spool_object VALUES (?, ?, ?, ?, 0)', JOB, sha256, bytes.length, path);
      }
    });
  }
  const jobState = () =>
    database.read((sql) => sql.get<{ state: string }>('SELECT state FROM job'))!.state;
  const spoolRow = () =>
    database.read((sql) => sql.get<{ attempts: number }>('SELECT * FROM spool_job'))!;

  /** Runs the stage until `done`, with a clock whose wall time the test moves on by hand. */
  async function runUntil(done: () => boolean): Promise<void> {
    const abort = new AbortController();
    // The next attempt is due at once: backoff is tested on its own.
    let skewMs = 0;
    const clock: Clock = { ...systemClock, nowMs: () => Date.now() + (skewMs += 60_000) };
    const sut = createUplinkStage({
      database,
      client,
      clock,
      logger: silentLogger,
      wake: new Wake(),
      onDone: () => undefined,
    });
    const running = sut.run(abort.signal);
    while (!done()) await new Promise((resolve) => setTimeout(resolve, 5));
    abort.abort();
    await running;
  }

  it('moves the job only after every byte and the study are acknowledged', async () => {
    await runUntil(() => jobState() === 'UPLOADED');
    expect([...hub.objects.keys()].sort()).toEqual([...contents.keys()].sort());
    for (const [sha256, bytes] of contents)
      expect(hub.objects.get(sha256)!.equals(bytes)).toBe(true);
    expect(hub.closes).toBe(1);
    const acked = database.read((sql) => sql.all('SELECT 1 FROM spool_object WHERE acked = 1'));
    expect(acked).toHaveLength(3);
  });
  it('goes on after a cut with the objects that the hub does not hold', async () => {
    hub.breakAfter = 1;
    await runUntil(() => spoolRow().attempts >= 1);
    expect(jobState()).toBe('SPOOLED');
    expect(spoolRow()).toMatchObject({ last_fault: 'PEER_UNAVAILABLE' });
    const [held] = [...hub.objects.keys()];
    hub.breakAfter = Number.POSITIVE_INFINITY;
    hub.headers.length = 0;
    await runUntil(() => jobState() === 'UPLOADED');
    expect(hub.headers).not.toContain(held);
    expect(hub.objects.size).toBe(3);
  });
  it('does not believe an acknowledgement of another manifest', async () => {
    hub.lie = true;
    await runUntil(() => spoolRow().attempts >= 2);
    expect(jobState()).toBe('SPOOLED');
    expect(spoolRow()).toMatchObject({ last_fault: 'DIGEST_MISMATCH' });
  });
});
