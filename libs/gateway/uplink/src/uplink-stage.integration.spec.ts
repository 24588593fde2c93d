/**
 * Goal: a study counts as uploaded only by the hub's acknowledgement; a broken stream sends again
 * only what was not acknowledged, from the byte where it was cut; a hub that drains is left without
 * a fault. Method: a small hub of our own contract over real gRPC on loopback, files and rows as
 * the spool leaves them; the stream is cut at random bytes.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash, randomBytes, randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  status,
  type ServerDuplexStream,
  type ServiceError,
} from '@grpc/grpc-js';
import { uplink } from '@aifi/contracts-proto';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { systemClock, Wake, type Clock } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import {
  createGrpcObjectTransport,
  createGrpcUplinkPort,
  createUplinkStage,
  uplinkConfigSchema,
} from './index.js';

const JOB = 'a'.repeat(32);
const MANIFEST_SHA = 'b'.repeat(64);

interface HeldObject {
  bytes: Buffer;
  readonly sizeBytes: number;
}
const isWhole = ({ bytes, sizeBytes }: HeldObject): boolean => bytes.length === sizeBytes;

/** Keeps what it is sent, beginnings included; cuts a stream at a byte, drains, and lies. */
class FakeHub {
  readonly objects = new Map<string, HeldObject>();
  readonly headers: uplink.ObjectHeader[] = [];
  /** Bytes after which the stream is cut; then it is forgotten. */
  cutAfterBytes = Number.POSITIVE_INFINITY;
  /** Drains the next stream once it has begun. */
  drains = false;
  /** Status and code of OpenStudy. */
  refusal: { readonly code: status; readonly aifi: string } | undefined;
  opens = 0;
  closes = 0;
  lie = false;
  taken = 0;
  readonly server = new Server();

  whole(): string[] {
    return [...this.objects].filter(([, object]) => isWhole(object)).map(([sha256]) => sha256);
  }

