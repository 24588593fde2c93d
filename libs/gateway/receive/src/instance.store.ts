/**
 * InstanceStore: rows of received instances, and the folder that must agree with them.
 * Decides what a repeated instance is: the same bytes again are no new work, other bytes under the
 * same UID are kept and marked as a conflict; what we made ourselves is counted and makes no work.
 * Invariants: file first, row second; the sweep at start removes what a crash left in between; a
 * product that was called by its own AE title is asked for in the transaction of the row.
 * Source: reliability specification 2 (durability contract, P0); governance specification 4.3.
 */
import { basename, join } from 'node:path';
import { decodeFileMeta } from '@aifi/dicom-core';
import {
  recordJournal,
  requestProduct,
  type GatewayDatabase,
  type IntakeWay,
  type ProductRequest,
  type Sql,
} from '@aifi/gateway-database';
import { crashPoint, isUid, LIMITS, nodeFileSystem, type FileSystem } from '@aifi/shared-kernel';
import type { CheckedInstance } from './listener-messages.js';
import type { PoisonStore } from './poison.store.js';

/** Our own file meta is about 400 bytes. @unit bytes */
const FILE_META_BYTES = 1024;

/** Returned objects that are told apart; of those before them only the journal knows. */
const RETURNED_MAX = 10_000;

/**
 * restored: the same bytes again, and our file of them had been removed or was lost; own: a result
 * or status of ours that came back.
 */
export type RecordOutcome = 'stored' | 'conflict' | 'duplicate' | 'restored' | 'own';
/** An instance as its row has it. */
export interface InstanceRow extends Omit<
  CheckedInstance,
  'header' | 'patient' | 'isOwn' | 'way' | 'calledAeTitle'
> {
  /** InstanceHeader as JSON. */
  readonly header: string;
  /** @default none */
  readonly calledAeTitle?: string;
  /** @default 'dimse' */
  readonly way?: IntakeWay;
  /** Made by this platform. @default only what this gateway has sent */
  readonly isOwn?: boolean;
  /** The product that its sender asks for. */
  readonly asks?: Pick<ProductRequest, 'product' | 'lane'> | undefined;
}
export interface Sweep {
  readonly removed: number;
  readonly missing: number;
  /** SOP Instance UIDs of objects that were being received. */
  readonly inHand: readonly string[];
}

interface KnownInstance {
  readonly instance_id: number;
  readonly study_id: number;
  readonly sha256: string;
  readonly path: string;
  readonly removed_ms: number | null;
}

export class InstanceStore {
  constructor(
    private readonly database: GatewayDatabase,
    private readonly incomingFolder: string,
    private readonly poison: PoisonStore,
    private readonly files: FileSystem = nodeFileSystem,
  ) {}

