/**
 * Goal: no crash point of the code is forgotten, and none hides behind a computed name.
 * Method: the checkout itself; small trees with one file.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { appOf, readCrashPoints } from './crash-points.js';

describe(readCrashPoints.name, () => {
  let folder: TemporaryFolder | undefined;
  afterEach(() => folder?.remove());
  function treeWith(text: string): string {
    folder = temporaryFolder('points');
    const source = join(folder.path, 'libs', 'gateway', 'x', 'src');
    mkdirSync(source, { recursive: true });
    writeFileSync(join(source, 'x.ts'), text);
    return folder.path;
  }

  it('finds those of the code: forty at least, of gateway and hub', () => {
    const points = readCrashPoints();
    expect(points.length).toBeGreaterThanOrEqual(40);
    expect(new Set(points.map(appOf))).toEqual(new Set(['gateway', 'hub']));
    expect(points).toContain('gateway.receive.before-row');
  });
  it('finds a name on the next line', () => {
    const text = "crashPoint(\n  'gateway.x.before-y',\n);";
    expect(readCrashPoints(treeWith(text))).toEqual(['gateway.x.before-y']);
  });
  it('finds the names of a table', () => {
    const text =
      "const POINTS = { a: 'gateway.x.a', b: 'gateway.x.b' };\ncrashPoint(POINTS[stage])";
    expect(readCrashPoints(treeWith(text))).toEqual(['gateway.x.a', 'gateway.x.b']);
  });
  it('finds the names of a template over a union of words', () => {
    const text =
      "type Change = 'join' | 'renewal';\nasync write(change: Change) {\n" +
      'crashPoint(`gateway.x.before-${change}`) }';
    expect(readCrashPoints(treeWith(text))).toEqual([
      'gateway.x.before-join',
      'gateway.x.before-renewal',
    ]);
  });
  it.each(['crashPoint(name)', 'crashPoint(`gateway.x.${moment}`)', "crashPoint('before')"])(
    'refuses %s',
    (text) => {
      expect(() => readCrashPoints(treeWith(text))).toThrow(/without a fixed name/);
    },
  );
});
