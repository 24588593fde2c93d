/**
 * Acknowledgements: what is answered to a message.
 * Decides the mode by MSH-15 and MSH-16: both empty is the original mode, one answer AA, AE or
 * AR; else the accept answer (CA, CE, CR) and, once accepted, the application's, each when it is
 * wanted.
 * Invariants: MSA-2 is MSH-10 as it was sent; beyond header fields nothing of a message comes back.
 * Source: HL7 v2 chapter 2, 2.9 (acknowledgement), 2.14.5 (ERR), 2.14.8 (MSA); table 0155.
 */
import type { Hl7Header } from './hl7-message.js';
import { MESSAGE_LIMITS } from './hl7-message.js';
import { answerTo, CONDITIONS, type Place, type Refusal } from './hl7-refusal.js';

export interface AnswerOptions {
  /** @unit ms */
  readonly atMs: number;
  /** MSH-10 of our own: letters and digits. */
  readonly newId: () => string;
}
type Answer = 'AA' | 'AE' | 'AR' | 'CA' | 'CE' | 'CR';

/** Table 0155: when somebody wants an answer. */
const WANTED: Readonly<Record<string, (isError: boolean) => boolean>> = {
  AL: () => true,
  NE: () => false,
  ER: (isError) => isError,
  SU: (isError) => !isError,
};
export const isWish = (text: string): boolean => text === '' || Object.hasOwn(WANTED, text);

/** An answer is ASCII, whatever the message is in. */
const NOT_PRINTABLE = /[^\x20-\x7e]/g;
const fieldOf = ({ fields }: Hl7Header, number: number): string =>
  (fields[number - 1] ?? '').replace(NOT_PRINTABLE, '').slice(0, MESSAGE_LIMITS.headerValue);

/** Messages to send back, in this order; none when the sender wants none. */
export function answersTo(header: Hl7Header, refusal: Refusal, options: AnswerOptions): Buffer[] {
  const [forAccept, forApplication] = [fieldOf(header, 15), fieldOf(header, 16)];
  const application = answerTo(refusal.condition);
  const isError = application !== 'AA';
  const write = (answer: Answer): Buffer => answerOf(header, answer, refusal, options);
  if (forAccept === '' && forApplication === '') return [write(application)];
  const wants = (wish: string): boolean => WANTED[wish]?.(isError) ?? wish !== '';
  const accept = `C${application[1]!}` as Answer;
  const answers = wants(forAccept) ? [write(accept)] : [];
  // Who was told that the message is not accepted waits for nothing more.
  const isOver = answers.length > 0 && isError;
  return wants(forApplication) && !isOver ? [...answers, write(application)] : answers;
}

function answerOf(
  header: Hl7Header,
  answer: Answer,
  refusal: Refusal,
  { atMs, newId }: AnswerOptions,
): Buffer {
  const { field, component, repetition, escape, subcomponent } = header.delimiters;
  const of = (number: number): string => fieldOf(header, number);
  const event = of(9).split(component)[1] ?? '';
  const version = of(12).split(component, 1)[0]!;
  const isEnhanced = of(15) !== '' || of(16) !== '';
  const msh = [
    ...['MSH', component + repetition + escape + subcomponent],
    ...[of(5), of(6), of(3), of(4), escaped(timestamp(atMs), header), ''],
    ['ACK', event, 'ACK'].join(component),
    ...[newId(), of(11), version, '', ''],
    // Nobody has to answer an answer.
    ...(isEnhanced ? ['NE', 'NE'] : []),
  ];
  const segments = [msh, ['MSA', answer, of(10)]];
  if (refusal.condition !== 0) segments.push(errorOf(refusal, version, header));
  const text = segments.map((segment) => `${segment.join(field)}\r`).join('');
  return Buffer.from(text, 'latin1');
}

/** ERR-1 until version 2.4, ERR-2 to ERR-4 since. */
function errorOf({ condition, place }: Refusal, version: string, { delimiters }: Hl7Header) {
  const { component, subcomponent } = delimiters;
  const [where, code] = [placeOf(place), [String(condition), CONDITIONS[condition], 'HL70357']];
  if (/^2\.[0-4]/.test(version)) {
    const [segment = '', occurrence = '', field = ''] = where;
    const location = [segment, occurrence, field, code.join(subcomponent)];
    return ['ERR', location.join(component)];
  }
  return ['ERR', '', where.join(component), code.join(component), 'E'];
}
function placeOf(place: Place | undefined): string[] {
  if (!place) return [];
  const { segment, occurrence = 1, field, repetition, component } = place;
  const parts = [segment, occurrence, field, field && (repetition ?? 1), component];
  const said = parts.slice(0, parts.findLastIndex((part) => part !== undefined) + 1);
  return said.map((part) => String(part ?? ''));
}

/** Delimiters may be characters of what we write. */
function escaped(text: string, { delimiters }: Hl7Header): string {
  const { field, component, repetition, escape, subcomponent } = delimiters;
  const letters = new Map([
    ...([
      [field, 'F'],
      [component, 'S'],
    ] as const),
    ...([
      [repetition, 'R'],
      [escape, 'E'],
      [subcomponent, 'T'],
    ] as const),
  ]);
  return [...text]
    .map((each) => (letters.has(each) ? `${escape}${letters.get(each)}${escape}` : each))
    .join('');
}

/** With the offset of UTC, so that no time zone is guessed. */
function timestamp(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19).replace(/\D/g, '')}+0000`;
}
