/**
 * Goal: an outcome is acknowledged only when it is signed, whole and durable; a refused one does
 * not stop the ones behind it; rules never go back. Method: a small hub of our own contract over
 * real gRPC on loopback with an Ed25519 key of the test.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  credentials,
  Server,
  ServerCredentials,
  status,
  type ServerWritableStream,
} from '@grpc/grpc-js';
import {
  encodeManifest,
  outcomeManifestSchema,
  routingRulesSchema,
  signManifest,
  type OutcomeManifest,
} from '@aifi/contracts-manifests';
import { downlink } from '@aifi/contracts-proto';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { objectsDigest, sha256Hex, siteId, systemClock, type JobId } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import {
  createDownlinkStage,
  createGrpcDownlinkPort,
  KillStateStore,
  RulesStore,
} from './index.js';

const job = (letter: string): JobId => letter.repeat(32) as JobId;
const DIGEST = sha256Hex('x');

function outcome(jobId: JobId, bytes: Buffer): OutcomeManifest {
  const uid = '2.25.1' as OutcomeManifest['objects'][number]['sopInstanceUid'];
  return {
    schema: 'aifi.outcome-manifest.v1',
    jobId,
    revision: 1,
    issue: 0,
    product: { id: 'p', version: '1.0.0', modelDigest: DIGEST },
    outcome: 'RESULT',
    manifestSha256: DIGEST,
    inputDigest: objectsDigest([DIGEST]),
    objects: [
      {
        index: 0,
        role: 'SR',
        sopClassUid: uid,
        sopInstanceUid: uid,
        seriesInstanceUid: uid,
        sizeBytes: bytes.length,
        sha256: sha256Hex(bytes),
      },
    ],
    mintedUids: [],
    finishedAtMs: 1,
  };
}

/** Sends its list of outcomes to every stream and records the acknowledgements. */
class FakeHub {
  readonly server = new Server();
  readonly acks: string[] = [];
  readonly refusals: string[] = [];
  readonly cursors: downlink.OutcomeCursor[] = [];
  /** Answers a control stream; an old hub has none. */
  control: (
    call: ServerWritableStream<downlink.StreamControlRequest, downlink.StreamControlResponse>,
  ) => void = (call) => void call.emit('error', { code: status.UNIMPLEMENTED });
  readonly outcomes: { manifest: Buffer; signature: Buffer; bytes: Buffer }[] = [];
  rules: downlink.GetRoutingRulesResponse = {
    rules: Buffer.alloc(0),
    signature: Buffer.alloc(0),
  };

  async start(): Promise<number> {
    this.server.addService(downlink.DownlinkServiceService, {
      getRoutingRules: (_call, callback) => callback(null, this.rules),
      getAuditAnchors: (_call, callback) => callback(null, { anchors: [] }),
      streamControl: (call) => this.control(call),
      streamOutcomes: (call) => {
        call.on('error', () => undefined);
        call.on('end', () => call.end());
        call.on('data', ({ part }: downlink.StreamOutcomesRequest) => {
          if (part?.$case === 'ack') this.acks.push(part.value.jobId);
          if (part?.$case === 'refusal') this.refusals.push(part.value.jobId);
          if (part?.$case !== 'cursor') return;
          this.cursors.push(part.value);
          this.outcomes.forEach(({ manifest, signature, bytes }, i) => {
            const header = {
              sequence: i + 1,
              manifest,
              signature,
              envelope: Buffer.from('sealed'),
            };
            call.write({ part: { $case: 'header', value: header } });
            for (let at = 0; at < bytes.length; at += 1000) {
              call.write({ part: { $case: 'chunk', value: bytes.subarray(at, at + 1000) } });
            }
            call.write({ part: { $case: 'end', value: { sequence: i + 1 } } });
          });
        });
      },
    } satisfies downlink.DownlinkServiceServer);
    return new Promise((resolve, reject) =>
      this.server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      ),
    );
  }
}

