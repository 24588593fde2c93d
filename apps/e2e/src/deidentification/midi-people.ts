/**
 * People of the suite: made up, Dutch, a few with names beyond Latin-1; the same for the same seed.
 * Decides that citizen service numbers pass the check of eleven and belong to nobody: they begin
 * with 9999. Invariant: no chance but the seed. Source: pseudonymisation specification 3 (1).
 */

export interface Person {
  /** In DICOM order: family, given, middle, prefix. */
  readonly name: string;
  /** ISO 2022 name bytes and their declaration, where Latin-1 is not enough. */
  readonly isJapanese: boolean;
  readonly bsn: string;
  /** DICOM date. */
  readonly born: string;
  /** As people write it. */
  readonly bornWritten: string;
  readonly sex: 'F' | 'M';
  readonly telephone: string;
  readonly postcode: string;
  readonly accession: string;
  readonly physician: string;
  readonly hospital: string;
  readonly agb: string;
}

const FAMILIES = [
  ...['van der Berg', 'Koëter', 'IJsselmuiden', 'de Bruyne', 'Háverkamp', 'Oosterlaken'],
  ...['van ’t Zandt', 'Wijnschenk', 'Böhmerman', 'Terpstrâ'],
].map((name) => name.replace('’', "'"));
const GIVEN = ['Jan', 'Renée', 'Annelies', 'Zoë', 'Maarten', 'Siobhán', 'Teun', 'Loïs'];
const PHYSICIANS = ['Visserman', 'Hoogendoorn', 'Kwakernaak', 'Zijlmans'];
const HOSPITALS = ['Sint Elderhoven Ziekenhuis', 'Merwelanden Gasthuis', 'Ijsselbrink Kliniek'];

/** A small generator with a seed (Park and Miller, minimal standard). */
export function seeded(seed: number): (below: number) => number {
  let state = seed % 2_147_483_647 || 1;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

/** A number that passes the check of eleven and was given to nobody. */
function bsnOf(random: (below: number) => number): string {
  for (;;) {
    const digits = `9999${String(random(100_000)).padStart(5, '0')}`;
    const sum = [...digits].reduce((t, d, i) => t + Number(d) * (i === 8 ? -1 : 9 - i), 0);
    if (sum % 11 === 0) return digits;
  }
}
const pick = <T>(list: readonly T[], random: (below: number) => number): T =>
  list[random(list.length)]!;

/** Age on a day, as the standard writes it: months below twenty years, never above ninety years. */
export function ageOn({ born }: Person, day: string): string {
  const parts = (text: string): number[] =>
    [text.slice(0, 4), text.slice(4, 6), text.slice(6)].map(Number);
  const [[y0 = 0, m0 = 0, d0 = 0], [y1 = 0, m1 = 0, d1 = 0]] = [parts(born), parts(day)];
  const months = (y1 - y0) * 12 + m1 - m0 - (d1 < d0 ? 1 : 0);
  const years = Math.min(90, Math.floor(months / 12));
  const [number, unit] = months < 240 ? [months, 'M'] : [years, 'Y'];
  return `${String(number).padStart(3, '0')}${unit}`;
}

export function personOf(number: number): Person {
  const random = seeded(7_919 * (number + 1));
  const [year, month, day] = [1931 + random(75), 1 + random(12), 1 + random(28)];
  const two = (value: number): string => String(value).padStart(2, '0');
  const isJapanese = number % 9 === 8;
  return {
    name: isJapanese ? '山田^太郎' : `${pick(FAMILIES, random)}^${pick(GIVEN, random)}`,
    isJapanese,
    bsn: bsnOf(random),
    born: `${year}${two(month)}${two(day)}`,
    bornWritten: `${day}-${month}-${year}`,
    sex: random(2) === 0 ? 'F' : 'M',
    telephone: `+31 6 ${10_000_000 + random(89_999_999)}`,
    postcode: `${1000 + random(8_999)} ${'ABCDEFGH'[random(8)]}${'JKLMNP'[random(6)]}`,
    accession: `ACC${2019}${100_000 + random(899_999)}`,
    physician: pick(PHYSICIANS, random),
    hospital: pick(HOSPITALS, random),
    agb: `0${1 + random(8)}${100_000 + random(899_999)}`,
  };
}
