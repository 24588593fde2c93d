/**
 * Early products: who takes a revision of a study that still arrives.
 * Decides with the whole engine, in the transaction that would close the revision: a product starts
 * early only when nothing but the rest of the study is missing.
 * Invariant: what is told here is decided again, and on record, when the revision is selected.
 * Source: features 6 (start on the first qualifying series); governance specification 4.3.
 */
import type { Sql } from '@aifi/gateway-database';
import { startsEarly } from '@aifi/policy-routing-rules';
import type { Clock } from '@aifi/shared-kernel';
import { decide, readForDecision } from './decision.js';
import type { SiteContext, VerifiedRules } from './verified-rules.js';

export interface EarlyProductsOptions extends SiteContext {
  readonly clock: Clock;
  readonly currentRules: () => VerifiedRules | undefined;
}

/** As assemble asks for them. */
export function earlyProductsOf(options: EarlyProductsOptions): {
  readonly isAny: () => boolean;
  readonly takenBy: (sql: Sql, studyId: number, revision: number) => readonly string[];
} {
  const candidates = () => options.currentRules()?.rules.products.filter(startsEarly) ?? [];
  return {
    isAny: () => candidates().length > 0,
    takenBy: (sql, studyId, revision) => {
      const key = { studyId, revision };
      const study = readForDecision(sql, key, options, options.clock.nowMs());
      return candidates()
        .filter((product) => decide(product, study, options).verdict.allow)
        .map(({ product }) => product);
    },
  };
}
