/**
 * Sql: statements inside one transaction of the hub's database.
 * Decides that values always travel as parameters, and what the work of a stage may do: run
 * statements, nothing else. TypeORM's types end here.
 * Invariant: an instance is valid only while its transaction is open.
 */
import type { QueryRunner } from 'typeorm';

/** A value of a parameter. Times are passed as Date, digests and states as text. */
export type SqlValue = string | number | boolean | Date | Uint8Array | null | readonly string[];

export class Sql {
  constructor(private readonly runner: QueryRunner) {}

  /** Rows of a SELECT or of RETURNING. BIGINT columns arrive as text unless they are cast. */
  async rows<T extends object>(statement: string, ...values: readonly SqlValue[]): Promise<T[]> {
    const { records } = await this.runner.query(statement, [...values], true);
    return records as T[];
  }
  async row<T extends object>(
    statement: string,
    ...values: readonly SqlValue[]
  ): Promise<T | undefined> {
    return (await this.rows<T>(statement, ...values))[0];
  }
  /** Rows changed. */
  async run(statement: string, ...values: readonly SqlValue[]): Promise<number> {
    const { affected } = await this.runner.query(statement, [...values], true);
    return affected ?? 0;
  }
}
