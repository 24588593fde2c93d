/**
 * Closes a revision of a study: which images it has, and what that means for older ones.
 * Decides that a revision is a list of images with a digest: what came up to it, less what notes
 * reject. Invariants: all of it in the transaction of the caller; an image belongs to the first
 * revision that was closed after it came; a study with an unread note is not closed.
 * Source: hazard H7; IHE RAD TF-3 4.66.
 */
import { recordJournal, withdrawJobs, type Sql } from '@aifi/gateway-database';
import { objectsDigest, type Sha256 } from '@aifi/shared-kernel';

export interface Closing {
  readonly studyId: number;
  readonly revision: number;
  readonly atMs: number;
  /** An early one takes these series only. @default a complete one: every image */
  readonly early?: { readonly series: readonly string[] } | undefined;
}
export interface ClosedRevision {
  /** New in it. */
  readonly taken: number;
  readonly instances: number;
  readonly manifestSha256: Sha256;
}

export function closeRevision(sql: Sql, closing: Closing): ClosedRevision {
  const { studyId, revision, atMs, early } = closing;
  const kind = early ? 'early' : 'complete';
  const taken = sql.run(
    `UPDATE instance SET revision = ?1 WHERE study_id = ?2 AND revision IS NULL
       AND (?3 IS NULL OR series_uid IN (SELECT value FROM json_each(?3)))`,
    ...[revision, studyId, early ? JSON.stringify(early.series) : null],
  );
  sql.run('UPDATE study SET revision = ? WHERE study_id = ?', revision, studyId);
  sql.run(
    `INSERT INTO study_revision (study_id, revision, closed_ms, state)
     VALUES (?, ?, ?, 'ASSEMBLED')`,
    ...[studyId, revision, atMs],
  );
  const rejected = reject(sql, closing);
  const { instances, manifestSha256 } = readManifest(sql, closing);
  sql.run(
    `INSERT INTO revision_manifest (study_id, revision, kind, instances, manifest_sha256)
     VALUES (?, ?, ?, ?, ?)`,
    ...[studyId, revision, kind, instances, manifestSha256],
  );
  if (early) sql.run('INSERT OR IGNORE INTO early_study VALUES (?)', studyId);
  else sql.run('DELETE FROM early_study WHERE study_id = ?', studyId);
  recordJournal(sql, {
    ...{ studyId, stage: 'assemble', event: early ? 'started-early' : 'closed', atMs },
    detail: { revision, instances: taken, rejected, manifest: manifestSha256 },
  });
  withdrawJobs(sql, { studyId, stage: 'assemble', atMs });
  return { taken, instances, manifestSha256 };
}

/** What notes reject counts no more from this revision on. */
function reject(sql: Sql, { studyId, revision }: Closing): number {
  return sql.run(
    `UPDATE instance SET rejected_revision = ?1 WHERE study_id = ?2
       AND rejected_revision IS NULL AND revision IS NOT NULL AND sop_instance_uid IN
         (SELECT sop_instance_uid FROM rejected_instance WHERE study_id = ?2)`,
    ...[revision, studyId],
  );
}

function readManifest(
  sql: Sql,
  { studyId, revision }: Closing,
): { readonly instances: number; readonly manifestSha256: Sha256 } {
  const rows = sql.all<{ sha256: Sha256 }>(
    'SELECT sha256 FROM revision_instance WHERE study_id = ? AND of_revision = ?',
    ...[studyId, revision],
  );
  const digests = rows.map(({ sha256 }) => sha256);
  return { instances: digests.length, manifestSha256: objectsDigest(digests) };
}