  /** Durable on return. The file of a duplicate is removed again. */
  async record(instance: InstanceRow, receivedMs: number): Promise<RecordOutcome> {
    crashPoint('gateway.receive.before-row');
    const outcome = await this.database.write((sql) => this.#insert(sql, instance, receivedMs));
    crashPoint('gateway.receive.after-row');
    if (outcome === 'duplicate' || outcome === 'own') await this.discard(instance);
    return outcome;
  }

  /** Removes the file of an instance that has no row. */
  async discard({ fileName }: Pick<CheckedInstance, 'fileName'>): Promise<void> {
    await this.files.remove(join(this.incomingFolder, fileName));
  }

  #insert(sql: Sql, instance: InstanceRow, receivedMs: number): RecordOutcome {
    const { sopInstanceUid, sha256, studyInstanceUid: studyUid, asks } = instance;
    this.poison.forget(sql, sopInstanceUid);
    if (instance.isOwn || isOfThisGateway(sql, sopInstanceUid)) {
      countReturned(sql, instance, receivedMs);
      return 'own';
    }
    // Also with images that are known: that is how the button in a PACS is pressed again.
    if (asks) requestProduct(sql, { ...asks, studyUid, source: 'ae-title', atMs: receivedMs });
    const others = sql.all<KnownInstance>(
      `SELECT instance_id, study_id, sha256, path, removed_ms FROM instance
        WHERE sop_instance_uid = ?`,
      sopInstanceUid,
    );
    const same = others.find((other) => other.sha256 === sha256);
    if (same) return this.#again(sql, same, instance, receivedMs);
    const study = sql.get<{ study_id: number }>(
      `INSERT INTO study (study_uid, last_received_ms) VALUES (?, ?)
         ON CONFLICT (study_uid) DO UPDATE SET last_received_ms = excluded.last_received_ms
         RETURNING study_id`,
      studyUid,
      receivedMs,
    )!;
    const conflict = others.length > 0 ? 1 : 0;
    sql.run(
      `INSERT INTO instance (study_id, series_uid, sop_instance_uid, sop_class_uid,
         transfer_syntax_uid, sha256, size_bytes, path, header, calling_ae, called_ae, way,
         received_ms, conflict)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      study.study_id,
      instance.seriesInstanceUid,
      sopInstanceUid,
      instance.sopClassUid,
      instance.transferSyntaxUid,
      sha256,
      instance.sizeBytes,
      join(this.incomingFolder, instance.fileName),
      instance.header,
      instance.callingAeTitle,
      instance.calledAeTitle ?? '',
      instance.way ?? 'dimse',
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
   * No new work. A file that retention had removed is there again, so that a study which is sent
   * anew with a late image is whole; and so is one that was lost: Success means that we have it.
   */
  #again(
    sql: Sql,
    { instance_id: id, study_id: studyId, path: oldPath, removed_ms: removedMs }: KnownInstance,
    { fileName }: InstanceRow,
    atMs: number,
  ): RecordOutcome {
    if (removedMs === null && this.files.exists(oldPath)) return 'duplicate';
    const path = join(this.incomingFolder, fileName);
    sql.run('UPDATE instance SET path = ?, removed_ms = NULL WHERE instance_id = ?', path, id);
    sql.run('UPDATE study SET last_received_ms = ? WHERE study_id = ?', atMs, studyId);
    recordJournal(sql, { studyId, stage: 'receive', event: 'restored', atMs });
    return 'restored';
  }

  /**
   * Makes folder and rows agree while nobody writes: files without a row go (their sender had no
   * answer and sends again). Tells how many objects went and which, and how many rows have lost
   * their file. Empty files were made ahead: they are no objects.
   */
  async sweep(): Promise<Sweep> {
    // Names first: what retention removes in between has neither a name nor a row that counts.
    const names = await this.files.names(this.incomingFolder);
    const rows = this.database.read((sql) =>
      sql.all<{ path: string }>('SELECT path FROM instance WHERE removed_ms IS NULL'),
    );
    const known = new Set(rows.map(({ path }) => basename(path)));
    const inHand: string[] = [];
    let removed = 0;
    for (const name of names.filter((present) => !known.delete(present))) {
      const path = join(this.incomingFolder, name);
      const start = await this.#startOf(path);
      if (start.length > 0) removed += 1;
      if (inHand.length < 2 * LIMITS.associationsMax) inHand.push(...instanceUidIn(start));
      await this.files.remove(path);
    }
    return { removed, missing: known.size, inHand };
  }

  #startOf(path: string): Promise<Uint8Array> {
    return this.files.start(path, FILE_META_BYTES).catch((error: NodeJS.ErrnoException) => {
      // Removed in between by retention.
      if (error.code === 'ENOENT') return new Uint8Array(0);
      throw error;
    });
  }
}

function isOfThisGateway(sql: Sql, sopInstanceUid: string): boolean {
  const own = sql.get(
    `SELECT 1 FROM delivery WHERE sop_instance_uid = ?1
      UNION ALL SELECT 1 FROM status_object WHERE sop_instance_uid = ?1 LIMIT 1`,
    sopInstanceUid,
  );
  return own !== undefined;
}

/** In the journal once per object: a PACS that sends it round and round fills nothing. */
function countReturned(sql: Sql, instance: InstanceRow, atMs: number): void {
  const { sopInstanceUid, studyInstanceUid, callingAeTitle } = instance;
  const { count } = sql.get<{ count: number }>(
    `INSERT INTO returned_object (sop_instance_uid, study_uid, series_uid, calling_ae, first_ms,
       last_ms, count) VALUES (?1, ?4, ?5, ?2, ?3, ?3, 1)
       ON CONFLICT (sop_instance_uid) DO UPDATE SET count = count + 1, last_ms = ?3,
         calling_ae = ?2 RETURNING count`,
    ...[sopInstanceUid, callingAeTitle, atMs, studyInstanceUid, instance.seriesInstanceUid],
  )!;
  if (count > 1) return;
  sql.run(
    `DELETE FROM returned_object WHERE rowid <= (SELECT MAX(rowid) FROM returned_object) - ?`,
    RETURNED_MAX,
  );
  const study = sql.get<{ study_id: number }>(
    'SELECT study_id FROM study WHERE study_uid = ?',
    studyInstanceUid,
  );
  if (!study) return;
  recordJournal(sql, { studyId: study.study_id, stage: 'receive', event: 'came-back', atMs });
}

/** The object that a file was begun for; none when it did not get that far. */
function instanceUidIn(start: Uint8Array): string[] {
  try {
    const { sopInstanceUid } = decodeFileMeta(start).meta;
    return isUid(sopInstanceUid) ? [sopInstanceUid] : [];
  } catch {
    return [];
  }
}
