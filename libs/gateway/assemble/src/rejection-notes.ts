/**
 * Rejection notes that came in: read once, before the revision that holds them is closed.
 * Decides what a note rejects in its study, come or not; a document that rejects nothing, or cannot
 * be read, is on record as that. Invariants: a note that a fault of the day hides is read again,
 * and its study waits that long, a few times at most; nothing of it is logged but numbers.
 * Source: IHE RAD TF-3 4.66.
 */
import { KEY_OBJECT_SELECTION, readPart10Header, rejectionNoteOf } from '@aifi/dicom-core';
import { recordJournal, type GatewayDatabase, type Sql } from '@aifi/gateway-database';
import {
  AifiError,
  crashPoint,
  nodeFileSystem,
  type Clock,
  type FileSystem,
} from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';

/** Notes of one look. */
const NOTES_MAX = 100;
/** Reads of a file that may only be in trouble for now. */
const READS_MAX = 5;
/** A note of a whole study has about 20 kB for 100 images. @unit bytes */
const NOTE_BYTES_MAX = 16 * 1024 * 1024;

export interface NotesDependencies {
  readonly database: GatewayDatabase;
  readonly clock: Clock;
  readonly logger: Logger;
  /** @default the disk of this machine */
  readonly files?: FileSystem | undefined;
}

interface NoteRow {
  readonly instance_id: number;
  readonly study_id: number;
  readonly path: string;
  readonly size_bytes: number;
}
interface ReadNote {
  readonly title: string | null;
  readonly instances: readonly string[];
}

const UNREAD = `
  FROM instance i WHERE revision IS NULL AND sop_class_uid = '${KEY_OBJECT_SELECTION}'
    AND NOT EXISTS (SELECT 1 FROM rejection_note n WHERE n.instance_id = i.instance_id)`;

/** Whether a study has a document that was not looked at: its revision has to wait. */
export function hasUnreadNote(sql: Sql, studyId: number): boolean {
  return sql.get(`SELECT 1 ${UNREAD} AND study_id = ? LIMIT 1`, studyId) !== undefined;
}

export class RejectionNotes {
  /** Failed reads by row, since the process began. */
  readonly #failures = new Map<number, number>();

  constructor(private readonly dependencies: NotesDependencies) {}

  /** Reads what has come since the last look. */
  async readAll(): Promise<void> {
    const { database } = this.dependencies;
    const rows = database.read((sql) =>
      sql.all<NoteRow>(
        `SELECT instance_id, study_id, path, size_bytes ${UNREAD}
         ORDER BY instance_id LIMIT ${NOTES_MAX}`,
      ),
    );
    for (const row of rows) {
      const note = await this.#read(row);
      if (!note) continue;
      crashPoint('gateway.assemble.before-note');
      await database.write((sql) => this.#record(sql, row, note));
      crashPoint('gateway.assemble.after-note');
    }
  }

  /** Undefined: try again. */
  async #read(row: NoteRow): Promise<ReadNote | undefined> {
    const { files = nodeFileSystem, logger } = this.dependencies;
    try {
      if (row.size_bytes > NOTE_BYTES_MAX) {
        throw new AifiError('LIMIT_EXCEEDED', 'a key object document is too long');
      }
      const { dataset } = await readPart10Header(row.path, files);
      const note = rejectionNoteOf(dataset);
      this.#failures.delete(row.instance_id);
      return note ?? { title: null, instances: [] };
    } catch (error) {
      const fault = AifiError.from(error);
      const failures = (this.#failures.get(row.instance_id) ?? 0) + 1;
      this.#failures.set(row.instance_id, failures);
      const isForGood = fault.code === 'DICOM_MALFORMED' || fault.code === 'LIMIT_EXCEEDED';
      if (!isForGood && failures < READS_MAX) return undefined;
      this.#failures.delete(row.instance_id);
      logger.fault('a key object document cannot be read and rejects nothing', fault, {
        stage: 'assemble',
      });
      return { title: null, instances: [] };
    }
  }

  #record(sql: Sql, row: NoteRow, { title, instances }: ReadNote): void {
    const { instance_id: instanceId, study_id: studyId } = row;
    const isNew = sql.run(
      'INSERT OR IGNORE INTO rejection_note VALUES (?, ?, ?)',
      ...[instanceId, title, instances.length],
    );
    if (isNew === 0 || title === null) return;
    for (const uid of instances) {
      sql.run('INSERT OR IGNORE INTO rejected_instance VALUES (?, ?, ?)', studyId, uid, title);
    }
    recordJournal(sql, {
      ...{ studyId, stage: 'assemble', event: 'rejection-noted' },
      atMs: this.dependencies.clock.nowMs(),
      detail: { title, instances: instances.length },
    });
  }
}
