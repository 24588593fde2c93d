/**
 * Studies that arrive: those with images in no revision, or whose newest revision is an early one.
 * Decides what is told of each series: images that notes reject do not count.
 * Invariant: one bounded look; what is more comes with the next.
 */
import type { InstanceHeader, Sql } from '@aifi/gateway-database';
import type { OriginalUid } from '@aifi/shared-kernel';
import type { ArrivedSeries } from './completeness.js';

export interface StudyRow {
  readonly studyId: number;
  readonly studyUid: OriginalUid;
  /** Last one that was closed. */
  readonly revision: number;
  readonly lastReceivedMs: number;
  /** 1: a complete revision has been closed. */
  readonly wasComplete: number;
}

export function arrivingStudies(sql: Sql): readonly StudyRow[] {
  return sql.all<StudyRow>(
    `SELECT study_id AS studyId, study_uid AS studyUid, revision,
       last_received_ms AS lastReceivedMs,
       EXISTS (SELECT 1 FROM whole_revision w WHERE w.study_id = study.study_id) AS wasComplete
     FROM study WHERE study_id IN
       (SELECT study_id FROM instance WHERE revision IS NULL UNION SELECT study_id FROM early_study)
     ORDER BY study_id`,
  );
}

interface SeriesRow extends Omit<ArrivedSeries, 'header'> {
  readonly header: string;
}

export function arrivedSeries(sql: Sql, studyId: number): readonly ArrivedSeries[] {
  const rows = sql.all<SeriesRow>(
    `WITH counted AS (
       SELECT series_uid, COUNT(*) AS instances, SUM(revision IS NULL) AS open,
         MIN(instance_id) AS first_id, MAX(instance_id) AS last_id, MAX(received_ms) AS last_ms
       FROM instance i WHERE study_id = ?1 AND rejected_revision IS NULL AND NOT EXISTS (
         SELECT 1 FROM rejected_instance r
          WHERE r.study_id = ?1 AND r.sop_instance_uid = i.sop_instance_uid)
       GROUP BY series_uid)
     SELECT counted.series_uid AS seriesUid, instances, open, first_id AS firstId,
       last_id AS lastId, last_ms AS lastReceivedMs, calling_ae AS callingAeTitle, header
     FROM counted JOIN instance ON instance_id = first_id ORDER BY first_id`,
    studyId,
  );
  return rows.map((row) => ({ ...row, header: JSON.parse(row.header) as InstanceHeader }));
}
