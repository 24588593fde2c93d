/**
 * Goal: what is missing is named by instance where the PACS lists them, by count where it does not,
 * and never more is asked for than lacks.
 * Method: pure.
 */
import { describe, expect, it } from '@jest/globals';
import type { ListedSeries } from '@aifi/dicom-dimse';
import { studyGap } from './study-gap.js';

const study = { studyInstanceUid: '1' };
const series = (uid: string, instances: number | undefined, listed?: number): ListedSeries => ({
  ...{ seriesInstanceUid: uid, instances },
  objects:
    listed === undefined
      ? undefined
      : Array.from({ length: listed }, (_, at) => ({
          sopInstanceUid: `${uid}.${at}`,
          sopClassUid: '',
        })),
});
const here = (...uids: string[]): Map<string, Set<string>> => {
  const found = new Map<string, Set<string>>();
  for (const uid of uids) {
    const of = uid.slice(0, uid.lastIndexOf('.'));
    found.set(of, (found.get(of) ?? new Set()).add(uid));
  }
  return found;
};
const none = new Set<string>();

describe(studyGap.name, () => {
  it('believes the list of instances and not the count', () => {
    const listed = [series('a', 9, 2)];
    const known = { here: here('a.0', 'a.1', 'a.7'), ownSeries: none };
    expect(studyGap(study, listed, known)).toEqual({
      ...{ expected: 2, received: 2, isWhole: true, targets: [] },
    });
    expect(studyGap(study, listed, { here: here('a.0', 'a.7'), ownSeries: none })).toMatchObject({
      ...{ expected: 2, received: 1, isWhole: false },
    });
  });
  it('wants one image of a series of which the PACS tells nothing', () => {
    const listed = [series('a', undefined)];
    expect(studyGap(study, listed, { here: here(), ownSeries: none }).isWhole).toBe(false);
    expect(studyGap(study, listed, { here: here('a.0'), ownSeries: none }).isWhole).toBe(true);
  });
  it('takes a count of nothing for one image: an empty series is in no PACS', () => {
    const listed = [series('a', 0)];
    expect(studyGap(study, listed, { here: here(), ownSeries: none }).expected).toBe(1);
  });
  it('asks for the study where all lacks, else for the series that do', () => {
    const listed = [series('a', 1, 1), series('b', 1, 1)];
    const all = studyGap(study, listed, { here: here(), ownSeries: none });
    expect(all.targets).toEqual([study]);
    const one = studyGap(study, listed, { here: here('a.0'), ownSeries: none });
    expect(one.targets).toEqual([{ ...study, seriesInstanceUid: 'b' }]);
    const own = studyGap(study, listed, { here: here(), ownSeries: new Set(['a']) });
    expect(own.targets).toEqual([{ ...study, seriesInstanceUid: 'b' }]);
  });
  it('looks at the series that is wanted alone', () => {
    const listed = [series('a', 1, 1), series('b', 1, 1)];
    const target = { ...study, seriesInstanceUid: 'a' };
    expect(studyGap(target, listed, { here: here('a.0'), ownSeries: none })).toMatchObject({
      ...{ expected: 1, isWhole: true },
    });
    expect(studyGap(target, listed, { here: here(), ownSeries: none }).targets).toEqual([target]);
  });
});
