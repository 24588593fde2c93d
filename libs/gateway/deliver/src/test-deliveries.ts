/**
 * TestDeliveries: queued results, a service and the fake PACS, for the suites of this library; not
 * exported. Decides nothing: rows are as the stage before leaves them, each job in a study of its
 * own. Two lanes work until nothing is due, then the clock is moved.
 */
import { join } from 'node:path';
import { DicomDataset, encodePart10 } from '@aifi/dicom-core';
import { GATEWAY_MIGRATIONS, GatewayDatabase, type Row } from '@aifi/gateway-database';
import { writeDurableFile, type DurableFile } from '@aifi/shared-kernel';
import { silentLogger, type Logger } from '@aifi/shared-observability';
import { FakeClock, temporaryFolder } from '@aifi/shared-testing';
import { DeliverService, type DeliverSettings } from './deliver-service.js';
import { FakePacs, STUDY } from './fake-pacs.js';
import type { KnowKill } from './kill-gate.js';
import type { IdentityExplainer } from './last-look.js';
import type { PacsPeer } from './pacs-peer.js';
import type { LaneDeadlines } from './verification.js';

export const SR = '1.2.840.10008.5.1.4.1.1.88.34';
const FAST: DeliverSettings = { associationsMax: 2, rate: { perSecond: 100, burst: 100 } };

/** Job number n. */
export const jobIdOf = (n: number): string => String(n).padStart(32, 'a');
/** Its study. */
export const studyOf = (n: number): string => (n === 0 ? STUDY : `${STUDY}.${n}`);
/** Its object at an index. */
export const instanceOf = (n: number, index: number): string => `2.25.${100 + 1_000 * n + index}`;

export class TestDeliveries {
  readonly #folder = temporaryFolder('deliver');
  readonly clock = new FakeClock();
  readonly pacs = new FakePacs(this.clock);
  /** A real PACS in its place. */
  peer: PacsPeer = this.pacs;
  readonly done: string[] = [];
  settings: DeliverSettings = FAST;
  deadlines: LaneDeadlines | undefined;
  explainer: IdentityExplainer | undefined;
  knowKill: KnowKill | undefined;
  isHeld: (() => boolean) | undefined;
  logger: Logger = silentLogger;
  random: () => number = Math.random;
  database = this.#open();
  sut = this.makeSut();

  /** File of the rows, for a process of its own. */
  get databaseFile(): string {
    return join(this.#folder.path, 'gateway.db');
  }
  #open(): GatewayDatabase {
    return GatewayDatabase.open(this.databaseFile, GATEWAY_MIGRATIONS);
  }
  /** A new service on the rows as they are: what a restart makes. */
  makeSut(): DeliverService {
    return new DeliverService({
      ...{ database: this.database, pacs: this.peer, settings: this.settings, clock: this.clock },
      ...{ logger: this.logger, random: this.random, deadlines: this.deadlines },
      explainer: this.explainer,
      knowKill: this.knowKill,
      isHeld: this.isHeld,
      onDone: (jobId) => this.done.push(jobId),
    });
  }
  restart(settings: Partial<DeliverSettings> = {}): void {
    this.settings = { ...this.settings, ...settings };
    this.database.close();
    this.database = this.#open();
    this.sut = this.makeSut();
  }
  close(): void {
    this.database.close();
    this.#folder.remove();
  }

  /** Queues one job in a study of its own; its objects have so many bytes of pixels. */
  async queue(n: number, objects = 1, bytes = 0): Promise<void> {
    const files: DurableFile[] = [];
    for (let index = 0; index < objects; index += 1) {
      files.push(await this.aFile(n, instanceOf(n, index), bytes));
    }
    await this.database.write((sql) => {
      const studyId = n + 1;
      sql.run('INSERT INTO study VALUES (?, ?, 1, 0)', studyId, studyOf(n));
      sql.run("INSERT INTO study_revision VALUES (?, 1, 0, 'SELECTED')", studyId);
      sql.run(
        `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
           rule_set_sha256, attestations, state, created_ms)
         VALUES (?, ?, 1, 'p', '1', 'd', 'routine', 'r', '[]', 'REIDENTIFIED', ?)`,
        ...[jobIdOf(n), studyId, this.clock.nowMs()],
      );
      files.forEach(({ path, sha256 }, index) =>
        sql.run(
          `INSERT INTO delivery (job_id, issue, output_index, role, sop_class_uid, series_uid,
             sop_instance_uid, path, sha256, state)
           VALUES (?, 0, ?, 'r', ?, '2.25.2', ?, ?, ?, 'QUEUED')`,
          ...[jobIdOf(n), index, SR, instanceOf(n, index), path, sha256],
        ),
      );
    });
  }
  async queueMany(jobs: number): Promise<void> {
    for (let n = 0; n < jobs; n += 1) await this.queue(n);
  }
  aFile(n: number, sopInstanceUid: string, bytes = 0): Promise<DurableFile> {
    const dataset = new DicomDataset()
      .setString('SOPClassUID', SR)
      .setString('SOPInstanceUID', sopInstanceUid)
      .setString('PatientID', 'P-1')
      .setString('IssuerOfPatientID', 'HERE')
      .setString('PatientBirthDate', '19700102')
      .setString('StudyInstanceUID', studyOf(n));
    if (bytes > 0) {
      dataset
        .setNumbers('Rows', [2])
        .setNumbers('Columns', [bytes / 2])
        .setNumbers('BitsAllocated', [8])
        .setBytes('PixelData', Buffer.alloc(bytes, n + 1), 'OB');
    }
    const path = join(this.#folder.path, 'outgoing', `${sopInstanceUid}.dcm`);
    return writeDurableFile(path, encodePart10(dataset));
  }

  /** Works in two lanes until nothing is due, then moves time on, `rounds` times. */
  async work(rounds: number, stepMs = 61_000): Promise<void> {
    for (let round = 0; round < rounds; round += 1) {
      await this.drain();
      this.clock.advance(stepMs);
    }
  }
  async drain(): Promise<void> {
    const lane = async (): Promise<void> => {
      while ((await this.sut.runOnce()) > 0);
    };
    await Promise.all([lane(), lane()]);
  }

  job(n = 0): Row | undefined {
    return this.database.read((sql) =>
      sql.get<Row>('SELECT state, code FROM job WHERE job_id = ?', jobIdOf(n)),
    );
  }
  /** How many jobs are in which state. */
  jobs(): Record<string, number> {
    const rows = this.database.read((sql) =>
      sql.all<{ state: string; jobs: number }>(
        'SELECT state, count(*) AS jobs FROM job GROUP BY state',
      ),
    );
    return Object.fromEntries(rows.map(({ state, jobs }) => [state, jobs]));
  }
  rows(): Row[] {
    return this.database.read((sql) =>
      sql.all<Row>(
        `SELECT state, dimse_status, attempts, dead_code, replays, transaction_uid
          FROM delivery ORDER BY rowid`,
      ),
    );
  }
  events(): unknown[] {
    return this.database
      .read((sql) => sql.all<{ event: string }>('SELECT event FROM journal ORDER BY sequence'))
      .map(({ event }) => event);
  }
}
