/**
 * SetupRunner: runs checks against the PACS one after the other, for a person at the page.
 * Decides that there is one run at a time, that a stop ends it after the request in hand at the
 * latest, and that each outcome is on record before the next check begins.
 * Invariant: a fault of a check is a finding of that check; the run goes on.
 */
import type { CommitmentReport, ScuPeer } from '@aifi/dicom-dimse';
import { SETUP_CHECKS, type SetupCheck, type SetupFacts } from '@aifi/contracts-rest';
import type { GatewayDatabase } from '@aifi/gateway-database';
import { AifiError, type Clock } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import { CommitmentReports } from './commitment-reports.js';
import { inboundOutcome } from './inbound-check.js';
import { PacsChecks, type CheckOutcome } from './pacs-checks.js';
import { factsOf } from './peer-finding.js';
import { SetupCheckStore } from './setup-check.store.js';

/** A PACS of the same hospital answers in a fraction of it; somebody waits. @unit ms */
const TIMEOUT_MS = 10_000;
/** Half of the wait for a report: on the association, then on one of the PACS. @unit ms */
const REPORT_MS = 5_000;

/** Callers that are remembered: more than a hospital lets in. */
const SEEN_MAX = 100;

export interface SetupRunnerOptions {
  readonly database: GatewayDatabase;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onChange: () => void;
  /** @unit ms @default 10000 */
  readonly timeoutMs?: number;
  /** @unit ms @default 5000 */
  readonly reportMs?: number;
}
/** Whom to ask, and how. */
export interface SetupOrder {
  readonly checks: readonly SetupCheck[];
  readonly mayStore: boolean;
  readonly peer: ScuPeer;
  readonly isCommitmentWanted: boolean;
  /** Our listener takes a report of this PACS. */
  readonly canReport: boolean;
  /** Where the PACS reaches us. */
  readonly own: SetupFacts;
}

export class SetupRunner {
  readonly store: SetupCheckStore;
  readonly #reports = new CommitmentReports();
  /** When a caller was last let in, by its AE title. */
  readonly #seenMs = new Map<string, number>();
  #run: { readonly stopping: AbortController; readonly done: Promise<void> } | undefined;

  constructor(private readonly options: SetupRunnerOptions) {
    this.store = new SetupCheckStore(options.database);
  }

  get isRunning(): boolean {
    return this.#run !== undefined;
  }
  /** True when the report was of a test object of ours. */
  takeReport(report: CommitmentReport): boolean {
    return this.#reports.take(report);
  }

  /** A caller was let in at the listener. */
  seen(callingAeTitle: string): void {
    const [oldest] = this.#seenMs.size < SEEN_MAX ? [] : this.#seenMs.keys();
    if (oldest !== undefined) this.#seenMs.delete(oldest);
    this.#seenMs.set(callingAeTitle, this.options.clock.nowMs());
  }

  /** Begins; STATE_CONFLICT while another run goes on. */
  start(order: SetupOrder): void {
    if (this.#run) throw new AifiError('STATE_CONFLICT', 'checks are running already');
    const stopping = new AbortController();
    const done = this.#runAll(order, stopping.signal)
      .catch((error: unknown) => this.options.logger.fault('a check was not recorded', error))
      .finally(() => {
        this.#run = undefined;
        this.options.onChange();
      });
    this.#run = { stopping, done };
    this.options.onChange();
  }
  /** Resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.#run?.stopping.abort();
    await this.#run?.done;
  }

  async #runAll(order: SetupOrder, signal: AbortSignal): Promise<void> {
    const { clock, onChange, timeoutMs = TIMEOUT_MS, reportMs = REPORT_MS } = this.options;
    const { peer, own } = order;
    const reports = this.#reports;
    const checks = new PacsChecks({ ...order, clock, timeoutMs, reportMs, reports });
    const target = `${peer.calledAeTitle}@${peer.host}:${peer.port}`;
    // The given order does not matter: what stores comes before what looks for it.
    for (const name of SETUP_CHECKS.filter((one) => order.checks.includes(one))) {
      if (signal.aborted) return;
      const [atMs, startMs] = [clock.nowMs(), clock.monotonicMs()];
      const facts = { ...factsOf(peer, timeoutMs), ...own };
      const outcome = await this.#outcomeOf(name, checks, facts);
      const durationMs = clock.monotonicMs() - startMs;
      await this.store.record({ name, ...outcome, target, atMs, durationMs });
      onChange();
    }
  }

  async #outcomeOf(name: SetupCheck, checks: PacsChecks, facts: SetupFacts): Promise<CheckOutcome> {
    const { database, clock } = this.options;
    if (name !== 'inbound') return checks.run(name);
    const seenMs = this.#seenMs.get(facts.calledAeTitle ?? '');
    return inboundOutcome(database, { facts, seenMs, nowMs: clock.nowMs() });
  }
}
