/**
 * Escape sequences of a value.
 * Decides what a value says once its escapes are read: delimiters, bytes and line breaks become
 * text, formatting is dropped, and what cannot be read is refused.
 * Invariants: one pass; the result is never longer than the input, so no sequence is a bomb; what
 * an escape gives is not read for escapes again.
 * Source: HL7 v2 chapter 2, 2.7 (escape sequences).
 */
import type { Place } from './hl7-refusal.js';
import { refuse } from './hl7-refusal.js';

export interface Delimiters {
  readonly field: string;
  readonly component: string;
  readonly repetition: string;
  readonly escape: string;
  readonly subcomponent: string;
}
export interface Reading {
  readonly delimiters: Delimiters;
  /** Of the message's character set. */
  readonly decode: (bytes: Uint8Array) => string;
}

/** Highlighting and formatting: no part of the value. */
const FORMATTING = /^(H|N|\.(in|ti|sk)[+-]?\d{0,4}|\.(fi|nf|ce))$/;
const LINE_BREAK = /^\.(br|sp\d{0,4})$/;
const HEXADECIMAL = /^X(?:[0-9A-Fa-f]{2}){1,512}$/;
/** All controls but TAB, CR and LF: a line break of `\X0D\` is one. */
// eslint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/;

export function unescaped(value: string, { delimiters, decode }: Reading, place: Place): string {
  const { escape } = delimiters;
  if (!value.includes(escape)) return value;
  const parts = value.split(escape);
  // Text and sequences take turns: text, sequence, text and so on.
  if (parts.length % 2 === 0) refuse(102, place);
  const read = parts.map((part, index) =>
    index % 2 === 0 ? part : meaningOf(part, { delimiters, decode }, place),
  );
  return read.join('');
}

function meaningOf(sequence: string, { delimiters, decode }: Reading, place: Place): string {
  switch (sequence) {
    case 'F':
      return delimiters.field;
    case 'S':
      return delimiters.component;
    case 'R':
      return delimiters.repetition;
    case 'E':
      return delimiters.escape;
    case 'T':
      return delimiters.subcomponent;
  }
  if (FORMATTING.test(sequence)) return '';
  if (LINE_BREAK.test(sequence)) return '\n';
  if (!HEXADECIMAL.test(sequence)) return refuse(102, place);
  const text = decode(Buffer.from(sequence.slice(1), 'hex'));
  return CONTROLS.test(text) ? refuse(102, place) : text;
}
