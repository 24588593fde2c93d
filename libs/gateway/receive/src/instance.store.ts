/**
 * InstanceStore: rows of received instances, and the folder that must agree with them.
 * Decides what a repeated instance is: the same bytes again are no new work, other bytes under the
 * same UID are kept and marked as a conflict. Invariant: file first, row second; the sweep at start
 * removes what a crash left in between.
 * Source: reliability specification 2 (durability contract, P0).
 */
import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { recordJournal, type GatewayDatabase, type Sql } from '@aifi/gateway-database';
import { crashPoint } from '@aifi/shared-kernel';
import type { ReceivedInstance } from './listener-messages.js';

export type RecordOutcome = 'stored' | 'conflict' | 'duplicate';

export class InstanceStore {
  constructor(
    private readonly database: GatewayDatabase,
    private readonly incomingFolder: string,
  ) {}

  /** Durable on return. The file of a duplicate is removed again. */
  async record(instance: ReceivedInstance, receivedMs: number): Promise<RecordOutcome> {
    crashPoint('gateway.receive.before-row');
    const outcome = await this.database.write((sql) => this.#insert(sql, instance, receivedMs));
    crashPoint('gateway.receive.after-row');
    if (outcome === 'duplicate') await this.discard(instance);
    return outcome;
  }

  /** Removes the file of an instance that has no row. */
  async discard({ fileName }: ReceivedInstance): Promise<void> {
    await rm(join(this.incomingFolder, fileName), { force: true });
  }

  #insert(sql: Sql, instance: ReceivedInstance, receivedMs: number): RecordOutcome {
    const { sopInstanceUid, sha256 } = instance;
    const others = sql.all<{ sha256: string }>(
      'SELECT sha256 FROM instance WHERE sop_instance_uid = ?',
      sopInstanceUid,
    );
    if (others.some((other) => other.sha256 === sha256)) return 'duplicate';
    const study = sql.get<{ study_id: number }>(
      `INSERT INTO study (study_uid, last_received_ms) VALUES (?, ?)
         ON CONFLICT (study_uid) DO UPDATE SET last_received_ms = excluded.last_received_ms
         RETURNING study_id`,
      instance.studyInstanceUid,
      receivedMs,
    )!;
    const conflict = others.length > 0 ? 1 : 0;
    sql.run(
      `INSERT INTO instance (study_id, series_uid, sop_instance_uid, sop_class_uid,
         transfer_syntax_uid, sha256, size_bytes, path, header, calling_ae, received_ms, conflict)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      study.study_id,
      instance.seriesInstanceUid,
      sopInstanceUid,
      instance.sopClassUid,
      instance.transferSyntaxUid,
      sha256,
      instance.sizeBytes,
      join(this.incomingFolder, instance.fileName),
      JSON.stringify(instance.header),
      instance.callingAeTitle,
      receivedMs,
      conflict,
    );
    recordJournal(sql, {
      studyId: study.study_id,
      stage: 'receive',
      event: 'received',
      atMs: receivedMs,
      detail: { sizeBytes: instance.sizeBytes, conflict },
    });
    return conflict === 1 ? 'conflict' : 'stored';
  }

  /**
   * Makes folder and rows agree while nobody writes: files without a row go (their sender had no
   * answer and sends again). Returns how many files went and how many rows have lost their file.
   */
  async sweep(): Promise<{ readonly removed: number; readonly missing: number }> {
    const rows = this.database.read((sql) =>
      sql.all<{ path: string }>('SELECT path FROM instance'),
    );
    const known = new Set(rows.map(({ path }) => basename(path)));
    const names = await readdir(this.incomingFolder);
    const unknown = names.filter((name) => !known.has(name));
    for (const name of unknown) await rm(join(this.incomingFolder, name), { force: true });
    return { removed: unknown.length, missing: known.size + unknown.length - names.length };
  }
}
