/**
 * Probe: every 15 minutes, whether everything but a C-STORE works: our listener, the rules, the
 * link to the hub, and the PACS by C-ECHO and C-FIND.
 * Decides that the steps go in order and the first that fails ends the run and names it.
 * Invariants: no object is sent and no study of a patient is asked for; each step has a deadline;
 * there is one run at a time, and a fault of the probe never ends the gateway.
 * Source: features specification 18 (self-test); monitoring by `aifi_probe_success`.
 */
import { PROBE_STEPS, type ProbeRunView, type ProbeStep } from '@aifi/contracts-rest';
import type { GatewayDatabase } from '@aifi/gateway-database';
import { AifiError, type Clock, type Stage } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';

/** [features 18] @unit ms */
export const PROBE_INTERVAL_MS = 15 * 60_000;
/** After a start the link needs some time to come up. @unit ms */
const FIRST_AFTER_MS = 60_000;
/** A step that takes longer has failed. @unit ms */
const STEP_MS_MAX = 30_000;
/** Ten days of runs. */
const RUNS_KEPT = 1_000;

export interface ProbeOptions {
  readonly database: GatewayDatabase;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Resolves when the step is well; else rejects. */
  readonly steps: Readonly<Record<ProbeStep, () => Promise<void>>>;
  readonly onChange: () => void;
}
interface Row {
  readonly at_ms: number;
  readonly duration_ms: number;
  readonly failed_at: ProbeStep | null;
  readonly code: string | null;
}

export class Probe {
  readonly stage: Stage;
  #run: Promise<ProbeRunView> | undefined;

  constructor(private readonly options: ProbeOptions) {
    this.stage = { name: 'probe', run: (signal) => this.#runEvery(signal) };
  }

  get isRunning(): boolean {
    return this.#run !== undefined;
  }
  /** Newest first. */
  list(limit: number): ProbeRunView[] {
    const rows = this.options.database.read((sql) =>
      sql.all<Row>('SELECT * FROM probe_run ORDER BY probe_id DESC LIMIT ?', limit),
    );
    return rows.map(({ at_ms: atMs, duration_ms: durationMs, failed_at: failedAt, code }) => ({
      ...{ atMs, durationMs, failedAt, code },
    }));
  }

  /** A run, or the one that is under way; on record when it resolves. */
  run(): Promise<ProbeRunView> {
    this.#run ??= this.#once().finally(() => {
      this.#run = undefined;
      this.options.onChange();
    });
    return this.#run;
  }

  async #once(): Promise<ProbeRunView> {
    const { clock, database, logger } = this.options;
    const [atMs, startMs] = [clock.nowMs(), clock.monotonicMs()];
    const failure = await this.#firstFailure();
    const durationMs = Math.round(clock.monotonicMs() - startMs);
    const run = { atMs, durationMs, failedAt: failure?.step ?? null, code: failure?.code ?? null };
    await database.write((sql) => {
      const id = sql.insert(
        'INSERT INTO probe_run (at_ms, duration_ms, failed_at, code) VALUES (?, ?, ?, ?)',
        ...[atMs, durationMs, run.failedAt, run.code],
      );
      sql.run('DELETE FROM probe_run WHERE probe_id <= ?', id - RUNS_KEPT);
    });
    if (failure) logger.warn('the probe failed', { stage: failure.step, code: failure.code });
    return run;
  }

  async #firstFailure(): Promise<{ readonly step: ProbeStep; readonly code: string } | undefined> {
    for (const step of PROBE_STEPS) {
      const over = new AbortController();
      const late = this.options.clock.sleep(STEP_MS_MAX, over.signal).then(() => {
        if (!over.signal.aborted) throw new AifiError('DEADLINE_EXCEEDED', 'a step took too long');
      });
      late.catch(() => undefined);
      try {
        await Promise.race([this.options.steps[step](), late]);
      } catch (error) {
        return { step, code: AifiError.from(error).code };
      } finally {
        over.abort();
      }
    }
    return undefined;
  }

  async #runEvery(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.options;
    await clock.sleep(FIRST_AFTER_MS, signal);
    while (!signal.aborted) {
      await this.run().catch((error: unknown) => logger.fault('the probe was not recorded', error));
      await clock.sleep(PROBE_INTERVAL_MS, signal);
    }
  }
}
