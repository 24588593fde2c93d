/**
 * One spelling of text for comparisons.
 * Decides that case, diacritics, ligatures and separators make no difference: "van der Meijden",
 * "VAN-DER-MEYDEN" and "vandermeÿden" are found in each other. Invariant: linear in the length.
 * Source: Unicode UAX 15 (NFKD); Dutch practice of ij, y and ÿ in names.
 */

/** Letters that no decomposition takes apart. */
const LETTERS: Readonly<Record<string, string>> = {
  ...{ ß: 'SS', ẞ: 'SS', Æ: 'AE', Œ: 'OE', Ø: 'O', Ł: 'L', Đ: 'D', Ð: 'D', Þ: 'TH', ı: 'I' },
};
const OTHER_LETTERS = /[ßẞÆŒØŁĐÐÞı]/g;
/** Nothing but these: then there is nothing to take apart. */
const PLAIN = /^[\x20-\x7e]*$/;

/** Upper case without diacritics. */
export function folded(text: string): string {
  const upper = text.toUpperCase();
  const letters = PLAIN.test(upper)
    ? upper
    : upper
        .normalize('NFKD')
        .replace(/\p{M}+/gu, '')
        .replace(OTHER_LETTERS, (letter) => LETTERS[letter]!);
  return letters;
}

/** Words and numbers of a text, folded. */
export function tokensOf(text: string): string[] {
  return folded(text)
    .split(/[^\p{L}\p{N}]+/u)
    .filter((token) => token !== '');
}

/** IJ as Y, for names: both spellings of one name are in use, also for one person. */
export function nameFolded(token: string): string {
  return token.includes('IJ') ? token.replaceAll('IJ', 'Y') : token;
}

const UMLAUTS: Readonly<Record<string, string>> = {
  ...{ Ä: 'AE', Ö: 'OE', Ü: 'UE', Å: 'AA', Ø: 'OE' },
};

/** A name as it is written where there are no umlauts, in capitals: MUELLER for Müller. */
export function spelledOut(text: string): string {
  if (PLAIN.test(text)) return text;
  const upper = text.normalize('NFC').toUpperCase();
  const spelled = upper.replace(/[ÄÖÜÅØ]/g, (letter) => UMLAUTS[letter]!);
  return spelled === upper ? text : spelled;
}

/** MULLER for a folded MUELLER, which others write with an umlaut. */
export function withoutUmlaut(word: string): string {
  return word.replace(/([AOU])E/g, '$1');
}
