/**
 * Goal: a target is met by what was measured, and only beside tools that leave as little.
 * Method: results that were worked out by hand.
 */
import { describe, expect, it } from '@jest/globals';
import { targetsOf, type PseudonymiseResult } from './pseudonymise-bench.js';

const spread = (median: number) => ({ median, min: median, max: median });
const result = (tool: string, seconds: number, markersLeft: number | null): PseudonymiseResult => ({
  ...{ tool, markersLeft, seconds: spread(seconds), megabytesPerSecond: spread(1 / seconds) },
  ...{ processorSeconds: spread(seconds), residentBytesPeak: 100 * 1024 * 1024 },
  shareOfCopy: { copy: spread(1 / seconds), warm: spread(0.5 / seconds) },
});
const TOOLS = {
  ...{ copies: ['copy', 'warm'], command: 'ours', engine: 'engine' },
  ...{ residentCopy: 'warm', residents: ['gateway'] },
};
const met = (...results: readonly PseudonymiseResult[]): boolean[] =>
  targetsOf([...results, result('gateway', 1, 0)], TOOLS).map(({ isMet }) => isMet);

describe(targetsOf.name, () => {
  it('compares speed with those tools only that leave no marker', () => {
    const own = [result('ours', 1.5, 0), result('engine', 1.2, 0)];
    expect(met(...own, result('leaky', 1, 700))).toEqual([true, true, true, true, false, true]);
    expect(met(...own, result('tight', 1, 0))[1]).toBe(false);
    expect(met(...own, result('tight', 2, 0))[1]).toBe(true);
  });

  it('counts a planted file that is quarantined as one that leaves nothing', () => {
    expect(met(result('ours', 1, null), result('engine', 1, 0))[0]).toBe(true);
    expect(met(result('ours', 1, null), result('engine', 1, null))[0]).toBe(false);
    expect(met(result('ours', 1, null), result('engine', 1, 1))[0]).toBe(false);
  });

  it('asks for the share of plain copying that starts alike', () => {
    expect(met(result('ours', 2, 0), result('engine', 1.6, 0)).slice(2, 4)).toEqual([false, true]);
  });
});
