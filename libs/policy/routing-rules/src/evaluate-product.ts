/**
 * Evaluates one deployed product against the series of a study revision.
 * Decides, before anything leaves the hospital, whether the product asks for the study, which
 * series it takes, and with which codes it says no. Pure: the gateway runs it with what only it can
 * see.
 * Invariants: a missing attribute is never "allowed" unless the rule says so; every verdict names
 * the rules it rests on. Source: governance specification 4.3 (order of gates, codes).
 */
import type { DeployedProduct, SeriesRule } from '@aifi/contracts-manifests';
import {
  REASON_CODES,
  type Purpose,
  type ReasonCode,
  type TerminalState,
} from '@aifi/shared-kernel';

/** What the rules may know of one series. */
export interface SeriesFacts {
  readonly seriesUid: string;
  /** Values per attribute of the contract; absent or empty: the images do not say. */
  readonly attributes: Readonly<Partial<Record<SeriesRule['attribute'], readonly string[]>>>;
  readonly instanceCount: number;
  /** Extent along the slice normal; undefined when the geometry does not tell. @unit mm */
  readonly coverageMm: number | undefined;
}
export interface Attestation {
  readonly rule: string;
  readonly verdict: 'allow' | 'deny';
}
export interface DenialReason {
  readonly code: ReasonCode;
  /** Name of the rule or limit, and numbers of the geometry; never a value of the images. */
  readonly rule: string;
}
export type ProductVerdict =
  | {
      readonly allow: true;
      readonly seriesUid: string;
      readonly attestations: readonly Attestation[];
    }
  | {
      readonly allow: false;
      readonly state: TerminalState;
      /** All reasons, the decisive one first. */
      readonly reasons: readonly [DenialReason, ...DenialReason[]];
      readonly attestations: readonly Attestation[];
    };

type RuleOutcome = 'pass' | 'fail' | 'missing';

/**
 * Verdict for one product. The code decides the state: a product that does not apply is only
 * logged, one that applies but cannot run is notified.
 */
export function evaluateProduct(
  product: DeployedProduct,
  series: readonly SeriesFacts[],
  sitePurpose: Purpose,
): ProductVerdict {
  // Architecture "Purpose": a demonstration product cannot be switched on at a clinical site.
  if (product.purpose === 'demonstration' && sitePurpose === 'clinical') {
    return deny([{ code: 'NOT_DEPLOYED', rule: 'purpose' }], []);
  }
  const rules = product.intendedUse.series;
  const candidates = series.filter((facts) => firstObstacle(rules, facts) === undefined);
  if (candidates.length === 0) return denyByNearestSeries(rules, series);
  const allowed = rules.map((rule): Attestation => ({ rule: rule.id, verdict: 'allow' }));
  if (product.state === 'suspended') {
    return deny([{ code: 'SUSPENDED', rule: 'lifecycle' }], allowed);
  }
  return judgeSufficiency(product, mostCovering(candidates), allowed);
}

function judgeSufficiency(
  product: DeployedProduct,
  chosen: SeriesFacts,
  allowed: readonly Attestation[],
): ProductVerdict {
  const { coverageMinMm, instancesMin } = product.intendedUse;
  const reasons: DenialReason[] = [];
  if (chosen.instanceCount < instancesMin) {
    reasons.push({
      code: 'INPUT_INCOMPLETE',
      rule: `instancesMin ${instancesMin}, found ${chosen.instanceCount}`,
    });
  }
  // The limit is inclusive (governance 4.3, boundary vectors).
  if (coverageMinMm !== undefined && !((chosen.coverageMm ?? 0) >= coverageMinMm)) {
    const found = chosen.coverageMm === undefined ? 'unknown' : `${round1(chosen.coverageMm)} mm`;
    reasons.push({
      code: 'COVERAGE_INSUFFICIENT',
      rule: `coverageMinMm ${coverageMinMm}, found ${found}`,
    });
  }
  const [first, ...rest] = reasons;
  if (first) return deny([first, ...rest], [...allowed, { rule: 'sufficiency', verdict: 'deny' }]);
  const attestations: Attestation[] = [...allowed, { rule: 'sufficiency', verdict: 'allow' }];
  return { allow: true, seriesUid: chosen.seriesUid, attestations };
}

/** The series that got furthest through the rules explains the refusal best. */
function denyByNearestSeries(
  rules: readonly SeriesRule[],
  series: readonly SeriesFacts[],
): ProductVerdict {
  const obstacles = series
    .map((facts) => firstObstacle(rules, facts))
    .filter((obstacle) => obstacle !== undefined)
    .sort((a, b) => b.index - a.index);
  const nearest = obstacles[0];
  if (!nearest) return deny([{ code: 'NO_PRODUCT', rule: 'no images' }], []);
  const passed = rules
    .slice(0, nearest.index)
    .map((rule): Attestation => ({ rule: rule.id, verdict: 'allow' }));
  const code = nearest.outcome === 'missing' ? 'TAG_MISSING' : 'OUT_OF_INTENDED_USE';
  return deny(
    [{ code, rule: nearest.rule.id }],
    [...passed, { rule: nearest.rule.id, verdict: 'deny' }],
  );
}

function deny(
  reasons: readonly [DenialReason, ...DenialReason[]],
  attestations: readonly Attestation[],
): ProductVerdict {
  return { allow: false, state: REASON_CODES[reasons[0].code].state, reasons, attestations };
}

function firstObstacle(
  rules: readonly SeriesRule[],
  facts: SeriesFacts,
): { rule: SeriesRule; index: number; outcome: RuleOutcome } | undefined {
  for (const [index, rule] of rules.entries()) {
    const outcome = applyRule(rule, facts);
    if (outcome !== 'pass') return { rule, index, outcome };
  }
  return undefined;
}

function applyRule(rule: SeriesRule, facts: SeriesFacts): RuleOutcome {
  const values = (facts.attributes[rule.attribute] ?? []).filter((value) => value !== '');
  // "review" needs a person and holds like a denial until one can decide.
  if (values.length === 0) return rule.onMissing === 'allow' ? 'pass' : 'missing';
  if (rule.oneOf && !values.some((value) => rule.oneOf!.includes(value))) return 'fail';
  if (rule.matches && !values.some((v) => new RegExp(rule.matches!, 'i').test(v))) return 'fail';
  if (rule.noneMatch && values.some((v) => new RegExp(rule.noneMatch!, 'i').test(v))) return 'fail';
  return 'pass';
}

function mostCovering(candidates: readonly SeriesFacts[]): SeriesFacts {
  return [...candidates].sort(
    (a, b) =>
      (b.coverageMm ?? 0) - (a.coverageMm ?? 0) ||
      b.instanceCount - a.instanceCount ||
      (a.seriesUid < b.seriesUid ? -1 : 1),
  )[0]!;
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}
