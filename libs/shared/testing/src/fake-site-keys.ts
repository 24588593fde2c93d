/**
 * Keys of a made-up hospital, for tests.
 * Decides that equal seeds give equal keys and that no two keys of one seed are alike.
 * Invariant: never used outside of tests; a seed is no secret.
 */
import { createHash } from 'node:crypto';

const NAMES = ['uid', 'pid', 'date', 'seal', 'identity', 'result', 'vault', 'index'] as const;

export type FakeSiteKeys = Readonly<Record<(typeof NAMES)[number], Buffer>> & {
  readonly epoch: number;
};

/** Keys of `hospital` in one epoch; another name or epoch gives other keys. */
export function fakeSiteKeys(hospital = 'site-a', epoch = 1): FakeSiteKeys {
  const keyOf = (name: string): Buffer =>
    createHash('sha256').update(`${hospital}\0${epoch}\0${name}`).digest();
  const keys = Object.fromEntries(NAMES.map((name) => [name, keyOf(name)]));
  return { epoch, ...(keys as Record<(typeof NAMES)[number], Buffer>) };
}
