/**
 * Goal: what a long run leaves out is said with its suite, and nothing else is left out.
 * Method: the table against the points of the code and the files of the checkout.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { BEYOND_REACH, pointsBeyondReach } from './beyond-reach.table.js';
import { readCrashPoints } from './crash-points.js';

const ROOT = join(import.meta.dirname, '..', '..', '..');

describe('points beyond the reach of a run', () => {
  it('are points of the code, each named once', () => {
    const points = pointsBeyondReach();
    expect(new Set(points).size).toBe(points.length);
    const all = readCrashPoints();
    expect(points.filter((point) => !all.includes(point))).toEqual([]);
  });
  it.each(BEYOND_REACH.map(({ suite }) => suite))('have a suite: %s', (suite) => {
    expect(existsSync(join(ROOT, suite))).toBe(true);
  });
  it('leave at least sixty that a run has to hit', () => {
    expect(readCrashPoints().length - pointsBeyondReach().length).toBeGreaterThanOrEqual(60);
  });
});
