/**
 * What of a study is still in the PACS only.
 * Decides by instance where the PACS lists instances, else by its counts; and what to ask for: the
 * study, or the series that lack something where others are here already.
 * Invariants: pure; results that we put there ourselves are never asked back; a series of which the
 * PACS tells neither is missing until one image is here. Source: features 4; hazard H7.
 */
import type { ListedSeries, RetrieveTarget } from '@aifi/dicom-dimse';

/** Instances here, by series. */
export type Here = ReadonlyMap<string, ReadonlySet<string>>;

export interface StudyGap {
  /** Images of the series that are wanted, and how many of them are here. */
  readonly expected: number;
  readonly received: number;
  readonly isWhole: boolean;
  /** What to ask for; empty when nothing is missing. */
  readonly targets: readonly RetrieveTarget[];
}

export function studyGap(
  { studyInstanceUid, seriesInstanceUid }: RetrieveTarget,
  listed: readonly ListedSeries[],
  known: { readonly here: Here; readonly ownSeries: ReadonlySet<string> },
): StudyGap {
  const wanted = listed.filter(
    (series) =>
      !known.ownSeries.has(series.seriesInstanceUid) &&
      (seriesInstanceUid === undefined || series.seriesInstanceUid === seriesInstanceUid),
  );
  const counted = wanted.map((series) => ({
    uid: series.seriesInstanceUid,
    ...countsOf(series, known.here.get(series.seriesInstanceUid) ?? new Set()),
  }));
  const missing = counted.filter(({ expected, received }) => received < expected);
  const isAll = missing.length === listed.length && seriesInstanceUid === undefined;
  const sum = (key: 'expected' | 'received'): number =>
    counted.reduce((total, one) => total + one[key], 0);
  return {
    ...{ expected: sum('expected'), received: sum('received') },
    isWhole: missing.length === 0,
    targets:
      isAll && missing.length > 0
        ? [{ studyInstanceUid }]
        : missing.map(({ uid }) => ({ studyInstanceUid, seriesInstanceUid: uid })),
  };
}

function countsOf(
  { objects, instances }: ListedSeries,
  here: ReadonlySet<string>,
): { expected: number; received: number } {
  if (objects) {
    const received = objects.filter(({ sopInstanceUid }) => here.has(sopInstanceUid)).length;
    return { expected: objects.length, received };
  }
  const expected = Math.max(1, instances ?? 1);
  return { expected, received: Math.min(expected, here.size) };
}
