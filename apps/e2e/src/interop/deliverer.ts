/**
 * Deliverer: the real deliver stage with one re-identified result in its queue.
 * Decides nothing: rows and file are as the stage before leaves them, the PACS is reached as the
 * configuration says, and the stage runs until the job has ended.
 */
import { join } from 'node:path';
import { createDeliverStage, createPacsPeer, deliverConfigSchema } from '@aifi/gateway-deliver';
import { GATEWAY_MIGRATIONS, GatewayDatabase, type Row } from '@aifi/gateway-database';
import { sha256Hex, systemClock, Wake, writeDurableFile } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { asFile, uidFor } from './generated-objects.js';
import type { RawObject } from './raw-encoding.js';

const JOB = 'c'.repeat(32);
/** Longest life of a job here: a PACS on this machine answers in seconds. @unit ms */
const DEADLINE_MS = 60_000;

export interface DeliveryEnd {
  readonly job: Row;
  readonly delivery: Row;
  readonly commitments: readonly Row[];
}
type DeliverStage = ReturnType<typeof createDeliverStage>;

export class Deliverer {
  readonly #stop = new AbortController();

  private constructor(
    private readonly folder: TemporaryFolder,
    private readonly database: GatewayDatabase,
    readonly stage: DeliverStage,
    private readonly done: Promise<void>,
  ) {}

  /** `config` as in the gateway's configuration file. */
  static async of(result: RawObject, config: unknown): Promise<Deliverer> {
    const folder = temporaryFolder('interop-deliver');
    const database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    await queue(database, join(folder.path, 'outgoing', '0-0.dcm'), result);
    const settings = deliverConfigSchema.parse(config);
    const ended = Promise.withResolvers<void>();
    const stage = createDeliverStage({
      database,
      pacs: createPacsPeer(settings, systemClock),
      settings,
      clock: systemClock,
      wake: new Wake(),
      logger: silentLogger,
      onDone: () => ended.resolve(),
    });
    return new Deliverer(folder, database, stage, ended.promise);
  }

  /** Runs the stage until the job has ended, at most to the deadline; what the rows say then. */
  async run(): Promise<DeliveryEnd> {
    const running = this.stage.run(this.#stop.signal);
    await Promise.race([this.done, systemClock.sleep(DEADLINE_MS, this.#stop.signal)]);
    this.#stop.abort();
    await running;
    return this.database.read((sql) => ({
      job: sql.get<Row>('SELECT state, code FROM job')!,
      delivery: sql.get<Row>('SELECT state, attempts, dimse_status FROM delivery')!,
      commitments: sql.all<Row>('SELECT state FROM storage_commitment'),
    }));
  }
  close(): void {
    this.#stop.abort();
    this.database.close();
    this.folder.remove();
  }
}

async function queue(database: GatewayDatabase, path: string, result: RawObject): Promise<void> {
  const part10 = asFile(result);
  const file = await writeDurableFile(path, part10);
  await database.write((sql) => {
    const studyUid = uidFor('interop study');
    const studyId = sql.insert('INSERT INTO study VALUES (NULL, ?, 1, 0)', studyUid);
    sql.run("INSERT INTO study_revision VALUES (?, 1, 0, 'SELECTED')", studyId);
    sql.run(
      `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
         rule_set_sha256, attestations, state, created_ms)
       VALUES (?, ?, 1, 'p', '1', 'd', 'routine', 'r', '[]', 'REIDENTIFIED', ?)`,
      JOB,
      studyId,
      systemClock.nowMs(),
    );
    sql.run(
      `INSERT INTO delivery (job_id, issue, output_index, role, sop_class_uid, series_uid,
         sop_instance_uid, path, sha256, state)
       VALUES (?, 0, 0, 'sc', ?, ?, ?, ?, ?, 'QUEUED')`,
      JOB,
      result.sopClassUid,
      uidFor('interop series'),
      result.sopInstanceUid,
      file.path,
      sha256Hex(part10),
    );
  });
}
