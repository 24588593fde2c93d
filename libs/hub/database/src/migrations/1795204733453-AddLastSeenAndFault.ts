/**
 * When a site was last heard, and why the last try of a job failed: for traces only.
 * Decides that the queue's own role may write the fault beside the attempts.
 * Invariant: a fault is a code of a catalogue, never a text. Source: issue 3 item 4 (aifictl).
 */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AddLastSeenAndFault1795204733453 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE site ADD COLUMN last_seen_at TIMESTAMPTZ');
    await runner.query('ALTER TABLE inference_job ADD COLUMN last_fault TEXT');
    await runner.query('GRANT UPDATE (last_fault) ON inference_job TO aifi_jobs');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE inference_job DROP COLUMN last_fault');
    await runner.query('ALTER TABLE site DROP COLUMN last_seen_at');
  }
}
