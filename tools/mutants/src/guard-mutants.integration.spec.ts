/**
 * Goal: no guard against misdelivery can be taken away unnoticed (T-MIS-5).
 * Method: a copy of the sources; in it each mutant in turn, and the suites that must fail under it
 * and pass without it. A suite that does not get to its tests proves nothing and fails here.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { GUARD_MUTANTS } from './guard-mutants.table.js';
import { MutantTree, type SuiteRun } from './mutant-tree.js';

const checkout = join(import.meta.dirname, '../../..');
const RUN_MS = 400_000;

describe('the guards against misdelivery', () => {
  let folder: TemporaryFolder;
  let tree: MutantTree;
  const originals = new Map<string, SuiteRun>();
  beforeAll(() => {
    folder = temporaryFolder('mutants');
    tree = new MutantTree(checkout, folder.path);
  }, RUN_MS);
  afterAll(() => folder.remove());

  it('have a mutant each', () => {
    const guards = new Set(GUARD_MUTANTS.map(({ guard }) => guard));
    expect([...guards].sort()).toEqual(['C1', 'C2', 'C3', 'C4', 'C5', 'C6', 'C7']);
  });

  it.each(GUARD_MUTANTS.map((mutant) => [mutant.guard, mutant.what, mutant] as const))(
    '%s is noticed when it %s',
    async (_, _what, mutant) => {
      const key = `${mutant.kind} ${mutant.suites}`;
      const original = originals.get(key) ?? (await tree.run(mutant, 'original'));
      originals.set(key, original);
      expect(original).toMatchObject({ failed: 0, broken: 0 });
      expect(original.passed).toBeGreaterThan(0);
      const mutated = await tree.run(mutant, 'mutated');
      expect(mutated.broken).toBe(0);
      expect(mutated.failed).toBeGreaterThan(0);
    },
    RUN_MS,
  );
});
