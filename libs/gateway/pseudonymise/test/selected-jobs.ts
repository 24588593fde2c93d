/**
 * SelectedJobs: a gateway's folder with selected jobs, for the tests of the stage.
 * Decides only how jobs, files and rows come about as receive, assemble and select leave them; the
 * database, the vault and the files are real. The sink keeps what it is given, with the vault's
 * answer at that moment, moves the job as the spool does, and can fail.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DicomDataset, encodePart10 } from '@aifi/dicom-core';
import type { PseudonymisedStudy } from '@aifi/dicom-deidentification';
import type { PixelDecision, PixelGate, PixelQuestion } from '@aifi/dicom-pixel-gate';
import { GATEWAY_MIGRATIONS, GatewayDatabase, moveJob, type Row } from '@aifi/gateway-database';
import { IdentityEventLog, Vault } from '@aifi/gateway-vault';
import {
  type AifiError,
  jobId,
  sha256Hex,
  siteId,
  Wake,
  type JobId,
  type Sha256,
} from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { keyRingOf, type KeyRing } from '@aifi/shared-site-keys';
import { fakeSiteKeys, FakeClock, temporaryFolder } from '@aifi/shared-testing';
import { createPseudonymiseStage, seriesWork } from '../src/index.js';

export const SITE = siteId('site-a');
export const STUDY = '1.2.3';
export const SERIES = '1.2.3.4';
export const jobOf = (n: number): JobId => jobId(String(n).padStart(32, '0'));

export const anInstance = (n: number): DicomDataset =>
  new DicomDataset()
    .setString('SpecificCharacterSet', 'ISO_IR 192')
    .setString('SOPClassUID', '1.2.840.10008.5.1.4.1.1.4')
    .setString('SOPInstanceUID', `1.2.3.4.${n}`)
    .setString('StudyInstanceUID', STUDY)
    .setString('SeriesInstanceUID', SERIES)
    .setString('FrameOfReferenceUID', '1.2.3.99')
    .setString('PatientName', 'Berg^Jan')
    .setString('PatientID', '0012345')
    .setString('PatientBirthDate', '19610403')
    .setString('AccessionNumber', 'ACC-77')
    .setString('InstitutionName', 'St. Elders')
    .setString('StudyDate', '20240229')
    .setString('Modality', 'MR')
    .setString('BodyPartExamined', 'KNEE')
    .setNumbers('InstanceNumber', [n])
    .setNumbers('Rows', [2])
    .setNumbers('Columns', [2])
    .setNumbers('BitsAllocated', [16])
    .setBytes('PixelData', Uint8Array.of(n, 1, 2, 3, 4, 5, 6, 7), 'OW');

class UntilIdleClock extends FakeClock {
  readonly stop = new AbortController();
  override sleep(): Promise<void> {
    this.stop.abort();
    return Promise.resolve();
  }
}

class FakeSink {
  readonly studies: PseudonymisedStudy[] = [];
  readonly wasLinked: boolean[] = [];
  fault: AifiError | undefined;
  constructor(private readonly jobs: SelectedJobs) {}
  async put(study: PseudonymisedStudy): Promise<void> {
    // A connection of its own sees committed rows only.
    const vault = this.jobs.openVault();
    const isLinked = study.instances.every(
      ({ sopInstanceUid }) => vault.originalUid(study.jobId, sopInstanceUid) !== undefined,
    );
    this.wasLinked.push(isLinked && vault.linkage(study.jobId) !== undefined);
    vault.close();
    this.studies.push(study);
    if (this.fault) throw this.fault;
    const { jobId: id } = study;
    const move = { jobId: id, from: 'SELECTED', to: 'SPOOLED', stage: 'spool' } as const;
    await this.jobs.database.write((sql) => moveJob(sql, { ...move, event: 'spooled', atMs: 1 }));
  }
}

/** Answers by file; everything is cleared unless a test says otherwise. */
class FakeGate implements Pick<PixelGate, 'judge'> {
  readonly asked: PixelQuestion[] = [];
  answer: (question: PixelQuestion) => PixelDecision = () => ({ kind: 'clear', by: 'tier' });
  async judge(question: PixelQuestion): Promise<PixelDecision> {
    this.asked.push(question);
    await Promise.resolve();
    return this.answer(question);
  }
}

