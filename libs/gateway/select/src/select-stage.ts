/**
 * Select: study revisions to jobs, one per deployed product; requests by name to answers.
 * Decides what may leave the hospital at all, with the hub's signed rules evaluated here.
 * Invariants: without valid rules nothing is selected and nothing is lost (the revision waits);
 * every deployed product gets exactly one job row per revision, also when it says no.
 * Source: architecture 2 (select); governance specification 4.3.
 */
import {
  crashPoint,
  newJobId,
  pollingStage,
  type Clock,
  type JobId,
  type Stage,
  type Wake,
} from '@aifi/shared-kernel';
import type { GatewayDatabase } from '@aifi/gateway-database';
import type { Logger } from '@aifi/shared-observability';
import { answerLate } from './answer-request.js';
import type { Decision } from './decision.js';
import { expireDecisions } from './decision.store.js';
import { requestsOfSelected } from './request.store.js';
import { productsThatWait } from './revision-scope.js';
import { selectRevision } from './select-revision.js';
import { selectWaiting } from './select-waiting.js';
import type { RevisionKey } from './study-facts.js';
import type { SiteContext, VerifiedRules } from './verified-rules.js';

/** Between two looks for what is over its time. @unit ms */
const EXPIRY_INTERVAL_MS = 60 * 60 * 1000;

export interface SelectDependencies extends SiteContext {
  readonly database: GatewayDatabase;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly wake: Wake;
  /** Undefined until the first rules have arrived from the hub. */
  readonly currentRules: () => VerifiedRules | undefined;
  /** @default 128 random bits */
  readonly newJobId?: (() => JobId) | undefined;
  readonly onDone: () => void;
}

/** The stage: gives every assembled revision its jobs, and every request its answer. */
export function createSelectStage(dependencies: SelectDependencies): Stage {
  const { clock, logger, wake } = dependencies;
  const selector = new Selector(dependencies);
  return pollingStage({
    name: 'select',
    clock,
    wake,
    intervalMs: 1_000,
    onFault: (error) => logger.fault('select failed', error, { stage: 'select' }),
    runOnce: () => selector.runOnce(),
  });
}

class Selector {
  #expiredMs = -EXPIRY_INTERVAL_MS;

  constructor(private readonly dependencies: SelectDependencies) {}

  async runOnce(): Promise<number> {
    const verified = this.dependencies.currentRules();
    if (!verified) return 0;
    const selected = await this.#selectRevisions(verified);
    const again = await this.#selectWaiting(verified);
    const answered = await this.#answerRequests(verified);
    await this.#expire();
    return selected + again + answered;
  }

  async #selectRevisions(verified: VerifiedRules): Promise<number> {
    const { database, onDone } = this.dependencies;
    const open = database.read((sql) =>
      sql.all<RevisionKey>(
        `SELECT study_id AS studyId, revision FROM study_revision WHERE state = 'ASSEMBLED'
         ORDER BY closed_ms, revision LIMIT 100`,
      ),
    );
    for (const revision of open) {
      crashPoint('gateway.select.before-commit');
      const decisions = await database.write((sql) =>
        selectRevision(sql, { ...revision, ...this.#basis(verified) }),
      );
      crashPoint('gateway.select.after-commit');
      this.#tell(decisions, revision.revision);
      onDone();
    }
    return open.length;
  }

  async #selectWaiting(verified: VerifiedRules): Promise<number> {
    const { database, onDone } = this.dependencies;
    const waiting = database.read(productsThatWait);
    for (const product of waiting) {
      crashPoint('gateway.select.before-commit');
      await database.write((sql) => selectWaiting(sql, product, this.#basis(verified)));
      crashPoint('gateway.select.after-commit');
      onDone();
    }
    return waiting.length;
  }

  async #answerRequests(verified: VerifiedRules): Promise<number> {
    const { database, logger, onDone } = this.dependencies;
    const open = database.read(requestsOfSelected);
    let answered = 0;
    for (const request of open) {
      crashPoint('gateway.select.before-answer');
      const isAnswered = await database.write((sql) =>
        answerLate(sql, request, this.#basis(verified)),
      );
      crashPoint('gateway.select.after-answer');
      if (!isAnswered) continue;
      const { product, revision } = request;
      logger.info('request answered', { stage: 'select', product, revision });
      answered += 1;
      onDone();
    }
    return answered;
  }

  #basis(verified: VerifiedRules) {
    const { clock, newJobId: next = newJobId } = this.dependencies;
    return { verified, site: this.dependencies, newJobId: next, atMs: clock.nowMs() };
  }

  #tell(decisions: readonly Decision[], revision: number): void {
    for (const { product, verdict } of decisions) {
      this.dependencies.logger.info('product considered', {
        stage: 'select',
        product: product.product,
        revision,
        state: verdict.allow ? 'SELECTED' : verdict.state,
        ...(verdict.allow ? {} : { code: verdict.decisive.code }),
      });
    }
  }

  async #expire(): Promise<void> {
    const { database, clock } = this.dependencies;
    if (clock.monotonicMs() - this.#expiredMs < EXPIRY_INTERVAL_MS) return;
    const isMore = await database.write((sql) => expireDecisions(sql, clock.nowMs()));
    if (!isMore) this.#expiredMs = clock.monotonicMs();
  }
}
