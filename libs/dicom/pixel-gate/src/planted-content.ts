/**
 * Planted content: what is written into pictures to measure the gate, and seeded chance.
 * Decides the words: invented Dutch names, dates, hospital lines and numbers that pass the 11-test.
 * Invariants: the same seed gives the same sequence on every machine; nobody is described.
 * Source: pseudonymisation specification 3 (Dutch content).
 */
/** Taken out of the global object once: they run for every pixel of a phantom. */
const { floor, imul } = Math;

export interface Chance {
  /** From 0, less than 1. */
  next(): number;
  /** A whole number from `low` to `high`, both included. */
  within(low: number, high: number): number;
  pick<T>(from: readonly T[]): T;
}

/** A linear congruential generator with a mixed output: small, and equal everywhere. */
export function chanceOf(seed: number): Chance {
  let state = seed >>> 0;
  const next = (): number => {
    state = (imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    let mixed = state ^ (state >>> 15);
    mixed = imul(mixed | 1, 0x2c1b3c6d);
    mixed ^= mixed >>> 12;
    mixed = imul(mixed, 0x297a2d39);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
  const within = (low: number, high: number): number => low + floor(next() * (high - low + 1));
  return { next, within, pick: (from) => from[within(0, from.length - 1)]! };
}

const FAMILY = [
  ...['van der Berg', 'de Vries', 'Jansen', 'Bakker', 'Visser', 'Smit', 'Mulder', 'Dijkstra'],
  ...['van den Heuvel', 'IJzerman', 'Hoekstra', 'Kuipers', 'Brouwer', 'Postma', 'Zijlstra'],
];
const GIVEN = ['Jan', 'Anneke', 'Pieter', 'Sanne', 'Willem', 'Fenna', 'Gijs', 'Marijke', 'Joost'];
const PLACES = ['Ziekenhuis Noord', 'MC Oost', 'St. Agatha', 'Kliniek Waterland', 'UMC Zuid'];

/** A number of nine digits of which the weighted sum is a multiple of eleven. */
export function citizenNumber(chance: Chance): string {
  for (;;) {
    const digits = Array.from({ length: 8 }, (_, at) => chance.within(at === 0 ? 1 : 0, 9));
    const last = digits.reduce((sum, digit, at) => sum + digit * (9 - at), 0) % 11;
    if (last < 10) return [...digits, last].join('');
  }
}

/** One line as a modality or a workstation writes it. */
export function contentOf(chance: Chance): string {
  const day = `${chance.within(1, 28)}-${chance.within(1, 12)}-${chance.within(1931, 2019)}`;
  const family = chance.pick(FAMILY);
  const given = chance.pick(GIVEN);
  const kinds = [
    () => `${family} ${given}`,
    () => `${family.toUpperCase()}^${given.toUpperCase()}`,
    () => `${given[0]}. ${family}`,
    () => day,
    () => `geb. ${day}`,
    () => citizenNumber(chance),
    () => `BSN ${citizenNumber(chance)}`,
    () => `Pat.nr. ${chance.within(100_000, 9_999_999)}`,
    () => `${chance.pick(PLACES)}`,
    () => `${family}, ${given} ${day}`,
  ];
  return chance.pick(kinds)();
}
