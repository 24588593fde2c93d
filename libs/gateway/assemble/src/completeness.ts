/**
 * Completeness: whether a study that arrives may be taken for whole, and which series may.
 * Decides by what is there against the rule of the site that fits, by what another system announced
 * and, always, by silence. Pure. Invariants: a list or an announcement completes a study for the
 * first time only, so that late images make one revision and not one each; silence always suffices.
 * Source: features specification 5, 6; hazard H7.
 */
import type { InstanceHeader } from '@aifi/gateway-database';
import type {
  AssembleConfig,
  CompletenessRule,
  ExpectedSeries,
  SeriesCondition,
} from './assemble.config.js';

/** What is here of one series; rejected images do not count. */
export interface ArrivedSeries {
  readonly seriesUid: string;
  readonly instances: number;
  /** Of them in no revision yet. */
  readonly open: number;
  /** Numbers in the order of arrival. */
  readonly firstId: number;
  readonly lastId: number;
  readonly lastReceivedMs: number;
  readonly callingAeTitle: string;
  /** Of the first image. */
  readonly header: InstanceHeader;
}
/** What another system said about a study: MPPS, or an availability notification. */
export interface Announcement {
  readonly expectedInstances?: number | undefined;
  readonly isComplete?: boolean | undefined;
}
export interface ArrivingStudy {
  readonly series: readonly ArrivedSeries[];
  readonly lastReceivedMs: number;
  /** A complete revision of it has been closed before. */
  readonly wasComplete: boolean;
  readonly announced: Announcement | undefined;
}
export interface Timers {
  readonly nowMs: number;
  /** Where the rule says nothing else. */
  readonly quietMs: number;
}

export function isComplete(
  study: ArrivingStudy,
  { rules }: Pick<AssembleConfig, 'rules'>,
  { nowMs, quietMs }: Timers,
): boolean {
  const rule = rules.find((candidate) => applies(candidate, study.series));
  if (study.lastReceivedMs <= nowMs - (rule?.quietMs ?? quietMs)) return true;
  if (study.wasComplete) return false;
  const isListed = rule?.expectedSeries && areAllThere(rule.expectedSeries, study.series);
  return isListed === true || isAnnouncedWhole(study);
}

function isAnnouncedWhole({ announced, series }: ArrivingStudy): boolean {
  if (!announced) return false;
  const { expectedInstances, isComplete: isSaid } = announced;
  if (expectedInstances === undefined) return isSaid === true;
  return series.reduce((sum, { instances }) => sum + instances, 0) >= expectedInstances;
}

function applies(rule: CompletenessRule, series: readonly ArrivedSeries[]): boolean {
  const { modalities, callingAeTitles, procedures } = rule;
  const one = (wanted: readonly string[] | undefined, found: (of: ArrivedSeries) => string[]) =>
    !wanted || series.some((each) => found(each).some((value) => wanted.includes(value)));
  return (
    one(modalities, ({ header }) => (header.modality ? [header.modality] : [])) &&
    one(callingAeTitles, ({ callingAeTitle }) => [callingAeTitle]) &&
    one(procedures, ({ header }) => [...(header.procedureCodes ?? [])])
  );
}

/** Each of the list has a series of its own: two alike need two. */
function areAllThere(
  expected: readonly ExpectedSeries[],
  series: readonly ArrivedSeries[],
): boolean {
  const takenBy = new Map<ArrivedSeries, number>();
  const place = (index: number, seen: Set<ArrivedSeries>): boolean => {
    for (const each of series) {
      if (seen.has(each) || !fits(expected[index]!, each)) continue;
      seen.add(each);
      const other = takenBy.get(each);
      if (other !== undefined && !place(other, seen)) continue;
      takenBy.set(each, index);
      return true;
    }
    return false;
  };
  return expected.every((_, index) => place(index, new Set()));
}

function fits({ where, instancesMin }: ExpectedSeries, series: ArrivedSeries): boolean {
  return series.instances >= instancesMin && where.every((each) => holds(each, series.header));
}

function holds({ attribute, oneOf, matches }: SeriesCondition, header: InstanceHeader): boolean {
  const value = header[attribute] ?? [];
  const values = typeof value === 'string' ? [value] : value;
  const isListed = (text: string): boolean =>
    oneOf === undefined || oneOf.some((word) => word.toLowerCase() === text.toLowerCase());
  const isMatched = (text: string): boolean =>
    matches === undefined || new RegExp(matches, 'i').test(text);
  return values.some(isListed) && values.some(isMatched);
}

/**
 * Series with images in no revision of which no more is expected: another one began after it, the
 * acquisition says how many it has, or it has been silent.
 */
export function settledSeries(
  series: readonly ArrivedSeries[],
  { nowMs, quietMs }: Timers,
): readonly ArrivedSeries[] {
  const lastBegun = Math.max(...series.map(({ firstId }) => firstId));
  return series.filter(
    ({ open, instances, lastId, lastReceivedMs, header: { imagesInAcquisition } }) =>
      open > 0 &&
      (lastBegun > lastId ||
        (imagesInAcquisition !== undefined &&
          imagesInAcquisition > 0 &&
          instances >= imagesInAcquisition) ||
        lastReceivedMs <= nowMs - quietMs),
  );
}
