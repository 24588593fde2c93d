/**
 * TestArrivals: a study that arrives, for the suites of this library; not exported.
 * Decides nothing: rows and files are as receive leaves them, the stage looks when it is told to.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DicomDataset, encodePart10, KEY_OBJECT_SELECTION } from '@aifi/dicom-core';
import {
  GATEWAY_MIGRATIONS,
  GatewayDatabase,
  type InstanceHeader,
  type Row,
} from '@aifi/gateway-database';
import { Wake } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { FakeClock, temporaryFolder } from '@aifi/shared-testing';
import { createAssembleStage, type AssembleDependencies } from './assemble-stage.js';

export const CT = '1.2.840.10008.5.1.4.1.1.2';
export const STUDY = '1.2';

/** A Key Object Selection Document of the study as a file. */
export function noteBytes(uid: string, rejected: readonly string[], title = '113001'): Buffer {
  const reference = (of: string): DicomDataset =>
    new DicomDataset()
      .setString('ReferencedSOPClassUID', CT)
      .setString('ReferencedSOPInstanceUID', of);
  const code = new DicomDataset()
    .setString('CodeValue', title)
    .setString('CodingSchemeDesignator', 'DCM');
  const series = new DicomDataset()
    .setString('SeriesInstanceUID', '1.2.3')
    .setItems('ReferencedSOPSequence', rejected.map(reference));
  const evidence = new DicomDataset()
    .setString('StudyInstanceUID', STUDY)
    .setItems('ReferencedSeriesSequence', [series]);
  const content = rejected.map((of) =>
    new DicomDataset()
      .setString('RelationshipType', 'CONTAINS')
      .setString('ValueType', 'IMAGE')
      .setItems('ReferencedSOPSequence', [reference(of)]),
  );
  return encodePart10(
    new DicomDataset()
      .setString('SOPClassUID', KEY_OBJECT_SELECTION)
      .setString('SOPInstanceUID', uid)
      .setString('StudyInstanceUID', STUDY)
      .setString('SeriesInstanceUID', '1.2.9')
      .setItems('ConceptNameCodeSequence', [code])
      .setItems('CurrentRequestedProcedureEvidenceSequence', [evidence])
      .setItems('ContentSequence', content),
  );
}

export class TestArrivals {
  readonly #folder = temporaryFolder('assemble');
  readonly clock = new FakeClock();
  readonly database = GatewayDatabase.open(join(this.#folder.path, 'gateway.db'), [
    ...GATEWAY_MIGRATIONS,
  ]);
  #rang = 0;

  get databaseFile(): string {
    return join(this.#folder.path, 'gateway.db');
  }
  close(): void {
    this.database.close();
    this.#folder.remove();
  }
  /** Bells of the next stage since the last question. */
  rang(): number {
    const rang = this.#rang;
    this.#rang = 0;
    return rang;
  }

  async image(uid: string, seriesUid = '1.2.3', header: InstanceHeader = {}): Promise<void> {
    await this.#insert({ uid, seriesUid, sopClassUid: CT, bytes: Buffer.from(uid), header });
  }
  async note(uid: string, rejected: readonly string[], title?: string): Promise<void> {
    await this.file(uid, noteBytes(uid, rejected, title));
  }
  /** A key object document, whatever its bytes are. */
  async file(uid: string, bytes: Buffer): Promise<void> {
    const sopClassUid = KEY_OBJECT_SELECTION;
    await this.#insert({ uid, seriesUid: '1.2.9', sopClassUid, bytes, header: {} });
  }
  async #insert(instance: {
    readonly uid: string;
    readonly seriesUid: string;
    readonly sopClassUid: string;
    readonly bytes: Buffer;
    readonly header: InstanceHeader;
  }): Promise<void> {
    const { uid, seriesUid, sopClassUid, bytes, header } = instance;
    const path = join(this.#folder.path, 'incoming', `${uid}.dcm`);
    mkdirSync(join(this.#folder.path, 'incoming'), { recursive: true });
    writeFileSync(path, bytes);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    await this.database.write((sql) => {
      sql.run(
        `INSERT INTO study (study_id, study_uid, last_received_ms) VALUES (1, ?, ?)
         ON CONFLICT (study_uid) DO UPDATE SET last_received_ms = excluded.last_received_ms`,
        ...[STUDY, this.clock.nowMs()],
      );
      sql.run(
        `INSERT INTO instance (study_id, series_uid, sop_instance_uid, sop_class_uid,
           transfer_syntax_uid, sha256, size_bytes, path, header, calling_ae, received_ms)
         VALUES (1, ?, ?, ?, '1.2', ?, ?, ?, ?, 'PACS', ?)`,
        ...[seriesUid, uid, sopClassUid, sha256, bytes.length, path, JSON.stringify(header)],
        this.clock.nowMs(),
      );
    });
  }

  /** A stage of its own looks once, as after a restart. */
  async look(parts: Partial<AssembleDependencies> = {}): Promise<void> {
    await this.stageOf(parts).look();
  }
  /** One stage that looks whenever it is told to. */
  stageOf(parts: Partial<AssembleDependencies> = {}): { readonly look: () => Promise<void> } {
    const stage = createAssembleStage({
      ...{ database: this.database, clock: this.clock, logger: silentLogger, wake: new Wake() },
      ...{ quietMs: 1_000, onDone: () => (this.#rang += 1), ...parts },
    });
    return {
      look: async () => {
        const abort = new AbortController();
        const running = stage.run(abort.signal);
        for (let turn = 0; turn < 30; turn += 1) await new Promise(setImmediate);
        abort.abort();
        await running;
      },
    };
  }

  all<T extends object = Row>(sql: string): T[] {
    return this.database.read((rows) => rows.all<T>(sql));
  }
  /** Images of a revision. */
  manifest(revision: number): string[] {
    return this.all<{ uid: string }>(
      `SELECT sop_instance_uid AS uid FROM revision_instance
        WHERE of_revision = ${revision} ORDER BY instance_id`,
    ).map(({ uid }) => uid);
  }
}
