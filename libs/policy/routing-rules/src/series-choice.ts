/**
 * Which series of a study a product takes, and whether its images suffice.
 * Decides: of the series that satisfy every rule, one that suffices, the widest first; where none
 * satisfies all, the one that got furthest explains the refusal best.
 * Invariant: the order in which images arrived plays no part. Units: mm.
 * Source: governance specification 4.3 (COVERAGE_INSUFFICIENT, INPUT_INCOMPLETE).
 */
import type { IntendedUse } from '@aifi/contracts-manifests';
import type { SeriesFacts, StudyFacts } from './facts.js';
import { checkSeriesRule } from './series-rules.js';
import { imageRules } from './study-rules.js';
import { failed, missing, type Check } from './verdict.js';

export interface SeriesChoice {
  /** Undefined when no series satisfies the rules. */
  readonly seriesUid: string | undefined;
  readonly checks: readonly Check[];
}
interface Judged {
  readonly series: SeriesFacts;
  readonly checks: readonly Check[];
}

export function chooseSeries(
  use: IntendedUse,
  { series, procedure }: Pick<StudyFacts, 'series' | 'procedure'>,
): SeriesChoice {
  const rules = [...use.series, ...imageRules(use.study, procedure)];
  const judged = series.map((one) => ({
    series: one,
    checks: rules.map((rule) => checkSeriesRule(rule, one)),
  }));
  const candidates = judged
    .filter(({ checks }) => obstacles(checks) === 0)
    .map((one) => ({ ...one, suffices: sufficiencyChecks(use, one.series) }));
  const chosen = candidates.sort(
    (a, b) =>
      Number(obstacles(a.suffices) > 0) - Number(obstacles(b.suffices) > 0) ||
      byExtent(a.series, b.series),
  )[0];
  if (chosen) {
    const { series: taken, checks, suffices } = chosen;
    return { seriesUid: taken.seriesUid, checks: [...checks, ...suffices] };
  }
  const nearest = judged.sort(
    (a, b) =>
      firstObstacle(b) - firstObstacle(a) ||
      obstacles(a.checks) - obstacles(b.checks) ||
      byExtent(a.series, b.series),
  )[0];
  const words = { en: 'the study has no images yet', nl: 'het onderzoek heeft nog geen beelden' };
  const none = failed('images', 'NO_PRODUCT', words);
  return { seriesUid: undefined, checks: nearest?.checks ?? [none] };
}

const obstacles = (checks: readonly Check[]): number =>
  checks.filter(({ reason }) => reason).length;
const firstObstacle = ({ checks }: Judged): number => checks.findIndex(({ reason }) => reason);

function byExtent(a: SeriesFacts, b: SeriesFacts): number {
  return (
    (b.coverageMm ?? 0) - (a.coverageMm ?? 0) ||
    b.instanceCount - a.instanceCount ||
    (a.seriesUid < b.seriesUid ? -1 : 1)
  );
}

/** Limits are inclusive. One check called sufficiency when number and extent suffice. */
function sufficiencyChecks(use: IntendedUse, series: SeriesFacts): Check[] {
  const checks = [...instanceCheck(use, series), ...coverageCheck(use, series)];
  return [
    ...(checks.length > 0 ? checks : [{ rule: 'sufficiency' }]),
    ...thicknessCheck(use, series),
  ];
}

function instanceCheck({ instancesMin }: IntendedUse, { instanceCount }: SeriesFacts): Check[] {
  if (instanceCount >= instancesMin) return [];
  const words = {
    en: `${instanceCount} of at least ${instancesMin} images`,
    nl: `${instanceCount} van minstens ${instancesMin} beelden`,
  };
  const reason = { code: 'INPUT_INCOMPLETE', rule: 'instancesMin', words } as const;
  return [{ rule: 'sufficiency', reason }];
}

function coverageCheck({ coverageMinMm }: IntendedUse, { coverageMm }: SeriesFacts): Check[] {
  if (coverageMinMm === undefined || (coverageMm ?? 0) >= coverageMinMm) return [];
  // Rounded down: 119.96 of 120 must not read as 120 of 120.
  const found = coverageMm === undefined ? undefined : Math.floor(coverageMm * 10) / 10;
  const [en, nl] = [found ?? 'an unknown number of', dutch(found) ?? 'een onbekend aantal'];
  const words = {
    en: `images cover ${en} mm, ${coverageMinMm} mm needed`,
    nl: `beelden beslaan ${nl} mm, ${dutch(coverageMinMm)} mm nodig`,
  };
  const reason = { code: 'COVERAGE_INSUFFICIENT', rule: 'coverageMinMm', words } as const;
  return [{ rule: 'sufficiency', reason }];
}

function thicknessCheck(use: IntendedUse, { sliceThicknessMm: found }: SeriesFacts): Check[] {
  const { sliceThicknessMaxMm: limit, sliceThicknessOnMissing: onMissing = 'deny' } = use;
  const rule = 'images.sliceThickness';
  if (limit === undefined) return [];
  if (found === undefined) {
    return [missing(rule, onMissing, { en: 'slice thickness', nl: 'plakdikte' })];
  }
  if (found <= limit) return [{ rule }];
  const words = {
    en: `slice thickness ${found} mm > ${limit} mm`,
    nl: `plakdikte ${dutch(found)} mm > ${dutch(limit)} mm`,
  };
  return [failed(rule, 'INPUT_INCOMPLETE', words)];
}

/** Decimal comma. */
function dutch(value: number | undefined): string | undefined {
  return value === undefined ? undefined : String(value).replace('.', ',');
}