describe(createDownlinkStage.name, () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const foreign = generateKeyPairSync('ed25519').privateKey;
  let folder: TemporaryFolder;
  let database: GatewayDatabase;
  let hub: FakeHub;
  let client: downlink.DownlinkServiceClient;
  beforeEach(async () => {
    folder = temporaryFolder('downlink');
    database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    hub = new FakeHub();
    const port = await hub.start();
    client = new downlink.DownlinkServiceClient(`127.0.0.1:${port}`, credentials.createInsecure());
    await database.write((sql) => {
      sql.run(`INSERT INTO study VALUES (1, '1.2', 1, 1)`);
      sql.run(`INSERT INTO study_revision VALUES (1, 1, 1, 'SELECTED')`);
      for (const letter of ['a', 'b', 'c']) {
        sql.run(
          `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest,
             lane, rule_set_sha256, attestations, state, created_ms)
           VALUES (?, 1, 1, ?, '1.0.0', 'x', 'routine', 'x', '[]', 'UPLOADED', 1)`,
          job(letter),
          letter,
        );
      }
    });
  });
  afterEach(() => {
    client.close();
    hub.server.forceShutdown();
    database.close();
    folder.remove();
  });

  function offer(jobId: JobId, key: KeyObject = privateKey, sent?: Buffer, told = {}): Buffer {
    const bytes = randomBytes(5_000);
    const manifested = { ...outcome(jobId, bytes), ...told };
    const manifest = encodeManifest(outcomeManifestSchema, manifested);
    hub.outcomes.push({ manifest, signature: signManifest(manifest, key), bytes: sent ?? bytes });
    return bytes;
  }
  async function runUntil(done: () => boolean): Promise<RulesStore> {
    const abort = new AbortController();
    const rules = new RulesStore(database, publicKey, 'demonstration', silentLogger);
    const sut = createDownlinkStage({
      database,
      port: createGrpcDownlinkPort(() => client, systemClock),
      kill: new KillStateStore(database, publicKey, systemClock, silentLogger),
      rules,
      siteId: siteId('site-a'),
      anchors: { keep: async () => 'known' },
      signingKeys: publicKey,
      inboundFolder: join(folder.path, 'inbound'),
      clock: systemClock,
      logger: silentLogger,
      onDone: () => undefined,
      onRules: () => undefined,
    });
    const running = sut.run(abort.signal);
    while (!done()) await new Promise((resolve) => setTimeout(resolve, 5));
    abort.abort();
    await running;
    return rules;
  }
  const state = (letter: string) =>
    database.read((sql) =>
      sql.get<{ state: string }>('SELECT state FROM job WHERE job_id = ?', job(letter)),
    )!.state;

  it('acknowledges what is signed, whole and durable, and moves the job', async () => {
    const bytes = offer(job('a'));
    await runUntil(() => hub.acks.length === 1);
    expect(state('a')).toBe('RETURNED');
    const path = join(folder.path, 'inbound', job('a'), '0-0.dcm');
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });
  it('skips an outcome of another key and takes the one behind it', async () => {
    offer(job('a'), foreign);
    offer(job('b'));
    await runUntil(() => hub.acks.length === 1);
    expect(hub.acks).toEqual([job('b')]);
    expect(hub.refusals).toEqual([job('a')]);
    expect([state('a'), state('b')]).toEqual(['UPLOADED', 'RETURNED']);
  });
  it.each([5_000, 4_000, 6_000])(
    'never acknowledges %d bytes of another digest, and takes the outcome behind them',
    async (size) => {
      offer(job('a'), privateKey, randomBytes(size));
      offer(job('b'));
      await runUntil(() => hub.acks.length === 1);
      expect(hub.acks).toEqual([job('b')]);
      expect(hub.refusals).toEqual([job('a')]);
      expect(hub.cursors).toHaveLength(1);
      expect([state('a'), state('b')]).toEqual(['UPLOADED', 'RETURNED']);
    },
  );
  it('acknowledges a repeated outcome without doing the work twice', async () => {
    offer(job('a'));
    await runUntil(() => hub.acks.length === 1);
    await runUntil(() => hub.acks.length === 2);
    const rows = database.read((sql) => sql.all('SELECT 1 FROM inbound'));
    expect(rows).toHaveLength(1);
  });
  it('counts up again what a restore has set back and the hub repeats', async () => {
    offer(job('a'));
    offer(job('b'));
    await runUntil(() => hub.acks.length === 2);
    await database.write((sql) => sql.run('UPDATE inbound SET sequence = 0'));
    await runUntil(() => hub.acks.length === 4);
    await runUntil(() => hub.cursors.length === 3);
    expect(hub.cursors.map(({ afterSequence }) => afterSequence)).toEqual([0, 0, 2]);
    const rows = database.read((sql) => sql.all('SELECT sequence FROM inbound ORDER BY job_id'));
    expect(rows).toEqual([{ sequence: 1 }, { sequence: 2 }]);
  });
  it('says exactly what it has as it opens a stream', async () => {
    offer(job('a'));
    await runUntil(() => hub.acks.length === 1);
    await runUntil(() => hub.cursors.length === 2);
    const [first, second] = hub.cursors.map(({ afterSequence, exact }) => [afterSequence, exact]);
    expect([first, second]).toEqual([
      [0, true],
      [1, true],
    ]);
  });
  it('sets an outcome aside when the PACS has a newer revision, and acknowledges it', async () => {
    await database.write((sql) => {
      sql.run(`INSERT INTO study_revision VALUES (1, 2, 1, 'SELECTED')`);
      sql.run(
        `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
           rule_set_sha256, attestations, state, created_ms)
         VALUES (?, 1, 2, 'a', '1.0.0', 'x', 'routine', 'x', '[]', 'REIDENTIFIED', 1)`,
        job('d'),
      );
      sql.run(
        `INSERT INTO delivery (job_id, issue, output_index, role, sop_class_uid, series_uid,
           sop_instance_uid, path, sha256, state)
         VALUES (?, 0, 0, 'r', '1', '2', '3', 'p', 'x', 'STORED')`,
        job('d'),
      );
    });
    offer(job('a'));
    offer(job('b'));
    await runUntil(() => hub.acks.length === 2);
    expect([state('a'), state('b')]).toEqual(['NOT_ANALYSED_NOTIFIED', 'RETURNED']);
    const rows = database.read((sql) => sql.all('SELECT state FROM inbound ORDER BY job_id'));
    expect(rows).toEqual([{ state: 'SUPERSEDED' }, { state: 'RECEIVED' }]);
  });
  it('ends the waiting job of an older revision with the outcome of a newer one', async () => {
    await database.write((sql) => {
      sql.run(`INSERT INTO study_revision VALUES (1, 2, 1, 'SELECTED')`);
      sql.run(
        `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
           rule_set_sha256, attestations, state, created_ms)
         VALUES (?, 1, 2, 'a', '1.0.0', 'x', 'routine', 'x', '[]', 'UPLOADED', 1)`,
        job('d'),
      );
    });
    offer(job('d'), privateKey, undefined, { revision: 2 });
    // The hub would not send it; one that does changes nothing.
    offer(job('a'));
    await runUntil(() => hub.acks.length === 2);
    expect([state('a'), state('b'), state('d')]).toEqual([
      ...['NOT_ANALYSED_NOTIFIED', 'UPLOADED', 'RETURNED'],
    ]);
    const [older] = database.read((sql) =>
      sql.all('SELECT code, detail, told_issue FROM job WHERE job_id = ?', job('a')),
    );
    expect(older).toEqual({
      ...{ code: 'INPUT_INCOMPLETE', detail: 'superseded by a newer revision', told_issue: -1 },
    });
    const rows = database.read((sql) => sql.all('SELECT state FROM inbound ORDER BY job_id'));
    expect(rows).toEqual([{ state: 'SUPERSEDED' }, { state: 'RECEIVED' }]);
  });
  it('sets an older issue aside after a newer one of the same job', async () => {
    offer(job('a'), privateKey, undefined, { issue: 1 });
    offer(job('a'));
    await runUntil(() => hub.acks.length === 2);
    const rows = database.read((sql) => sql.all('SELECT issue, state FROM inbound ORDER BY issue'));
    expect(rows).toEqual([
      { issue: 0, state: 'SUPERSEDED' },
      { issue: 1, state: 'RECEIVED' },
    ]);
  });
  it('keeps rules over a restart and never goes back to an older signed set', async () => {
    const signed = (sequence: number) => {
      const rules = encodeManifest(routingRulesSchema, {
        schema: 'aifi.routing-rules.v1',
        sequence,
        issuedAtMs: 1,
        purpose: 'demonstration',
        products: [],
      });
      return { rules, signature: signManifest(rules, privateKey) };
    };
    hub.rules = signed(5);
    const sut = new RulesStore(database, publicKey, 'demonstration', silentLogger);
    expect(await sut.refresh(createGrpcDownlinkPort(() => client, systemClock))).toBe(true);
    hub.rules = signed(4);
    await expect(sut.refresh(createGrpcDownlinkPort(() => client, systemClock))).rejects.toThrow(
      /older/,
    );
    const restarted = new RulesStore(database, publicKey, 'demonstration', silentLogger);
    expect(restarted.current()?.rules.sequence).toBe(5);
    expect(() => new RulesStore(database, publicKey, 'clinical', silentLogger)).toThrow(
      /another purpose/,
    );
  });
  it('takes stored rules of a key that has left for none, and asks for others', async () => {
    const rules = encodeManifest(routingRulesSchema, {
      ...{ schema: 'aifi.routing-rules.v1', sequence: 5, issuedAtMs: 1, products: [] },
      purpose: 'demonstration',
    });
    hub.rules = { rules, signature: signManifest(rules, privateKey) };
    const port = createGrpcDownlinkPort(() => client, systemClock);
    const first = new RulesStore(database, publicKey, 'demonstration', silentLogger);
    expect(await first.refresh(port)).toBe(true);
    const next = generateKeyPairSync('ed25519');
    const keys = () => [next.publicKey];
    const sut = new RulesStore(database, keys, 'demonstration', silentLogger);
    expect(sut.current()).toBeUndefined();
    await expect(sut.refresh(port)).rejects.toMatchObject({ code: 'UNTRUSTED' });
    hub.rules = { rules, signature: signManifest(rules, next.privateKey) };
    expect(await sut.refresh(port)).toBe(true);
    expect(sut.current()?.rules.sequence).toBe(5);
  });
});