  async start(): Promise<number> {
    this.server.addService(uplink.UplinkServiceService, {
      openStudy: (_call, callback) => {
        this.opens += 1;
        if (this.refusal) {
          const metadata = new Metadata();
          metadata.set('aifi-code', this.refusal.aifi);
          return callback({ code: this.refusal.code, metadata });
        }
        const partial = [...this.objects]
          .filter(([, object]) => !isWhole(object))
          .map(([sha256, { bytes }]) => ({ sha256, offsetBytes: bytes.length }));
        callback(null, { heldSha256: this.whole(), stored: false, partial });
      },
      putObjects: (call) => this.#put(call),
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

  #put(call: ServerDuplexStream<uplink.PutObjectsRequest, uplink.PutObjectsResponse>): void {
    let header: uplink.ObjectHeader | undefined;
    let isCut = false;
    call.on('error', () => undefined);
    call.on('end', () => call.end());
    call.on('data', ({ part }: uplink.PutObjectsRequest) => {
      if (isCut) return;
      if (part?.$case === 'header') {
        header = part.value;
        this.headers.push(header);
        const { sha256, sizeBytes, offsetBytes } = header;
        const held = this.objects.get(sha256)?.bytes ?? Buffer.alloc(0);
        expect(offsetBytes).toBe(held.length);
        this.objects.set(sha256, { sizeBytes, bytes: held });
        if (this.drains) {
          this.drains = false;
          call.write({ part: { $case: 'drain', value: { retryAfterMs: 500 } } });
        }
        return;
      }
      const object = header && this.objects.get(header.sha256);
      if (!part || !header || !object) return;
      const left = this.cutAfterBytes - this.taken;
      object.bytes = Buffer.concat([object.bytes, part.value.subarray(0, left)]);
      this.taken += part.value.length;
      if (part.value.length > left) {
        isCut = true;
        this.cutAfterBytes = Number.POSITIVE_INFINITY;
        call.emit('error', Object.assign(new Error('cut'), { code: status.UNAVAILABLE }));
      } else if (isWhole(object)) {
        call.write({ part: { $case: 'ack', value: header } });
      }
    });
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
    database.read((sql) =>
      sql.get<{ attempts: number; last_fault: string | null }>('SELECT * FROM spool_job'),
    )!;

  /** Runs the stage until `done`, with a clock whose wall time the test moves on by hand. */
  async function runUntil(done: () => boolean): Promise<void> {
    const abort = new AbortController();
    // The next attempt is due at once: backoff is tested on its own.
    let skewMs = 0;
    const clock: Clock = {
      nowMs: () => 1_000 + skewMs,
      monotonicMs: () => systemClock.monotonicMs() + (skewMs += 60_000),
      sleep: (delayMs, signal) => systemClock.sleep(Math.min(delayMs, 5), signal),
    };
    const sut = createUplinkStage({
      database,
      port: createGrpcUplinkPort(() => client, systemClock),
      transport: createGrpcObjectTransport(() => client, systemClock),
      config: uplinkConfigSchema.parse({}),
      deadlines: { acuteMs: 1e12, routineMs: 1e12 },
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

  const expectWhole = (): void => {
    expect(hub.whole().sort()).toEqual([...contents.keys()].sort());
    for (const [sha256, bytes] of contents) {
      expect(hub.objects.get(sha256)!.bytes.equals(bytes)).toBe(true);
    }
  };

  it('moves the job only after every byte and the study are acknowledged', async () => {
    await runUntil(() => jobState() === 'UPLOADED');
    expectWhole();
    expect(hub.closes).toBe(1);
    const acked = database.read((sql) => sql.all('SELECT 1 FROM spool_object WHERE acked = 1'));
    expect(acked).toHaveLength(3);
  });

  it('goes on after a cut at any byte, with what the hub does not hold', async () => {
    const total = [...contents.values()].reduce((sum, bytes) => sum + bytes.length, 0);
    for (let round = 0; round < 12; round += 1) {
      hub.objects.clear();
      hub.headers.length = 0;
      hub.taken = 0;
      hub.cutAfterBytes = randomInt(total);
      await database.write((sql) => {
        sql.run(`UPDATE job SET state = 'SPOOLED'`);
        sql.run(`UPDATE spool_job SET state = 'QUEUED', attempts = 0, last_fault = NULL`);
      });
      await runUntil(() => jobState() === 'UPLOADED');
      expectWhole();
      expect(spoolRow()).toMatchObject({ last_fault: 'PEER_UNAVAILABLE' });
      const heldWhole = hub.headers.filter(
        ({ offsetBytes, sizeBytes }) => offsetBytes >= sizeBytes,
      );
      expect(heldWhole).toEqual([]);
    }
  }, 60_000);

  it('leaves a hub that drains after the object in hand, and comes again without a fault', async () => {
    hub.drains = true;
    await runUntil(() => jobState() === 'UPLOADED');
    expectWhole();
    expect(hub.opens).toBeGreaterThan(1);
    expect(spoolRow()).toMatchObject({ attempts: 1, last_fault: null });
  });

  it('does not believe an acknowledgement of another manifest', async () => {
    hub.lie = true;
    await runUntil(() => spoolRow().attempts >= 2);
    expect(jobState()).toBe('SPOOLED');
    expect(spoolRow()).toMatchObject({ last_fault: 'DIGEST_MISMATCH' });
  });

  it('ends a study at once that the hub will never take', async () => {
    hub.refusal = { code: status.INVALID_ARGUMENT, aifi: 'INVALID_ARGUMENT' };
    await runUntil(() => jobState() === 'NOT_ANALYSED_NOTIFIED');
    expect(hub.opens).toBe(1);
    const job = database.read((sql) => sql.get('SELECT code, detail FROM job'));
    expect(job).toMatchObject({ code: 'MALFORMED', detail: expect.stringContaining('hub') });
  });

  it('waits while the hub refuses the gateway itself, until that is mended', async () => {
    hub.refusal = { code: status.PERMISSION_DENIED, aifi: 'FORBIDDEN' };
    await runUntil(() => spoolRow().attempts >= 3);
    expect(jobState()).toBe('SPOOLED');
    expect(spoolRow()).toMatchObject({ last_fault: 'FORBIDDEN' });
    hub.refusal = undefined;
    await runUntil(() => jobState() === 'UPLOADED');
  });
});