export class SelectedJobs {
  readonly #folder = temporaryFolder('pseudonymise');
  readonly database: GatewayDatabase;
  ring: KeyRing = keyRingOf(fakeSiteKeys());
  readonly vault: Vault;
  readonly identityEvents: IdentityEventLog;
  readonly sink: FakeSink;
  readonly gate = new FakeGate();

  constructor() {
    this.database = GatewayDatabase.open(join(this.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    this.vault = this.openVault();
    this.identityEvents = IdentityEventLog.open(join(this.path, 'events.db'), this.ring);
    this.sink = new FakeSink(this);
  }

  get path(): string {
    return this.#folder.path;
  }
  openVault(): Vault {
    return Vault.open(join(this.path, 'vault.db'), this.ring);
  }
  spoolOf(n: number): string {
    return join(this.path, 'spool', jobOf(n));
  }
  remove(): void {
    this.database.close();
    this.vault.close();
    this.identityEvents.close();
    this.#folder.remove();
  }

  /** Runs the stage until it has nothing to do. */
  async work(): Promise<void> {
    const clock = new UntilIdleClock();
    const { database, vault, identityEvents, ring, gate, sink } = this;
    const sut = createPseudonymiseStage({
      ...{ database, vault, keys: ring, siteId: SITE, dataFolder: this.path },
      series: seriesWork(gate),
      ...{
        identityEvents,
        sink,
        clock,
        wake: new Wake(),
        logger: silentLogger,
        onDone: () => undefined,
      },
    });
    await sut.run(clock.stop.signal);
  }
  states(): Row[] {
    return this.database.read((sql) => sql.all<Row>('SELECT state, code FROM job ORDER BY job_id'));
  }

  /** A selected job over one series; its files, in order of arrival. */
  async add(
    n: number,
    instances: readonly (DicomDataset | Buffer)[],
    deidentification: string | null = null,
  ): Promise<readonly Sha256[]> {
    const incoming = join(this.path, 'incoming');
    await mkdir(incoming, { recursive: true });
    const files: { path: string; sha256: Sha256 }[] = [];
    for (const [i, instance] of instances.entries()) {
      const path = join(incoming, `${n}-${i}.dcm`);
      const bytes = Buffer.isBuffer(instance) ? instance : encodePart10(instance);
      await writeFile(path, bytes);
      files.push({ path, sha256: sha256Hex(bytes) });
    }
    await this.database.write((sql) => {
      sql.run('INSERT INTO study VALUES (?, ?, 1, 1)', n, `${STUDY}.${n}`);
      sql.run("INSERT INTO study_revision VALUES (?, 1, 1, 'SELECTED')", n);
      sql.run(
        `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
           series_uid, rule_set_sha256, attestations, state, created_ms, deidentification)
         VALUES (?, ?, 1, 'brain-tissue', '1.0.0', ?, 'routine', ?, ?, '[]', 'SELECTED', 1, ?)`,
        ...[jobOf(n), n, sha256Hex('model'), SERIES, sha256Hex('rules'), deidentification],
      );
    });
    for (const [i, file] of files.entries()) {
      await this.addRow(n, { ...file, seriesUid: SERIES, sopInstanceUid: `1.2.3.4.${n}.${i}` });
    }
    return files.map(({ sha256 }) => sha256);
  }

  /** The row of one received file. */
  async addRow(
    n: number,
    file: { path: string; sha256: string; seriesUid: string; sopInstanceUid: string },
  ): Promise<void> {
    await this.database.write((sql) =>
      sql.run(
        `INSERT INTO instance (study_id, series_uid, sop_instance_uid, sop_class_uid,
           transfer_syntax_uid, sha256, size_bytes, path, header, calling_ae, received_ms,
            revision)
         VALUES (?, ?, ?, 'c', 't', ?, 1, ?, '{}', 'PACS', ?, 1)`,
        ...[n, file.seriesUid, file.sopInstanceUid, file.sha256, file.path],
        1_000 + Number(file.sopInstanceUid.split('.').at(-1)),
      ),
    );
  }
}
