/**
 * The pseudonym of a job's study as a column, and the indexes of the study list.
 * Decides that the list is found by index in every form: all sites, one site, by state, by study.
 * Invariant: cross-site work sees the pseudonym (a named exception of guard C3), never the manifest
 * that it came from. Source: reliability specification C3 (named queue columns).
 */
import type { MigrationInterface, QueryRunner } from 'typeorm';

// The owner is bound by FORCE as well and would see no row to fill; both statements are in the
// migration's own transaction. Manifests are canonical JSON in UTF-8, checked at ingest.
const FILL = `
ALTER TABLE study_job ADD COLUMN study_pseudonym TEXT;
ALTER TABLE study_job NO FORCE ROW LEVEL SECURITY;
UPDATE study_job
  SET study_pseudonym = convert_from(manifest, 'UTF8')::jsonb ->> 'studyInstanceUid';
ALTER TABLE study_job FORCE ROW LEVEL SECURITY;
ALTER TABLE study_job ALTER COLUMN study_pseudonym SET NOT NULL;
GRANT SELECT (study_pseudonym) ON study_job TO aifi_jobs;
`;

// Newest first is a backward scan: each index ends in the order of the list.
const INDEXES = `
DROP INDEX study_job_by_age;
CREATE INDEX study_job_newest ON study_job (opened_at, site_id, job_id);
CREATE INDEX study_job_newest_of_site ON study_job (site_id, opened_at, job_id);
CREATE INDEX study_job_newest_in_state ON study_job (state, opened_at, site_id, job_id);
CREATE INDEX study_job_newest_of_site_in_state ON study_job (site_id, state, opened_at, job_id);
CREATE INDEX study_job_of_study ON study_job (study_pseudonym, opened_at, site_id, job_id);
CREATE INDEX study_job_concluded ON study_job (site_id, concluded_at)
  WHERE concluded_at IS NOT NULL;
`;

export class AddStudyPseudonym1795253832389 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(FILL);
    await runner.query(INDEXES);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of ['concluded', 'newest_of_site_in_state', 'newest_in_state']) {
      await runner.query(`DROP INDEX study_job_${name}`);
    }
    await runner.query('DROP INDEX study_job_newest_of_site, study_job_newest');
    // Its own index goes with the column.
    await runner.query('ALTER TABLE study_job DROP COLUMN study_pseudonym');
    await runner.query('CREATE INDEX study_job_by_age ON study_job (opened_at)');
  }
}
