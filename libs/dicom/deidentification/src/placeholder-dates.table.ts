/**
 * Birth dates that consoles and patient systems write when they know none.
 * Decides that such a date gives an unknown age, never a number. A site adds its own in the
 * context. Dates with month or day 00 and dates that are no day of the calendar need no line here.
 * 1970-01-01 is not listed: people are born on it. Source: pseudonymisation specification 1.3.
 */
export const PLACEHOLDER_BIRTH_DATES: readonly string[] = [
  '00010101', // lowest date of many systems
  '01010101',
  '11111111',
  '17530101', // lowest date of a common database
  '18000101',
  '18500101',
  '18580117',
  '18581117', // day zero of the Modified Julian Date
  '18991230', // day zero of spreadsheets
  '18991231',
  '19000101',
  '19000102',
  '19010101',
  '20991231',
  '22220222',
  '22222222',
  '29991231',
  '99990101',
  '99991231', // highest date of many systems
];
