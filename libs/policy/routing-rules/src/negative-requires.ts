/**
 * What must be there before a product may say "nothing found", and who may start early.
 * Decides on an early start whether a negative may be released: a positive may, on the images that
 * were there, but silence about the others would read as an all-clear.
 * Invariant: pure; without `negativeRequires` nothing more is asked than that the product ran.
 * Source: features specification (acute lane); governance specification 4.3.
 */
import type { DeployedProduct, IntendedUse } from '@aifi/contracts-manifests';
import type { SeriesFacts } from './facts.js';
import { satisfies } from './series-rules.js';
import type { Words } from './verdict.js';

export interface NegativeVerdict {
  readonly allowed: boolean;
  /** What is not there yet, in words. */
  readonly missing: readonly Words[];
}

/** @param seriesUid series that the product took */
export function judgeNegative(
  { negativeRequires: required }: IntendedUse,
  series: readonly SeriesFacts[],
  seriesUid: string,
): NegativeVerdict {
  const images = series.find((one) => one.seriesUid === seriesUid)?.instanceCount ?? 0;
  const views = new Set(series.flatMap(({ attributes }) => attributes.viewPosition ?? []));
  const missing: Words[] = [];
  const { imagesMin = 0 } = required ?? {};
  if (images < imagesMin) {
    missing.push({
      en: `${images} of at least ${imagesMin} images`,
      nl: `${images} van minstens ${imagesMin} beelden`,
    });
  }
  for (const view of required?.views ?? []) {
    if (views.has(view)) continue;
    missing.push({ en: `view ${view} is missing`, nl: `opname ${view} ontbreekt` });
  }
  for (const { rules, instancesMin = 1 } of required?.series ?? []) {
    const fits = (one: SeriesFacts): boolean =>
      one.instanceCount >= instancesMin && satisfies(rules, one);
    if (series.some(fits)) continue;
    const names = rules.map(({ id }) => id).join(', ');
    missing.push({
      en: `no series of at least ${instancesMin} images fits ${names}`,
      nl: `geen serie van minstens ${instancesMin} beelden past bij ${names}`,
    });
  }
  return { allowed: missing.length === 0, missing };
}

/** Whether the product runs while the study still arrives. */
export function startsEarly({
  lane,
  intendedUse,
}: Pick<DeployedProduct, 'lane' | 'intendedUse'>): boolean {
  return intendedUse.earlyStart ?? lane === 'acute';
}
