/**
 * Vault: the linkage between identity and pseudonym, in a database file of its own.
 * Decides what a job was sent as, which original a pseudonymous UID stands for, and who the patient
 * is now. Invariants: recording twice changes nothing; as sent never changes; history only grows.
 * Source: architecture 4; reliability specification C5, C7, P1.
 */
import { GatewayDatabase, type Sql } from '@aifi/gateway-database';
import {
  canonicalJson,
  invariant,
  type JobId,
  type OriginalUid,
  type PseudonymousUid,
} from '@aifi/shared-kernel';
import type { Identity } from './identity.js';
import { VAULT_MIGRATIONS } from './vault-migrations.js';

/** What one job was sent as. */
export interface Linkage {
  readonly jobId: JobId;
  readonly studyUid: OriginalUid;
  readonly seriesUid: OriginalUid;
  readonly pseudonymousStudyUid: PseudonymousUid;
  /** Epoch of the site keys. */
  readonly epoch: number;
  /** Immutable (guard C5). */
  readonly asSent: Identity;
}

/** Who told the gateway about an identity. */
export type IdentitySource = 'received';

interface LinkageRow {
  readonly job_id: JobId;
  readonly study_uid: OriginalUid;
  readonly series_uid: OriginalUid;
  readonly pseudo_study_uid: PseudonymousUid;
  readonly epoch: number;
  readonly as_sent: string;
}

export class Vault {
  private constructor(private readonly database: GatewayDatabase) {}

  /** Opens or creates the vault's database (mode 0600). */
  static open(path: string): Vault {
    return new Vault(GatewayDatabase.open(path, VAULT_MIGRATIONS));
  }

  /**
   * Makes linkage, UID map and received identity durable, in one transaction. Safe to repeat with
   * the same values; INTERNAL when the job is linked to something else already.
   */
  async recordLinkage(
    linkage: Linkage,
    uids: ReadonlyMap<PseudonymousUid, OriginalUid>,
    atMs: number,
  ): Promise<void> {
    const { jobId, studyUid, seriesUid, pseudonymousStudyUid, epoch, asSent } = linkage;
    await this.database.write((sql) => {
      sql.run(
        `INSERT OR IGNORE INTO linkage
           (job_id, study_uid, series_uid, pseudo_study_uid, epoch, as_sent, created_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
        ...[jobId, studyUid, seriesUid, pseudonymousStudyUid, epoch, canonicalJson(asSent), atMs],
      );
      const stored = linkageOf(sql, jobId);
      invariant(canonicalJson(stored) === canonicalJson(linkage), 'the job is linked otherwise');
      for (const [pseudonym, original] of uids) {
        sql.run('INSERT OR IGNORE INTO linkage_uid VALUES (?, ?, ?)', jobId, pseudonym, original);
      }
      appendIdentity(sql, { studyUid, identity: asSent, source: 'received', atMs });
    });
  }

  /** What the job was sent as; undefined when it is not ours. */
  linkage(jobId: JobId): Linkage | undefined {
    return this.database.read((sql) => linkageOf(sql, jobId));
  }

  /** The original behind a pseudonymous UID of this job. */
  originalUid(jobId: JobId, pseudonym: string): OriginalUid | undefined {
    return this.database.read(
      (sql) =>
        sql.get<{ original_uid: OriginalUid }>(
          'SELECT original_uid FROM linkage_uid WHERE job_id = ? AND pseudo_uid = ?',
          jobId,
          pseudonym,
        )?.original_uid,
    );
  }

  /** Who the patient of this study is now: the newest row of the history. */
  currentIdentity(studyUid: OriginalUid): Identity | undefined {
    const row = this.database.read((sql) =>
      sql.get<{ identity: string }>(
        'SELECT identity FROM identity_history WHERE study_uid = ? ORDER BY sequence DESC LIMIT 1',
        studyUid,
      ),
    );
    return row && (JSON.parse(row.identity) as Identity);
  }

  close(): void {
    this.database.close();
  }
}

function linkageOf(sql: Sql, jobId: JobId): Linkage | undefined {
  const row = sql.get<LinkageRow & object>(
    `SELECT job_id, study_uid, series_uid, pseudo_study_uid, epoch, as_sent
     FROM linkage WHERE job_id = ?`,
    jobId,
  );
  return (
    row && {
      jobId: row.job_id,
      studyUid: row.study_uid,
      seriesUid: row.series_uid,
      pseudonymousStudyUid: row.pseudo_study_uid,
      epoch: row.epoch,
      asSent: JSON.parse(row.as_sent) as Identity,
    }
  );
}

interface HistoryEntry {
  readonly studyUid: OriginalUid;
  readonly identity: Identity;
  readonly source: IdentitySource;
  readonly atMs: number;
}

/**
 * Appends an identity unless the study's history has it already: a second job over the same images
 * must not bring back an identity that was corrected in between.
 */
function appendIdentity(sql: Sql, { studyUid, identity, source, atMs }: HistoryEntry): void {
  const text = canonicalJson(identity);
  sql.run(
    `INSERT INTO identity_history (study_uid, sequence, identity, source, at_ms)
     SELECT ?, 1 + COALESCE((SELECT MAX(sequence) FROM identity_history WHERE study_uid = ?), 0),
            ?, ?, ?
     WHERE NOT EXISTS (SELECT 1 FROM identity_history WHERE study_uid = ? AND identity = ?)`,
    ...[studyUid, studyUid, text, source, atMs, studyUid, text],
  );
}
