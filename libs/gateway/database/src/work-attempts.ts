/**
 * WorkAttempts: how often a process died while it parsed the input of a job.
 * Decides that a try is on record before the first byte is parsed and off it once the parser has
 * come back, with or without a result: so only a death of the process stays counted.
 * Invariant: what was begun three times and never ended is not begun again.
 * Source: reliability specification P0 (attempt counter before parsing, quarantined at 3).
 */
import { crashPoint, LIMITS, type Clock, type JobId } from '@aifi/shared-kernel';
import type { GatewayDatabase } from './gateway-database.js';

const CRASH_POINTS = {
  pseudonymise: 'gateway.pseudonymise.after-attempt',
  reidentify: 'gateway.reidentify.after-attempt',
} as const;

export class WorkAttempts {
  constructor(
    private readonly database: GatewayDatabase,
    private readonly clock: Pick<Clock, 'nowMs'>,
    private readonly stage: keyof typeof CRASH_POINTS,
  ) {}

  /** Puts a try on record; false when the job is poison and must not be parsed. */
  async begin(jobId: JobId | string): Promise<boolean> {
    const { attempts } = await this.database.write((sql) => {
      const row = sql.get<{ attempts: number }>(
        'SELECT attempts FROM work_attempt WHERE job_id = ? AND stage = ?',
        ...[jobId, this.stage],
      );
      if ((row?.attempts ?? 0) < LIMITS.parseAttemptsMax) {
        sql.run(
          `INSERT INTO work_attempt VALUES (?, ?, 1, ?) ON CONFLICT (job_id, stage)
             DO UPDATE SET attempts = attempts + 1, last_ms = excluded.last_ms`,
          ...[jobId, this.stage, this.clock.nowMs()],
        );
      }
      return { attempts: row?.attempts ?? 0 };
    });
    crashPoint(CRASH_POINTS[this.stage]);
    return attempts < LIMITS.parseAttemptsMax;
  }

  /** The parser has come back. */
  async ended(jobId: JobId | string): Promise<void> {
    await this.database.write((sql) =>
      sql.run('DELETE FROM work_attempt WHERE job_id = ? AND stage = ?', ...[jobId, this.stage]),
    );
  }

  /** Runs the parser as one try; undefined when the job is poison. */
  async parse<T>(jobId: JobId | string, work: () => Promise<T>): Promise<T | undefined> {
    if (!(await this.begin(jobId))) return undefined;
    try {
      return await work();
    } finally {
      await this.ended(jobId);
    }
  }
}
