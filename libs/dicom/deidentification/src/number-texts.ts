/**
 * Numbers and times that are written as text: what is one, and in how many characters.
 * Decides that a decimal has 16 characters, an integer 12, a time the hours of a day: longer runs
 * of digits are numbers of people. A decimal with more digits of its fraction than there is room
 * for is written shorter, because geometry of converted series comes so and is needed.
 * Source: PS3.5 6.2 (DS, IS, TM).
 */
const DECIMAL = /^ *([+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)? *$/;
const INTEGER = /^ *([+-]?\d+)? *$/;
/** @unit characters */
const DECIMAL_MAX = 16;
const INTEGER_MAX = 12;
const INTEGER_SIZE_MAX = 2 ** 31;
/** What a double prints at most; a longer text is no measure. @unit characters */
const PRINTED_MAX = 26;
const TIME = /^([01]\d|2[0-3])([0-5]\d(([0-5]\d|60)(\.\d{1,6})?)?)?$/;

export function isTimeOfDay(text: string): boolean {
  return TIME.test(text);
}

/** The value of an IS, or undefined when it is none. */
export function integerText(text: string): string | undefined {
  if (text.length > 2 * INTEGER_MAX || !INTEGER.test(text)) return undefined;
  const bare = text.trim();
  const fits = bare.length <= INTEGER_MAX && Math.abs(Number(bare)) <= INTEGER_SIZE_MAX;
  return fits ? text : undefined;
}

/** The value of a DS, in the characters that it may have, or undefined when it is none. */
export function decimalText(text: string): string | undefined {
  if (text.length > 2 * PRINTED_MAX || !DECIMAL.test(text)) return undefined;
  const bare = text.trim();
  if (bare.length <= DECIMAL_MAX) return text.length <= DECIMAL_MAX ? text : bare;
  const number = Number(bare);
  const isFraction = bare.length <= PRINTED_MAX && bare.includes('.');
  if (!isFraction || !Number.isFinite(number)) return undefined;
  for (let digits = DECIMAL_MAX; digits > 0; digits -= 1) {
    const shorter = String(Number(number.toPrecision(digits)));
    if (shorter.length <= DECIMAL_MAX) return shorter;
  }
  return undefined;
}

/** The digits of a number that has nothing but digits, without zeros before them; else ''. */
export function bareDigits(text: string): string {
  const bare = text.trim().replace(/^\+/, '');
  return /^\d{1,26}$/.test(bare) ? bare.replace(/^0+/, '') : '';
}
