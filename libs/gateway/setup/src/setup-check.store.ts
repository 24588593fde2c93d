/**
 * SetupCheckStore: how each check ended the last time, so that progress outlives a restart.
 * Decides nothing. Invariant: a row is of the last run of its check, with whom it asked.
 */
import { SETUP_CHECKS, type SetupCheck, type SetupView } from '@aifi/contracts-rest';
import type { GatewayDatabase } from '@aifi/gateway-database';
import type { CheckOutcome } from './pacs-checks.js';

type CheckView = SetupView['checks'][number];
interface Row {
  readonly name: string;
  readonly state: CheckView['state'];
  readonly findings: string;
  readonly target: string;
  readonly at_ms: number;
  readonly duration_ms: number;
}
export interface CheckRecord extends CheckOutcome {
  readonly name: SetupCheck;
  readonly target: string;
  readonly atMs: number;
  readonly durationMs: number;
}

export class SetupCheckStore {
  constructor(private readonly database: GatewayDatabase) {}

  record({ name, state, findings, target, atMs, durationMs }: CheckRecord): Promise<number> {
    return this.database.write((sql) =>
      sql.run(
        `INSERT OR REPLACE INTO setup_check (name, state, findings, target, at_ms, duration_ms)
           VALUES (?, ?, ?, ?, ?, ?)`,
        ...[name, state, JSON.stringify(findings), target, atMs, Math.round(durationMs)],
      ),
    );
  }

  /** Every check in its order, also those that never ran. */
  list(): CheckView[] {
    const rows = this.database.read((sql) => sql.all<Row>('SELECT * FROM setup_check'));
    return SETUP_CHECKS.map((name) => {
      const row = rows.find((one) => one.name === name);
      if (!row) {
        const never = { atMs: null, durationMs: null, target: null };
        return { name, state: 'not-run', findings: [], ...never };
      }
      const { state, target, at_ms: atMs, duration_ms: durationMs } = row;
      const findings = JSON.parse(row.findings) as CheckView['findings'];
      return { name, state, findings, target, atMs, durationMs };
    });
  }
}
