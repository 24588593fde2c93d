/**
 * Goal: the level follows the marks, and a use that stays within a band never makes it flap.
 * Method: property tests over any sequence of uses, against the bands themselves.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DISK_LEVELS, diskConfigSchema, markAbove, nextLevel, type DiskLevel } from './index.js';
import { usageOf } from './disk-usage.js';

const marks = diskConfigSchema.parse({});
const rank = (level: DiskLevel): number => DISK_LEVELS.indexOf(level);
const level = fc.constantFrom(...DISK_LEVELS);
const use = fc.double({ min: 0, max: 100, noNaN: true });
/** Levels that a sequence of uses passes through. */
function levelsOf(from: DiskLevel, uses: readonly number[]): DiskLevel[] {
  const passed: DiskLevel[] = [];
  for (const one of uses) passed.push(nextLevel(passed.at(-1) ?? from, one, marks));
  return passed;
}

describe(nextLevel.name, () => {
  it.each([
    ['normal', 69.9, 'normal'],
    ['normal', 70, 'warning'],
    ['normal', 85, 'refuse-routine'],
    ['normal', 95, 'refuse-all'],
    ['warning', 65, 'warning'],
    ['warning', 64.9, 'normal'],
    ['refuse-routine', 80, 'refuse-routine'],
    ['refuse-routine', 79.9, 'warning'],
    ['refuse-routine', 60, 'normal'],
    ['refuse-all', 90, 'refuse-all'],
    ['refuse-all', 89.9, 'refuse-routine'],
    ['refuse-all', 79.9, 'warning'],
  ] as const)('goes from %s at %d %% to %s', (from, usedPercent, to) => {
    expect(nextLevel(from, usedPercent, marks)).toBe(to);
  });

  it('is never below the level of a mark that is passed, nor above one that has ended', () => {
    fc.assert(
      fc.property(level, use, (from, used) => {
        const next = rank(nextLevel(from, used, marks));
        const [w, r, a] = [
          marks.warningPercent,
          marks.refuseRoutinePercent,
          marks.refuseAllPercent,
        ];
        const passed = [w, r, a].filter((mark) => used >= mark).length;
        const ends = [
          marks.warningEndPercent,
          marks.refuseRoutineEndPercent,
          marks.refuseAllEndPercent,
        ];
        const notEnded = ends.filter((end) => used >= end).length;
        expect(next).toBeGreaterThanOrEqual(passed);
        expect(next).toBeLessThanOrEqual(notEnded);
      }),
    );
  });

  it.each([
    ['warning', 65, 84.99],
    ['refuse-routine', 80, 94.99],
    ['refuse-all', 90, 100],
    ['normal', 0, 69.99],
  ] as const)('stays %s for any sequence between %d and %d %%', (from, min, max) => {
    const uses = fc.array(fc.double({ min, max, noNaN: true }), { maxLength: 60 });
    fc.assert(
      fc.property(uses, (sequence) => {
        expect(new Set([from, ...levelsOf(from, sequence)])).toEqual(new Set([from]));
      }),
    );
  });

  it('changes at most once for each time that a whole band was crossed', () => {
    fc.assert(
      fc.property(fc.array(use, { maxLength: 100 }), (uses) => {
        const levels = levelsOf('normal', uses);
        for (const [from, mark, end] of [
          [1, marks.warningPercent, marks.warningEndPercent],
          [2, marks.refuseRoutinePercent, marks.refuseRoutineEndPercent],
          [3, marks.refuseAllPercent, marks.refuseAllEndPercent],
        ] as const) {
          const isAbove = [false, ...levels.map((one) => rank(one) >= from)];
          const changes = isAbove.filter((one, i) => i > 0 && one !== isAbove[i - 1]).length;
          // The least that any rule with these two bounds can do.
          let [crossings, isHigh] = [0, false];
          for (const one of uses) {
            if (isHigh ? one < end : one >= mark) [crossings, isHigh] = [crossings + 1, !isHigh];
          }
          expect(changes).toBe(crossings);
        }
      }),
    );
  });

  it('says the next mark above a use', () => {
    expect([0, 70, 84, 85, 96].map((used) => markAbove(used, marks))).toEqual([
      70, 85, 85, 95, 100,
    ]);
  });
});

describe('diskConfigSchema', () => {
  it('has the marks of the specification, also where nothing is configured', () => {
    expect(diskConfigSchema.parse(undefined)).toEqual(marks);
    expect(marks).toMatchObject({
      ...{ warningPercent: 70, refuseRoutinePercent: 85, refuseAllPercent: 95 },
      ...{ refuseRoutineEndPercent: 80, reserveBytes: 1024 ** 3, keepHours: 24 },
    });
  });

  it.each([
    { warningPercent: 90 },
    { refuseRoutinePercent: 96 },
    { refuseAllPercent: 84 },
    { warningEndPercent: 70 },
    { refuseRoutineEndPercent: 85 },
    { refuseRoutineEndPercent: 69 },
    { refuseAllEndPercent: 95 },
    { refuseAllEndPercent: 84 },
    { refuseAllPercent: 100 },
    { reserveBytes: 0 },
    { unknown: 1 },
  ])('refuses %j', (settings) => {
    expect(diskConfigSchema.safeParse(settings).success).toBe(false);
  });
});

describe(usageOf.name, () => {
  const GIB = 1024 ** 3;
  const facts = { bsize: 4_096, blocks: 25 * 2 ** 18, bfree: 20 * 2 ** 18, bavail: 15 * 2 ** 18 };
  const entries = { files: 100, ffree: 90 };

  it('counts the reserve the same whether it is held or given back', () => {
    const held = usageOf({ ...facts, ...entries }, { wantedBytes: GIB, heldBytes: GIB });
    const more = { bfree: facts.bfree + 2 ** 18, bavail: facts.bavail + 2 ** 18 };
    const given = usageOf({ ...facts, ...entries, ...more }, { wantedBytes: GIB, heldBytes: 0 });
    expect(held.usedPercent).toBe(25);
    expect(given.usedPercent).toBe(held.usedPercent);
    expect(held).toMatchObject({ totalBytes: 20 * GIB, freeBytes: 15 * GIB, reserveBytes: GIB });
  });

  it('takes a twentieth of a small disk for the reserve', () => {
    const small = { ...facts, ...entries, blocks: 2 ** 14, bfree: 2 ** 14, bavail: 2 ** 14 };
    const { reserveBytes } = usageOf(small, { wantedBytes: GIB, heldBytes: 0 });
    expect(reserveBytes).toBe(Math.floor((64 * 1024 * 1024) / 20));
  });

  it('is as full as its file entries where these are scarcer', () => {
    const reserve = { wantedBytes: GIB, heldBytes: GIB };
    expect(usageOf({ ...facts, files: 100, ffree: 4 }, reserve).usedPercent).toBe(96);
    expect(usageOf({ ...facts, files: 0, ffree: 0 }, reserve).usedPercent).toBe(25);
  });
});
